"""Runs as pages name them: below the runs folder, and nowhere else."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli.errors import TinymlError
from tinyml_cli.files import runs_dir
from tinyml_cli.http_api.refusals import NotThereError
from tinyml_cli.run import Run
from tinyml_cli.run_folder import LATEST
from tinyml_cli.studio.studio import Studio


def runs_below(studio: Studio) -> str:
    """The runs folder as pages name it.

    Raises:
        TinymlError: it lies outside of the studio's folder.
    """
    folder = runs_dir().absolute()
    if not folder.is_relative_to(studio.root):
        raise TinymlError(
            "The runs folder lies outside of the studio's folder",
            str(folder),
            "Start the studio where TINYML_RUNS lies, or without it.",
        )
    return studio.named(folder)


def run_path(studio: Studio, name: str) -> Path:
    """Where a run of this name lies, or would lie."""
    return studio.inside(f"{runs_below(studio)}/{name}")


def existing_run(studio: Studio, name: str) -> Run:
    """The run of a name.

    Raises:
        NotThereError: there is none.
    """
    path = run_path(studio, name)
    if name == LATEST or not path.is_dir() or path == runs_dir().absolute():
        raise NotThereError(
            f"There is no run `{name[:80]}`", "run", "Reload the page: it may have been renamed."
        )
    return Run(path)


def unused_name(studio: Studio, wanted: str) -> str:
    """A name that no run has: the wanted one, or with a number behind it."""
    names = (wanted if n == 1 else f"{wanted}-{n}" for n in range(1, 10_000))
    return next(name for name in names if not run_path(studio, name).exists())
