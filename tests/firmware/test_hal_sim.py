"""The virtual board's own code, run by QEMU: clock, instruction counter, serial link, FPU, fault reports."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.firmware.native import HARNESS, LIBRARIES, REPOSITORY, STRICT
from tinyml_cli.link.virtual import qemu_command

MACHINE = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]
SCRIPT = REPOSITORY / "firmware" / "platforms" / "tinyml-local" / "ldscripts" / "sim.ld"
Ask = Callable[[str, int], list[str]]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for tool in ("arm-none-eabi-gcc", "arm-none-eabi-g++", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool} here")
    folder = tmp_path_factory.mktemp("hal")
    header = '#pragma once\n#define TINYML_HAL_SIM 1\n#define TINYML_BOARD_NAME "sim"\n'
    (folder / "tinyml_build.h").write_text(header)
    hal = LIBRARIES / "hal"
    sources = [HARNESS / "hal_sim.cpp", *sorted(hal.glob("sim/*.cpp")), *hal.glob("virtual/*.cpp")]
    libraries = ["-nodefaultlibs", "-lgcc", "-lc_nano", "-lnosys"]  # linked as C: no libstdc++ is needed
    command = ["arm-none-eabi-g++", *STRICT, *MACHINE, "-O2", "-fno-threadsafe-statics", f"-I{folder}"]
    command += [f"-I{LIBRARIES / 'hal'}", "-nostartfiles"]
    elf = folder / "hal.elf"
    subprocess.run([*command, "-T", SCRIPT, *sources, *libraries, "-o", elf], check=True)
    return elf


@pytest.fixture
def ask(program: Path) -> Ask:
    """Boots the program, types letters and returns the lines it prints after its first."""

    def call(letters: str, n_lines: int) -> list[str]:
        with subprocess.Popen(qemu_command(program), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as qemu:
            assert qemu.stdin is not None and qemu.stdout is not None
            try:
                assert qemu.stdout.readline().strip() == b"0"
                qemu.stdin.write(letters.encode())
                qemu.stdin.flush()
                return [qemu.stdout.readline().decode().strip() for _ in range(n_lines)]
            finally:
                qemu.kill()

    return call


@pytest.mark.timeout(60)
def test_instructions_are_counted_within_two_ticks(ask: Ask) -> None:
    first, second = map(int, ask("cc", 2))
    assert abs(first - 2_000_000) <= 80 + 60  # two ticks of 40, and the reading itself
    assert abs(first - second) <= 80


@pytest.mark.timeout(120)
def test_the_count_survives_the_wrap_of_its_timer(ask: Ask) -> None:
    started = time.monotonic()
    (count,) = map(int, ask("w", 1))
    assert time.monotonic() - started < 100
    assert abs(count - 800_000_000) <= 1000


@pytest.mark.timeout(60)
def test_the_clock_runs_in_emulated_time(ask: Ask) -> None:
    assert int(ask("m", 1)[0]) == pytest.approx(10, abs=1)  # 10 million instructions at one a nanosecond


@pytest.mark.timeout(60)
def test_the_fpu_is_on(ask: Ask) -> None:
    assert ask("f", 1) == ["1000"]


@pytest.mark.timeout(60)
def test_every_byte_comes_back(ask: Ask) -> None:
    text = "".join(chr(code) for code in range(33, 127) if chr(code) not in "cwmfhoi")
    assert ask(text * 20 + "\n", 1) == [text * 20]


@pytest.mark.timeout(60)
def test_a_bad_access_ends_in_a_fault_event(ask: Ask) -> None:
    _, line = ask("h", 2)
    event = json.loads(line)
    assert event["event"] == "fault"
    assert event["what"].startswith("hard fault pc=0x000")
    assert "bfar=0x30000000" in event["what"]


@pytest.mark.timeout(60)
def test_a_stack_overflow_is_caught_before_it_hurts_data(ask: Ask) -> None:
    _, line = ask("o", 2)
    event = json.loads(line)
    assert event["event"] == "fault"
    assert event["what"].startswith("stack overflow")


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("letters", "code"), [(b"", 0), (b"xyz", 0), (b"h", 1), (b"o", 1)])
def test_the_emulator_ends_with_its_input_or_a_fault(program: Path, letters: bytes, code: int) -> None:
    done = subprocess.run(qemu_command(program), input=letters, stdout=subprocess.PIPE, timeout=30)
    assert done.returncode == code
    assert done.stdout.startswith(b"0\n")
    if code == 0:
        assert done.stdout == b"0\n" + letters


@pytest.mark.timeout(60)
def test_waiting_for_the_host_counts_no_instructions(program: Path) -> None:
    with subprocess.Popen(qemu_command(program), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as qemu:
        assert qemu.stdin is not None and qemu.stdout is not None
        try:
            assert qemu.stdout.readline() == b"0\n"
            counts = []
            for wait_s in (0.0, 0.0, 0.5):
                time.sleep(wait_s)
                qemu.stdin.write(b"i")
                qemu.stdin.flush()
                counts.append(int(qemu.stdout.readline()))
            assert counts[1] > counts[0]
            assert counts[2] - counts[1] < 1_000_000  # half a second would be 500 million
        finally:
            qemu.kill()
