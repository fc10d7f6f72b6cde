"""What all parts of a running studio share."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tinyml_cli.files import writing_folder
from tinyml_cli.http_api import places
from tinyml_cli.studio.access import Access
from tinyml_cli.studio.feed import Feed
from tinyml_cli.studio.history import ChangeHistory
from tinyml_cli.studio.jobs import Jobs


@dataclass
class Studio:
    """A running studio.

    Attributes:
        root: the folder that it shows, absolute and without links; also the current folder.
        access: who may use it.
        feed: what open pages are told.
        writing: held while data are changed, so that one change follows another.
        phone_origin: the address under which phones reach it; empty unless it is shared.
        fingerprint: SHA-256 of the certificate that phones are shown.
    """

    root: Path
    access: Access = field(default_factory=Access)
    feed: Feed = field(default_factory=Feed)
    writing: threading.RLock = field(default_factory=threading.RLock)
    phone_origin: str = ""
    fingerprint: str = ""

    def __post_init__(self) -> None:
        self.root = self.root.resolve()
        self.jobs = Jobs(self.root, self.feed)
        self.history = ChangeHistory(self.root)

    @contextlib.contextmanager
    def changing(self, folder: Path) -> Iterator[Path]:
        """Holds the lock of a data folder while it is changed, and then tells all pages.

        Raises:
            TinymlError: another process writes to it.
        """
        with self.writing:
            with writing_folder(folder):
                yield folder
            self.feed.publish("data", folder=folder.name)

    def inside(self, text: str) -> Path:
        """See places.inside."""
        return places.inside(self.root, text)

    def checked(self, path: Path) -> Path:
        """A path below the root that nothing leads out of it: no link on the way either.

        Raises:
            TinymlError: one does.
        """
        return self.inside(self.named(path))

    def existing(self, text: str) -> Path:
        """See places.existing."""
        return places.existing(self.root, text)

    def named(self, path: Path) -> str:
        """A path below the root as pages name it."""
        return path.relative_to(self.root).as_posix()
