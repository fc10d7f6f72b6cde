"""Days of simulated clock: nothing overflows, nothing is heard twice or lost."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.doubles import fake_run
from tests.firmware.native import HARNESS, LIBRARIES, REPOSITORY, STRICT, run
from tinyml_cli.link.protocol.commands import encode_input, encode_trace

SOURCES = ("kws.cpp", "light.cpp", "listener.cpp", "session.cpp", "inference.cpp")
BUILD_HEADER = """\
#define TINYML_ENGINE_AOT 1
#define TINYML_APP_KWS 1
#define TINYML_APP_NAME "kws"
#define TINYML_BOARD_NAME "day"
"""
TEN_MINUTES_MS = 600_000
INFERENCE_STRIDE_MS = 100


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The application over a Hal with a clock of its own; undefined overflows end it."""
    if shutil.which("g++") is None:
        pytest.skip("no g++ here")
    folder = tmp_path_factory.mktemp("day")
    exported = fake_run.make(folder / "run").file("export/aot")
    (exported / "tinyml_build.h").write_text(BUILD_HEADER)
    libraries = [LIBRARIES / name for name in ("recognizer", "protocol", "engine", "audio_frontend")]
    folders = [HARNESS / "day", exported, REPOSITORY / "firmware" / "src", *libraries]
    includes = [f"-I{each}" for each in folders]
    checks = ["-O2", "-fsanitize=undefined", "-fno-sanitize-recover=all"]
    network = folder / "network.o"
    subprocess.run(["gcc", "-O2", "-c", exported / "network.c", "-o", network], check=True)
    sources = [
        HARNESS / "day" / "day.cpp",
        *(REPOSITORY / "firmware" / "src" / name for name in SOURCES),
        *(
            path
            for library in ("audio_frontend", "recognizer", "protocol")
            for path in (LIBRARIES / library).glob("*.cpp")
        ),
    ]
    program = folder / "day"
    subprocess.run(["g++", *STRICT, *checks, *includes, *sources, network, "-o", program], check=True)
    return program


def events(program: Path, start_ms: int, hours: int, *lines: str) -> list[dict[str, int]]:
    output = run(program, str(start_ms), str(hours), *lines).decode()
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


def test_a_day_without_overflow(program: Path) -> None:
    said = events(program, 0, 24)
    assert not [event for event in said if event["event"] in ("fault", "nak")]
    heard_ms = [event["t_ms"] for event in said if event["event"] == "detection"]
    assert len(heard_ms) == 24 * 6
    gaps_ms = [later - earlier for earlier, later in itertools.pairwise(heard_ms)]
    assert all(abs(gap_ms - TEN_MINUTES_MS) <= INFERENCE_STRIDE_MS for gap_ms in gaps_ms)
    lights = [event for event in said if event["event"] == "led"]
    assert [bool(light["r"] + light["g"] + light["b"]) for light in lights] == [True, False] * len(heard_ms)
    uptimes_ms = [event["uptime_ms"] for event in said if event["event"] == "status"]
    assert len(uptimes_ms) == pytest.approx(24 * 3600, abs=2)
    assert uptimes_ms == sorted(uptimes_ms) and uptimes_ms[-1] == pytest.approx(24 * 3_600_000, abs=2000)


def test_status_goes_on_past_the_wrap_of_the_clock(program: Path) -> None:
    said = events(program, 2**32 - 1_800_000, 1)
    assert len([event for event in said if event["event"] == "status"]) == pytest.approx(3600, abs=2)
    assert len([event for event in said if event["event"] == "detection"]) == 6


def test_the_stream_waits_while_the_host_writes_inputs(program: Path) -> None:
    """Its own frames would overwrite them before they are run."""
    commands = [
        (60_000, encode_trace(2, "scores")),
        (70_000, encode_input(3, 0, b"\0")),
        (80_000, encode_trace(4, "status")),
    ]
    lines = (word for time_ms, line in commands for word in (str(time_ms), line.decode().strip()))
    said = events(program, 0, 1, *lines)
    assert not [event for event in said if event["event"] in ("fault", "nak")]
    times_ms = [event["t_ms"] for event in said if event["event"] == "scores"]
    # By the clock of the stream, which stands still meanwhile: two of twenty seconds are not heard.
    assert len(times_ms) == pytest.approx(18_000 / INFERENCE_STRIDE_MS, abs=2)
    assert {after - before for before, after in itertools.pairwise(times_ms)} == {INFERENCE_STRIDE_MS}
