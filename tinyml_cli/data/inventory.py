"""Accounts for every file of a data folder: it is used, or left out with a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyml_cli import locks
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.wording import counted

_EXAMPLES, _REASONS = 3, 3
SYSTEM_NAMES = {"thumbs.db", "desktop.ini", "icon\r"}
_TEXTS = ("readme", "license", "licence", "copying", "notice", "validation_list", "testing_list")
_TEXT_SUFFIXES = (".md", ".txt", ".csv", ".json", ".labels", ".yaml", ".yml", "")
# Reasons that need no warning: nobody expects these files to be data.
OF_THE_SYSTEM, OF_THE_DATA_SET = "a hidden or system file", "a text about the dataset"
TRAINED_ON = "the model was trained on it"
NOT_NEEDED = "not needed: its label has enough files"
_QUIET = (OF_THE_SYSTEM, OF_THE_DATA_SET, NOT_NEEDED)


@dataclass(frozen=True)
class LeftOut:
    """A file that is not used, and why."""

    path: Path
    reason: str


def left_out(
    root: Path,
    used: Iterable[Path],
    noun: str,
    suffixes: Collection[str],
    why: Callable[[Path], str] = lambda path: "",
) -> list[LeftOut]:
    """Every file below a folder that is not used.

    Args:
        root: the data folder, or one file.
        used: files that are used, below `root`.
        noun: what they are, such as "sound".
        suffixes: of such files.
        why: the reason for a file with such a suffix; "" for the reason that its place gives.

    Returns:
        Sorted by path; paths are those of `used`, not relative.
    """
    if root.is_file():
        return []
    taken = set(used)
    within = {folder for path in taken for folder in path.parents}
    others = (path for path in _entries(root, within, {root.resolve()}) if path not in taken)
    return [LeftOut(path, _reason(root, path, noun, suffixes, why)) for path in others]


def _entries(folder: Path, within: Collection[Path], above: Collection[Path]) -> Iterator[Path]:
    """Files, and links that lead to none or to a folder that holds no used file."""
    for path in sorted(folder.iterdir()):
        if path.is_dir() and (path in within or not path.is_symlink()):
            if path.resolve() not in above:
                yield from _entries(path, within, {*above, path.resolve()})
        elif path.name not in locks.NAMES and (path.is_file() or path.is_symlink()):
            yield path


def check_any_left(found: Sequence[object], refused: Mapping[Path, TinymlError] | None) -> None:
    """Raises the first refusal if single files were refused and none is left."""
    if refused and not found:
        raise next(iter(refused.values()))


def is_text(path: Path) -> bool:
    """Whether a file describes the data by its name."""
    return path.name.lower().startswith(_TEXTS)


def counts(files: Iterable[LeftOut]) -> dict[str, int]:
    """Reason -> number of files, the most frequent first: `left_out` in --json."""
    return dict(Counter(entry.reason for entry in files).most_common())


def sentences(files: Sequence[LeftOut], quiet: bool = False) -> list[str]:
    """A sentence for each reason: "3 files left out: ends too early (a.jpg, …)".

    Args:
        files: what is left out.
        quiet: name system files and texts too.
    """
    by_reason: dict[str, list[str]] = {}
    for entry in files:
        if quiet or entry.reason not in _QUIET:
            by_reason.setdefault(entry.reason.split(" (")[0], []).append(entry.path.name)
    ordered = sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0]))
    return [
        f"{counted(len(names), 'file')} skipped: {reason} "
        f"({', '.join(names[:_EXAMPLES])}{', …' if len(names) > _EXAMPLES else ''})"
        for reason, names in ordered
    ]


def tell(files: Sequence[LeftOut]) -> list[str]:
    """Warns of what is left out; returns the sentences, for notes in the manifest."""
    said = sentences(files)
    for sentence in said:
        console.warn(sentence)
    return said


def explained(files: Sequence[LeftOut], quiet: bool = True) -> str:
    """What follows "0 clips" in a message: "; 12 files left out: … (a.m4a, …)"; empty if none were."""
    said = sentences(files, quiet)
    if len(said) > _REASONS:
        said = [*said[:_REASONS], f"{counted(len(said) - _REASONS, 'more reason')} (tinyml data check)"]
    return f"; {'; '.join(said)}" if said else ""


def _reason(root: Path, path: Path, noun: str, suffixes: Collection[str], why: Callable[[Path], str]) -> str:
    parts = path.relative_to(root).parts
    name, suffix = path.name.lower(), path.suffix.lower()
    if path.is_symlink() and not path.is_file():
        return "a link to a folder, which is not followed" if path.is_dir() else "a broken link"
    if any(part.startswith((".", "__MACOSX")) for part in parts) or name in SYSTEM_NAMES:
        return OF_THE_SYSTEM
    if suffix in suffixes:
        return why(path) or f"it is not where a {noun} is expected"
    if is_text(path) or (len(parts) == 1 and suffix in _TEXT_SUFFIXES):
        return OF_THE_DATA_SET
    return f"`{path.suffix}` is not a supported {noun} format" if suffix else "a file without an extension"
