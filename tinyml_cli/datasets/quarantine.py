"""Moves files out of a data folder so that every move can be undone.

The folder `NAME-quarantine` is next to the data folder. Its log `moved.jsonl` has one line per move, written
before the file moves: whenever the program is killed, the log lists at least the files that were moved.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from tinyml_cli import interrupt
from tinyml_cli.documents import parse_json
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import sha256_file, write_atomic, writing_folder
from tinyml_cli.next_step import next_step
from tinyml_cli.outcomes.data import Restored
from tinyml_cli.wording import counted

LOG = "moved.jsonl"


def quarantine_of(root: Path) -> Path:
    """Where the files of a data folder go."""
    root = root.resolve()
    return root.with_name(f"{root.name}-quarantine")


def move_away(root: Path, files: Mapping[Path, str]) -> int:
    """Moves files to the same relative place in the quarantine; returns how many.

    Args:
        root: the data folder.
        files: path relative to `root` -> why.

    Raises:
        TinymlError: the quarantine cannot be written.
    """
    if not files:
        return 0
    quarantine, moved = quarantine_of(root), 0

    def stopped() -> TinymlError:
        how = f"after moving {moved} of {counted(len(files), 'file')} to {quarantine}"
        rest, back = interrupt.same_command(), next_step("data", "check", root, "--undo")
        return interrupt.stopped(how, "", f"To move the rest: {rest}. To move them back: {back}")

    try:
        quarantine.mkdir(exist_ok=True)
        with interrupt.account(stopped), (quarantine / LOG).open("a", encoding="utf-8", newline="\n") as log:
            for path, reason in files.items():
                target = _free(quarantine / path)
                entry = {
                    "file": path.as_posix(),
                    "moved_to": target.relative_to(quarantine).as_posix(),
                    "reason": reason,
                    "sha256": sha256_file(root / path),
                }
                log.write(json.dumps(entry, ensure_ascii=False) + "\n")
                log.flush()
                os.fsync(log.fileno())
                target.parent.mkdir(parents=True, exist_ok=True)
                (root / path).rename(target)
                moved += 1
    except OSError as error:
        raise TinymlError(
            f"Cannot move files: {error.strerror or error}", str(quarantine), "Make the folder writable."
        ) from error
    return len(files)


def undo(root: Path) -> Restored:
    """Puts every file back whose place is not taken now.

    Raises:
        TinymlError: nothing was moved, the log is damaged, or another process writes to the folder.
    """
    with writing_folder(root):
        return _undo(root)


def _undo(root: Path) -> Restored:
    quarantine = quarantine_of(root)
    log = quarantine / LOG
    if not log.is_file():
        raise TinymlError("No files were moved out of this folder", str(root), "There is nothing to undo.")
    restored, kept = 0, []
    for line, entry in _entries(log):
        source, target = quarantine / entry["moved_to"], root / entry["file"]
        if not source.is_file():
            continue
        if target.exists():
            kept.append(line)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
        restored += 1
    if kept:
        write_atomic(log, "".join(f"{line}\n" for line in kept))
    else:
        log.unlink()
    _remove_empty_folders(quarantine)
    stay = [parse_json(line)["file"] for line in kept]
    return Restored(folder=str(root), restored=restored, kept=stay)


def _entries(log: Path) -> Iterator[tuple[str, dict[str, str]]]:
    for number, line in enumerate(log.read_text(encoding="utf-8").splitlines(), 1):
        try:
            entry = parse_json(line)
            paths = [Path(entry["file"]), Path(entry["moved_to"])]
        except (ValueError, KeyError, TypeError) as error:
            raise _damaged(log, number) from error
        if any(path.is_absolute() or ".." in path.parts for path in paths):
            raise _damaged(log, number)
        yield line, entry


def _damaged(log: Path, number: int) -> TinymlError:
    return TinymlError(
        f"Line {number} of the log is damaged",
        str(log),
        "Fix or remove the line; the files are next to the log under their old names.",
    )


def _free(path: Path) -> Path:
    """`path`, or the same with a number when an earlier file of that name lies there."""
    number, candidate = 1, path
    while candidate.exists():
        candidate = path.with_name(f"{path.stem}.{number}{path.suffix}")
        number += 1
    return candidate


def _remove_empty_folders(quarantine: Path) -> None:
    for folder in sorted((p for p in quarantine.rglob("*") if p.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
    if not any(quarantine.iterdir()):
        quarantine.rmdir()
