"""The label and speaker of another tool's recording, from its file name or the tool's own list.

* The course's Open Speech Recording: `Word_SESSION_ID.ogg`; later copies write `word_ID.ogg`.
* Edge Impulse: `label.ID.wav`, or a list `info.labels` in the "Exporter acquisition format".
* A folder per word, as Speech Commands has it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyml_cli.data.speakers import has_speaker, speaker_id, speaker_of
from tinyml_cli.documents import load_json
from tinyml_cli.errors import TinymlError

LISTS = ("info.labels",)

_RECORDING_TOOL = re.compile(r"^(?P<word>[^_]+)_(?:(?P<session>[0-9a-f]{32})_)?(?P<id>[^_]+)$")


@dataclass(frozen=True)
class Origin:
    """What is known of a file.

    Attributes:
        label: what is said or done; empty where nobody knows.
        speaker: as it stands in file names; empty where nobody knows.
        skip: why the file cannot be used; empty where it can.
    """

    label: str = ""
    speaker: str = ""
    skip: str = ""


class Labels:
    """The labels of a folder: its lists are read once, all else follows from names.

    Args:
        root: the folder.

    Raises:
        TinymlError: a list that cannot be read.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._listed: dict[Path, Origin] = {}
        for path in sorted(p for name in LISTS for p in root.rglob(name)):
            self._listed.update(_read_list(path))

    def of(self, path: Path) -> Origin:
        """What is known of a file in the folder."""
        if self._listed:
            return self._listed.get(path.resolve(), Origin(skip=f"{LISTS[0]} does not name it"))
        stem = path.stem
        if has_speaker(path) and path.parent != self._root:
            return Origin(path.parent.name, speaker_id(speaker_of(path)))
        if path.suffix.lower() == ".ogg" and (match := _RECORDING_TOOL.match(stem)):
            return Origin(match["word"].strip().lower(), match["session"] or "")
        if "." in stem and not stem.startswith("."):
            return Origin(path.name.partition(".")[0].strip())
        if path.parent != self._root:
            return Origin(path.parent.name)
        return Origin(skip="neither its name nor its folder gives a label")


def _read_list(path: Path) -> dict[Path, Origin]:
    try:
        document = load_json(path)
        files = document["files"]
        return {(path.parent / str(entry["path"])).resolve(): _entry(entry) for entry in files}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TinymlError(
            f"Cannot read the list of labels ({type(error).__name__}: {error})",
            str(path),
            "Export the data again from Edge Impulse.",
        ) from error


def _entry(entry: dict[str, Any]) -> Origin:
    label = entry.get("label") or {}
    kind = label.get("type", "unlabeled")
    if kind == "multi-label":
        return Origin(skip="it has several labels; split it into one file per label")
    if kind != "label" or not str(label.get("label", "")).strip():
        return Origin(skip="it has no label")
    speaker = str((entry.get("metadata") or {}).get("speaker", ""))
    return Origin(str(label["label"]).strip(), speaker_id(speaker, "info.labels") if speaker.strip() else "")
