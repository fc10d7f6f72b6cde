"""The Git repository around a folder, read without Git."""

from __future__ import annotations

from pathlib import Path


def commit_of(place: Path) -> str | None:
    """The commit of the Git repository around a folder; None outside of one. Reads files alone."""
    for folder in (place.absolute(), *place.absolute().parents):
        git = folder / ".git"
        if not git.exists():
            continue
        try:
            if git.is_file():  # a work tree
                git = folder / git.read_text(encoding="utf-8").removeprefix("gitdir:").strip()
            return _head(git)
        except OSError:
            return None
    return None


def _head(git: Path) -> str | None:
    head = (git / "HEAD").read_text(encoding="utf-8").strip()
    if not head.startswith("ref: "):
        return head
    name = head.removeprefix("ref: ")
    common = git / "commondir"
    roots = [git, *([(git / common.read_text(encoding="utf-8").strip())] if common.is_file() else [])]
    for root in roots:
        if (root / name).is_file():
            return (root / name).read_text(encoding="utf-8").strip()
        packed = root / "packed-refs"
        lines = packed.read_text(encoding="utf-8").splitlines() if packed.is_file() else []
        for line in lines:
            if line.endswith(f" {name}"):
                return line.partition(" ")[0]
    return None
