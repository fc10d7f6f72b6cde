"""How much stack each application uses: it lies at the bottom of the virtual RAM, which starts as zeros."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile

from tests.build.test_browser import heard, kws, lit, seen, waved
from tests.doubles import looking_run, sine_run
from tests.firmware import random_listener
from tests.firmware.board_tools import require_tools
from tests.tasks.wand import waved_run
from tinyml_cli.build.build import build
from tinyml_cli.build.target import BuildTarget, build_target
from tinyml_cli.console import console
from tinyml_cli.features.gesture_settings import GestureInput
from tinyml_cli.features.image_settings import GateRule
from tinyml_cli.link.link import Link
from tinyml_cli.link.virtual import VirtualDevice
from tinyml_cli.manifest_sections import RecognizerSettings
from tinyml_cli.run import Run

MOST_BYTES = 3072
"""What docs/memory.md says that applications use; the real board's stack is sized by it."""

Feed = Callable[[Link], None]
LISTENS = RecognizerSettings(threshold=0.4, suppression_ms=300, average_window_ms=200, minimum_count=2)


def used_bytes(elf: Path, feed: Feed, folder: Path) -> int:
    """The deepest word of the stack that was written, after `feed` and some requests of every kind."""
    with elf.open("rb") as stream:
        table = ELFFile(stream).get_section_by_name(".symtab")
        bottom, top = (table.get_symbol_by_name(f"_stack_{end}")[0]["st_value"] for end in ("bottom", "top"))
    monitor = folder / "qmp"
    options = ("-qmp", f"unix:{monitor},server=on,wait=off")
    with VirtualDevice("sim", elf, options) as device, Link(device.url) as link:
        ready = link.wait_ready()
        link.trace("scores", "features", "status")
        feed(link)
        if ready.input_bytes:
            link.write_input(np.zeros(ready.input_bytes, np.int8))
            link.run_inference()
        link.info()
        link.reset()
        save(monitor, bottom, top - bottom, folder / "stack.bin", link)
    words = np.fromfile(folder / "stack.bin", "<u4")
    return int(4 * (len(words) - np.flatnonzero(words)[0]))


def save(monitor: Path, address: int, size: int, path: Path, link: Link) -> None:
    """Has the emulator write memory to a file; it listens between two reads of the firmware alone."""
    arguments = {"val": address, "size": size, "filename": str(path)}
    commands = ({"execute": "qmp_capabilities"}, {"execute": "pmemsave", "arguments": arguments})
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(monitor))
        connection.sendall("".join(json.dumps(command) for command in commands).encode())
        for _ in range(500):
            link.info()
            if path.is_file() and path.stat().st_size == size:
                return
    raise AssertionError("the emulator's monitor does not answer")


def application(name: str, folder: Path, request: pytest.FixtureRequest) -> tuple[Run, BuildTarget, Feed]:
    target = build_target("sim")
    if name == "kws":
        return kws(folder, request.getfixturevalue("whistle_run")), target, heard
    if name == "vww":
        return looking_run.make(folder / "run"), target, seen
    if name == "wand":
        return waved_run.make(folder / "run", waved_run.line_model(), GestureInput()), target, waved
    if name == "hello":
        return sine_run.make(folder / "run"), target, lit
    if name == "anomaly":
        from tests.tasks.anomaly import runs

        return runs.train(folder / "run", training__epochs=2), target, waved
    if name == "bench":
        return request.getfixturevalue("firmware_run"), target.bench(), lambda link: None
    first = random_listener.make(folder / "first", ["red", "green"], 5, LISTENS)
    if name == "multi_tenant":
        second = random_listener.make(folder / "second", ["up", "red"], 6, LISTENS)
        return first, build_target("sim", second=second), heard
    looks = looking_run.make(folder / "looks")
    manifest = looks.manifest()
    manifest.gate = GateRule(when="red", hold_ms=1000)
    looks.save(manifest)
    return first, build_target("sim", second=looks), lambda link: (heard(link), seen(link))[0]


@pytest.mark.nightly
@pytest.mark.parametrize(
    "name", ["kws", "vww", "wand", "hello", "anomaly", "bench", "multi_tenant", "cascade"]
)
def test_no_application_uses_more_than_is_said(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    require_tools("sim")
    console.quiet = True
    run, target, feed = application(name, tmp_path, request)
    elf = Path(build(run, target).elf)
    used = used_bytes(elf, feed, tmp_path)
    print(f"\n{name}: {used} B of stack")
    assert 200 < used <= MOST_BYTES
