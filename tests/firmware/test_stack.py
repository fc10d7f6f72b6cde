"""How much stack each application uses: it lies at the bottom of the virtual RAM, which starts as zeros."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile

from tests.firmware.board_tools import require_tools
from tests.firmware.fed_applications import APPLICATIONS
from tinyml_cli.console import console
from tinyml_cli.link.link import Link
from tinyml_cli.link.virtual import VirtualDevice

Feed = Callable[[Link], None]


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


@pytest.mark.nightly
@pytest.mark.parametrize("name", APPLICATIONS)
def test_no_application_uses_more_than_is_said(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    require_tools("sim")
    console.quiet = True
    application = APPLICATIONS[name]
    elf = Path(application.build(application.make(tmp_path, request), "sim", "aot").elf)
    used = used_bytes(elf, application.feed, tmp_path)
    print(f"\n{name}: {used} B of stack")
    assert 200 < used <= application.most_stack_bytes
