"""The lists that a data set publishes so that everybody holds out the same speakers.

Speech Commands lists its clips for validation and testing in two files, one `WORD/FILE.wav` per line; all
others are for training (P. Warden, arXiv:1804.03209, section 5.3: no speaker is in two of the three).
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from tinyml_cli.data.speakers import has_speaker, speaker_of
from tinyml_cli.data.splits import Split
from tinyml_cli.errors import TinymlError

VALIDATION_LIST, TESTING_LIST = "validation_list.txt", "testing_list.txt"


def read(root: Path) -> dict[str, Split]:
    """The split of every speaker in the folders of the words that the lists name; empty without lists.

    Speakers of other words, such as your own recordings beside the data set, are not in it.

    Raises:
        TinymlError: a list that cannot be read, or a speaker who is in both.
    """
    paths = {"validation": root / VALIDATION_LIST, "test": root / TESTING_LIST}
    if not all(path.is_file() for path in paths.values()):
        return {}
    listed = {split: _entries(path) for split, path in paths.items()}
    speakers = {split: {speaker_of(entry) for entry in entries} for split, entries in listed.items()}
    if both := sorted(speakers["validation"] & speakers["test"]):
        raise TinymlError(
            f"Speakers listed both for validation and for testing: {len(both)}, such as `{both[0]}`",
            str(root),
            f"Fix {VALIDATION_LIST} and {TESTING_LIST}, or remove both to split by a hash of the speaker.",
        )
    words = sorted({entry.parent.name for entries in listed.values() for entry in entries})
    settled: dict[str, Split] = {}
    for folder in (root / word for word in words):
        files = folder.iterdir() if folder.is_dir() else ()
        settled.update({speaker_of(path): "train" for path in files if has_speaker(path)})
    settled.update(dict.fromkeys(speakers["validation"], "validation"))
    settled.update(dict.fromkeys(speakers["test"], "test"))
    return settled


def _entries(path: Path) -> list[PurePosixPath]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TinymlError(f"Cannot read the list: {error}", str(path), "Download it again.") from error
    return [PurePosixPath(line.strip()) for line in lines if line.strip()]
