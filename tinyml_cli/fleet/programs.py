"""Releases on a gateway's disk, and their firmware on this computer: what virtual devices are made of.

Virtual devices of a gateway take turns on one process of each release. Every turn begins with a reset of the
firmware, which forgets all that it heard, so the answers are those that a process for each device would give.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.build.build import build
from tinyml_cli.build.target import build_target
from tinyml_cli.engines.export import export
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.parity import run_inputs
from tinyml_cli.files import write_atomic
from tinyml_cli.fleet import releases
from tinyml_cli.fleet.members import HeldRelease
from tinyml_cli.fleet.messages import FleetRelease
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Event
from tinyml_cli.link.virtual import VirtualDevice
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import Run
from tinyml_cli.updates import image

BOARD = "native"
_DOCUMENT = "release.json"
_UPDATE = "update.bin"
_MOST_OPEN = 4


@dataclass
class OpenFirmware:
    """A release's firmware, started.

    Attributes:
        passed: whether it passed the release's self-test.
    """

    manifest: Manifest
    link: Link
    stack: contextlib.ExitStack
    passed: bool

    def play(self, audio: NDArray[np.int16]) -> list[Event]:
        """What it says while it hears int16 [samples], from a reset on."""
        self.link.take_events()
        self.link.reset()
        self.link.stream_pcm(audio)
        return self.link.take_events()


class Programs:
    """The releases of a gateway.

    Args:
        folder: where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, OpenFirmware] = {}

    def held(self, id: str) -> HeldRelease | None:
        """A release that is here, whole."""
        folder = self._folder / id
        try:
            document = FleetRelease.model_validate_json((folder / _DOCUMENT).read_bytes())
        except (OSError, ValueError):
            return None
        update = folder / _UPDATE
        return HeldRelease(document, folder / "run", update if update.is_file() else None)

    def update_number(self, id: str) -> int:
        """Of the signed update of a release that is here; 0: there is none."""
        path = self._folder / id / _UPDATE
        try:
            return image.read_header(path.read_bytes(), str(path)).release
        except (OSError, TinymlError):
            return 0

    def keep_update(self, id: str, update: bytes) -> None:
        """Keeps the signed update of a release, where it is newer than the one that is here.

        Raises:
            TinymlError: it is damaged.
        """
        if image.read_header(update, id).release > self.update_number(id):
            folder = self._folder / id
            folder.mkdir(parents=True, exist_ok=True)
            write_atomic(folder / _UPDATE, update)

    def keep(self, document: FleetRelease, package: bytes) -> HeldRelease:
        """Unpacks a release; a killed call leaves none.

        Raises:
            TinymlError: the package is another one.
        """
        folder = self._folder / document.id
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "run").is_dir():
            releases.unpacked(document, package, folder / "run")
        write_atomic(folder / _DOCUMENT, document.encoded())
        return HeldRelease(document, folder / "run")

    def program(self, release: HeldRelease) -> OpenFirmware:
        """The release's firmware; built and started where it is not.

        Raises:
            TinymlError: it cannot be built, or does not start.
        """
        id = release.document.id
        if (found := self._open.pop(id, None)) is None:
            found = _started(release)
        self._open[id] = found  # the last used one last
        while len(self._open) > _MOST_OPEN:
            self._open.pop(next(iter(self._open))).stack.close()
        return found

    def forget(self, release: HeldRelease) -> None:
        """Ends its process, which is started anew when it is asked for."""
        if found := self._open.pop(release.document.id, None):
            found.stack.close()

    def close(self) -> None:
        """Ends all processes."""
        for each in self._open.values():
            each.stack.close()
        self._open.clear()


def _started(release: HeldRelease) -> OpenFirmware:
    run = Run(release.folder)
    target = build_target(BOARD, "aot")
    export(run, "aot")
    elf = Path(build(run, target).elf)
    with contextlib.ExitStack() as stack:
        device = stack.enter_context(VirtualDevice(BOARD, elf))
        link = stack.enter_context(Link(device.url))
        ready = link.wait_ready()
        if not ready.model or not release.document.model_sha256.startswith(ready.model):
            raise TinymlError("The firmware runs another model than the release's", release.document.name, "")
        passed = _self_test(release, run, link)
        link.trace("scores", "features", "status")
        return OpenFirmware(run.manifest(), link, stack.pop_all(), passed)
    raise AssertionError


def _self_test(release: HeldRelease, run: Run, link: Link) -> bool:
    """Whether the firmware answers the release's inputs with the outputs that the server computed."""
    test = release.document.self_test
    if not test.inputs:
        return True
    inputs = releases.self_test_inputs(release.document, releases.input_shape(run))
    return releases.outputs_sha256(run_inputs(link, inputs).outputs) == test.outputs_sha256
