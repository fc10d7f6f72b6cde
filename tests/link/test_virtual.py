"""Virtual boards start, speak, report a crash, and never outlive us."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.processes import running
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.link import Link
from tinyml_cli.link.virtual import VirtualDevice, qemu_command

Double = Callable[..., Path]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A killed process stays a zombie until its parent, perhaps a lazy init, collects it.
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.is_file() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


def _ends(pid: int, within_s: float = 5.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not _is_alive(pid):
            return True
        time.sleep(0.02)
    return False


def _children(pid: int) -> list[int]:
    return [process.pid for process in running() if process.parent == pid]


def test_native_boots_and_ends_with_the_block(native_double: Double) -> None:
    with VirtualDevice("native", native_double()) as device, Link(device.url) as link:
        assert link.wait_ready().board == "reference"
        link.feed_pcm(np.full(320, 8000, np.int16))
        assert "detection" in [event.event for event in link.take_events()]
        pid = device.pid
        assert _is_alive(pid)
    assert _ends(pid)


def test_native_crash_reports_what_the_device_said(native_double: Double) -> None:
    program = native_double()
    program.write_text("#!/bin/sh\necho AddressSanitizer: stack-overflow >&2\nexit 7\n")
    with (
        pytest.raises(TinymlError, match="exited with code 7: AddressSanitizer: stack-overflow") as caught,
        VirtualDevice("native", program) as device,
        Link(device.url) as link,
    ):
        link.wait_ready()
    assert "tinyml build --board native" in caught.value.next_step


def test_a_file_that_is_no_program_is_an_error(tmp_path: Path) -> None:
    program = tmp_path / "firmware.elf"
    program.write_bytes(b"\x7fELF nonsense")
    program.chmod(0o755)
    with (
        pytest.raises(TinymlError, match="exited with code"),
        VirtualDevice("native", program) as device,
        Link(device.url) as link,
    ):
        link.wait_ready()


def test_missing_firmware_names_the_build_command(tmp_path: Path) -> None:
    with (
        pytest.raises(TinymlError, match="No firmware") as caught,
        VirtualDevice("native", tmp_path / "no.elf"),
    ):
        pass
    assert caught.value.next_step == "Build it: tinyml build --board native"


def test_missing_qemu_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elf = tmp_path / "firmware.elf"
    elf.write_bytes(b"")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TinymlError, match=r"qemu-system-arm.*missing") as caught, VirtualDevice("sim", elf):
        pass
    assert "apt-get install qemu-system-arm" in caught.value.next_step


def test_sim_boots_speaks_and_ends_with_the_block(banner_elf: Path) -> None:
    with VirtualDevice("sim", banner_elf) as device, Link(device.url) as link:
        assert link.wait_ready().app == "echo"
        (qemu,) = _children(device.pid)
        assert _is_alive(qemu)
    assert _ends(qemu)


def test_sim_crash_shows_what_qemu_said(banner_elf: Path) -> None:
    with (
        pytest.raises(TinymlError, match="Lockup"),
        VirtualDevice("sim", banner_elf) as device,
        Link(device.url) as link,
    ):
        link.wait_ready()
        link._write(b"!")
        list(link.events(10.0))


def test_sim_ends_when_the_host_hangs_up(banner_elf: Path) -> None:
    with VirtualDevice("sim", banner_elf) as device:
        with Link(device.url) as link:
            link.wait_ready()
            (qemu,) = _children(device.pid)
        assert _ends(qemu)


@pytest.mark.parametrize("bytes_before", [b"", b"?"], ids=["listening", "hanging"])
def test_sim_that_hangs_ends_with_the_block(banner_elf: Path, bytes_before: bytes) -> None:
    with VirtualDevice("sim", banner_elf) as device, Link(device.url) as link:
        link.wait_ready()
        link._write(bytes_before)
        (qemu,) = _children(device.pid)
    assert _ends(qemu)


def test_a_device_that_nobody_opened_ends_with_the_block(banner_elf: Path) -> None:
    with VirtualDevice("sim", banner_elf) as device:
        (qemu,) = _children(device.pid)
        assert _is_alive(qemu)
    assert _ends(qemu)


def test_sim_takes_a_flood_of_bytes_whole(banner_elf: Path) -> None:
    sent = bytes(byte for byte in range(256) if chr(byte) not in "!?\r\n") * 2000
    echoed = bytearray()
    with VirtualDevice("sim", banner_elf) as device:
        host, port = device.url.removeprefix("socket://").split(":")
        with socket.create_connection((host, int(port)), timeout=10.0) as connection:
            while not echoed.endswith(b"\n"):
                echoed += connection.recv(4096)
            echoed.clear()
            writer = threading.Thread(target=connection.sendall, args=(sent,))
            writer.start()
            while len(echoed) < len(sent):
                echoed += connection.recv(65536)
            writer.join()
    assert bytes(echoed) == sent


def test_qemu_is_asked_for_a_cortex_m4_with_repeatable_time() -> None:
    command = " ".join(qemu_command(Path("a.elf")))
    assert command.startswith("qemu-system-arm -M mps2-an386 -cpu cortex-m4 -icount shift=0 ")


KILLED_PARENT = """
import sys, time
from pathlib import Path
from tinyml_cli.link.link import Link
from tinyml_cli.link.virtual import VirtualDevice
with VirtualDevice(sys.argv[1], Path(sys.argv[2])) as device, Link(device.url) as link:
    link.wait_ready()
    link._write(sys.argv[3].encode())
    print(device.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a POSIX signal")
@pytest.mark.parametrize(("board", "first"), [("native", ""), ("sim", ""), ("sim", "?")])
@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT"])
def test_device_ends_when_its_parent_is_killed(
    board: str, first: str, how: str, request: pytest.FixtureRequest, native_double: Double
) -> None:
    elf = request.getfixturevalue("banner_elf") if board == "sim" else native_double()
    parent = subprocess.Popen(
        [sys.executable, "-c", KILLED_PARENT, board, str(elf), first],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert parent.stdout
    pid = int(parent.stdout.readline())
    family = [pid, *_children(pid)]
    parent.send_signal(signal.Signals[how])
    parent.communicate()
    assert all(_ends(member) for member in family)
