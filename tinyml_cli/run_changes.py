"""Removing and renaming runs of the runs folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tinyml_cli import checks
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import folder_bytes
from tinyml_cli.outcomes.housekeeping import RunRenamed, RunsRemoved
from tinyml_cli.run import MANIFEST, RECIPE, Run, runs_dir
from tinyml_cli.run_folder import LATEST, content_of, latest_path
from tinyml_cli.run_list import age_of, name_of, size_text, usable

_NAME = re.compile(r"\w[\w .+-]{0,99}(?<![ .])")


def find(given: str) -> Run:
    """A run in the runs folder by name or path, for commands that change the folder itself.

    Raises:
        TinymlError: there is no such run, it lies outside the runs folder, or is a link or no run.
    """
    folder = runs_dir().resolve()
    path = next((p for p in (runs_dir() / given, Path(given)) if p.is_symlink() or p.exists()), None)
    if path is None:
        Run.open(given)  # says which there are
        raise TinymlError(f"No run `{given}`", str(runs_dir()), "List them: tinyml runs")
    if path.name == LATEST and path.parent.resolve() == folder:
        path = latest_path() or path
    if path.is_symlink():
        raise TinymlError("This is a link, not a run", str(path), "Name the run it points to.")
    real = path.resolve()
    if folder not in real.parents:
        raise TinymlError(
            "This is not in the runs folder",
            str(path),
            f"Only runs in {folder} can be renamed or removed.",
        )
    there = content_of(real) if real.is_dir() else {"a file"}
    if there and not there & {RECIPE, MANIFEST}:
        raise TinymlError("This is not a run", str(path), "Delete it by hand if you do not need it.")
    return Run(folder / real.relative_to(folder))


def remove(names: Sequence[str], yes: bool) -> RunsRemoved:
    """Removes runs, after a question unless `yes`; `latest` then leads to the newest that is left.

    Raises:
        TinymlError: see `find`; a run that another process writes to; nobody to ask.
    """
    runs = list({run.path: run for run in map(find, names)}.values())
    size = sum(folder_bytes(run.path) for run in runs)
    listed = [name_of(run) for run in runs]
    if not yes and not console.ask(f"Remove {', '.join(listed)} ({size_text(size)})?"):
        return RunsRemoved(removed=[], bytes=0, latest=_latest_name())
    for run in runs:
        was_latest = run.is_latest
        run.remove()
        if was_latest:
            _mend_latest(run.path.parent)
    return RunsRemoved(removed=listed, bytes=size, latest=_latest_name())


def rename(old: str, new: str) -> RunRenamed:
    """Gives a run another name; `latest` goes with it.

    Raises:
        TinymlError: see `find`; a name that is taken or not usable; a run that another process writes to.
    """
    run = find(old)
    if not _NAME.fullmatch(new) or new == LATEST:
        raise TinymlError(
            f"`{new}` is not a valid run name",
            "NEW",
            "Use letters, digits, spaces, dots, hyphens and underscores, at most 100 characters.",
        )
    checks.file_name(new, "NEW", "run name")
    before = name_of(run)
    after = name_of(run.rename(new))
    return RunRenamed(renamed=before, run=after, latest=_latest_name())


def _latest_name() -> str | None:
    path = latest_path()
    return None if path is None or not path.is_dir() else name_of(Run(path))


def _mend_latest(folder: Path) -> None:
    """Has `latest` lead to the newest run of use that is left in the folder."""
    paths = (manifest.parent for manifest in folder.glob(f"*/{MANIFEST}"))
    left = [run for run in map(Run, paths) if not run.path.is_symlink() and usable(run)]
    if left:
        min(left, key=age_of).make_latest()
