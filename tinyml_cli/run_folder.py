"""The folder of a run: made, locked, renamed, removed; and which run is the latest."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from tinyml_cli import locks, temporary, undo
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import make_folder, runs_dir, write_atomic, writing_folder
from tinyml_cli.next_step import work_on

RECIPE = "recipe.yaml"
MANIFEST = "manifest.json"
CHECKPOINT = "logs/checkpoint"
TRAINED_BY = "logs/recipe.yaml"
"""The recipe of the training whose checkpoint lies beside; RECIPE is that of the model."""
VARIANTS = "variants"
LATEST = "latest"


def content_of(path: Path) -> set[str]:
    """Names of what lies in a folder, without those of its lock."""
    return {entry.name for entry in path.iterdir()} - set(locks.NAMES)


class RunFolder:
    """One run directory as a folder that one process at a time writes to; `Run` knows what is in it.

    Attributes:
        path: the directory.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    @classmethod
    def at(cls, path: Path) -> Self:
        """The run that is to be made in a folder, or continued there; nothing is written yet.

        Raises:
            TinymlError: the path is a file, a folder of something else, or a place that cannot be written.
        """
        try:
            if path.is_file():
                raise TinymlError("The run directory is a file", str(path), "Choose another with --run.")
            there = content_of(path) if path.is_dir() else set()
            existing = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
        except OSError as error:
            raise _cannot_make(path, error.strerror) from error
        if there and not there & {RECIPE, MANIFEST}:
            raise TinymlError(
                "The folder is not a run and not empty; nothing was written",
                str(path),
                "Choose an empty or new folder with --run.",
            )
        if not existing.is_dir() or not os.access(existing, os.W_OK):
            raise _cannot_make(path, os.strerror(errno.EACCES if existing.is_dir() else errno.ENOTDIR))
        work_on(path)
        return cls(path)

    @classmethod
    def create(cls, path: Path) -> Self:
        """Makes an empty run directory; an existing one is continued.

        Raises:
            TinymlError: see `at`.
        """
        run = cls.at(path)
        make_folder(run.path)
        return run

    def check_writable(self) -> None:
        """Asked before long work, and before the folder is moved: a second writer is refused at once.

        Raises:
            TinymlError: as in `writing`.
        """
        with self.writing():
            pass

    def file(self, name: str) -> Path:
        """The path of an artifact, there or not."""
        return self.path / name

    @property
    def root(self) -> Path:
        """The run that a variant belongs to, one that is still being made too; else the run's own folder."""
        for folder in self.path.resolve().parents:
            if folder.name == VARIANTS and (folder.parent / MANIFEST).is_file():
                return folder.parent
        return self.path

    @contextlib.contextmanager
    def writing(self, wait: bool = False) -> Iterator[None]:
        """Holds the lock of the run, its variants included, while a stage writes to it.

        A folder that is not there yet is made, and removed again if it stays empty.

        Args:
            wait: for another process that writes to it, instead of being refused.

        Raises:
            TinymlError: another process writes to it; it cannot be written, or was removed meanwhile.
        """
        with writing_folder(self.path, "run", wait, self.root):
            yield

    @contextlib.contextmanager
    def writing_to(self, path: Path) -> Iterator[None]:
        """Holds the lock of the run where a file or folder lies in it, which is still to be written.

        Raises:
            TinymlError: as in `writing`.
        """
        lies_inside = path.resolve().is_relative_to(self.root.resolve())
        with self.writing() if lies_inside else contextlib.nullcontext():
            yield

    @contextlib.contextmanager
    def making(self, wait: bool = False, latest: bool = True) -> Iterator[None]:
        """Holds the lock while the run is made; then `latest` leads to it.

        When the block fails, what was not there before is removed again, except a training's checkpoint
        and what lies beside it.

        Args:
            wait: as in `writing`.
            latest: False for runs that are parts of something else.

        Raises:
            TinymlError: as in `writing`.
        """
        with self.writing(wait):
            before = {entry.name for entry in self.path.iterdir()}
            with undo.if_it_fails(functools.partial(self._remove_all_but, before)):
                yield
            locks.check_present(self.path)
            if latest:
                self.make_latest()

    def _remove_all_but(self, names: set[str]) -> None:
        """Removes what a failed command made, unless a training saved an epoch that can be gone on from."""
        if (self.file(CHECKPOINT) / "state.json").is_file():
            return
        with contextlib.suppress(TinymlError, OSError):
            locks.check_present(self.path)
            for entry in list(self.path.iterdir()):
                if entry.name in names or entry.name in locks.NAMES:
                    continue
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    entry.unlink(missing_ok=True)

    def make_latest(self) -> None:
        """Makes `latest` lead to a run of the runs folder: by a link where there are some, else a text file.

        Of a run elsewhere nothing would ever read it.
        """
        link = self.path.absolute().parent / LATEST
        if link.parent.resolve() != runs_dir().resolve():
            return
        if self.path.name == LATEST or (link.is_dir() and not link.is_symlink()):
            return
        new = temporary.unused(link.parent)
        with contextlib.suppress(OSError, TinymlError):
            try:
                new.symlink_to(self.path.name, target_is_directory=True)
                new.replace(link)
            except OSError:
                write_atomic(link, self.path.name + "\n")

    def remove(self) -> None:
        """Removes the run, and `latest` beside it where that leads to it.

        Raises:
            TinymlError: another process writes to it; it cannot be removed.
        """
        was_latest = self.is_latest
        self.check_writable()
        away = temporary.unused(self.path.absolute().parent)
        try:
            self.path.rename(away)
            if was_latest:
                (away.parent / LATEST).unlink(missing_ok=True)
            shutil.rmtree(away)
        except OSError as error:
            raise TinymlError(
                f"Cannot remove the run: {error.strerror}", str(self.path), "Check its permissions."
            ) from error

    def rename(self, name: str) -> Self:
        """Gives the run another name in its folder; `latest` beside it goes with it.

        Raises:
            TinymlError: the name is taken; another process writes to the run; it cannot be renamed.
        """
        target = self.path.with_name(name)
        if target.exists() or target.is_symlink():
            raise TinymlError("A run of that name already exists", str(target), "Choose another name.")
        was_latest = self.is_latest
        self.check_writable()
        try:
            self.path.rename(target)
        except OSError as error:
            raise TinymlError(
                f"Cannot rename the run: {error.strerror}", str(self.path), "Check its permissions."
            ) from error
        renamed = type(self)(target)
        if was_latest:
            renamed.make_latest()
        return renamed

    @property
    def is_latest(self) -> bool:
        """Whether `latest` beside the run leads to it."""
        target = latest_path(self.path.absolute().parent)
        return target is not None and target.resolve() == self.path.resolve()


def _cannot_make(path: Path, why: str | None) -> TinymlError:
    return TinymlError(f"Cannot create the run directory: {why}", str(path), "Choose another with --run.")


def latest_path(folder: Path | None = None) -> Path | None:
    """Where `latest` in a folder of runs (the runs folder by default) leads to, if anywhere."""
    folder = runs_dir() if folder is None else folder
    link = folder / LATEST
    with contextlib.suppress(OSError, ValueError):
        if link.is_file():
            return folder / link.read_text(encoding="utf-8").strip()
        if link.is_dir():
            return link.resolve()
    return None
