"""MLPerf Tiny's conversation with the real firmware, on both virtual boards."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.bench.conftest import Firmware, OpenModel
from tests.firmware.board_tools import BOARDS
from tinyml_cli.bench.scoring import Scorer
from tinyml_cli.engines.benchmarks import choose
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.virtual import qemu_command
from tinyml_cli.run import MODEL_INT8
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite.interpret import has_tflm, run_int8


class Dut:
    """A device under test as the runner sees it: a command, then lines until `m-ready`."""

    def __init__(self, board: str, elf: Path) -> None:
        command = qemu_command(elf) if board == "sim" else [str(elf)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.greeting = self.read()

    def read(self) -> list[str]:
        assert self.process.stdout is not None
        lines = []
        while line := self.process.stdout.readline():
            if line == b"m-ready\r\n":
                return lines
            lines.append(line.decode().rstrip("\r\n"))
        raise AssertionError(f"the device ended; it had said {lines}")

    def say(self, text: str) -> list[str]:
        assert self.process.stdin is not None
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()
        return self.read()

    def load(self, data: bytes, piece: int = 31) -> list[str]:
        said = self.say(f"db load {len(data)}%")
        for start in range(0, len(data), piece):
            said += self.say(f"db {data[start : start + piece].hex()}%")
        return said


@pytest.fixture(params=BOARDS)
def dut(request: pytest.FixtureRequest, firmware: Firmware) -> Iterator[Dut]:
    device = Dut(request.param, firmware("kws", request.param))
    yield device
    device.process.kill()
    device.process.communicate()


def test_identity(dut: Dut) -> None:
    ready, mode, lap, done = dut.greeting
    assert json.loads(ready)["app"] == "bench"
    assert re.fullmatch(r"m-lap-us-\d+", lap)
    assert (mode, done) == ("m-timestamp-mode-performance", "m-init-done")
    (name,) = dut.say("name%")
    assert re.fullmatch(r"m-name-dut-\[(native|sim)\]", name)
    profile, model = dut.say("profile%")
    assert re.fullmatch(r"m-profile-\[tinyml [^]]+\]", profile) and model == "m-model-[kws01]"
    assert len(dut.say("help%")) >= 8
    assert dut.say("dance%") == ["e-[unknown command]"]
    assert dut.say("%") == []


def test_time_passes(dut: Dut) -> None:
    times = []
    for _ in range(5):
        (lap,) = dut.say("timestamp%")
        times.append(int(lap.removeprefix("m-lap-us-")))
    assert times == sorted(times)
    dut.load(bytes(490))
    start, end = (int(line[9:]) for line in dut.say("infer 5 1%") if line.startswith("m-lap-us-"))
    assert end > start


def test_loading(dut: Dut) -> None:
    assert dut.say("infer 1 0%") == ["e-[the input is not complete]"]
    assert dut.say("results%") == ["e-[there are no results yet]"]
    assert dut.say("db 00%") == ["e-[say `db load N` first]"]
    assert dut.say("db load 491%") == ["e-[this model takes 490 bytes]"]
    assert dut.say("db load 0%") == ["e-[this model takes 490 bytes]"]
    data = bytes(range(245)) * 2
    assert dut.load(data)[-1] == "m-load-done"
    assert dut.say("db 00%") == ["e-[say `db load N` first]"]
    assert dut.say("db print 10 240%") == ["m-buffer-f0-f1-f2-f3-f4-00-01-02", "m-buffer-03-04"]
    assert dut.say("db print 99999 488%") == ["m-buffer-f3-f4"]
    assert dut.say("db print 1 490%") == []
    assert dut.say("infer 0 0%") == ["e-[at least one inference is needed]"]
    # Bytes beyond the announced number are not kept.
    dut.say("db load 490%")
    assert dut.say(f"db {bytes(500).hex()}%") == ["m-load-done"]


def test_results_stay_right_however_often(dut: Dut, open_model: OpenModel) -> None:
    """An inference may overwrite its input: the next one must get it anew."""
    data = np.random.default_rng(1).integers(-128, 128, 490).astype(np.int8).tobytes()
    dut.load(data)
    once, often = dut.say("infer 1 0%"), dut.say("infer 4 3%")
    assert [line for line in once if not line.startswith("m-lap")] == [
        "m-warmup-start-0",
        "m-warmup-done",
        "m-infer-start-1",
        "m-infer-done",
        once[-1],
    ]
    assert often[-1] == once[-1] == dut.say("results%")[0]
    assert once[-1].startswith("m-results-[")


def test_both_protocols_on_one_stream(dut: Dut) -> None:
    lines = dut.say("info 7\nname%")
    events = [json.loads(line)["event"] for line in lines[:-1]]
    assert events == ["ready", "ack"] and lines[-1].startswith("m-name-dut")
    dut.load(bytes(490))
    ack, refusal = dut.say("reset 8\ninfer 1 0%")
    assert json.loads(ack) == {"event": "ack", "seq": 8} and refusal == "e-[the input is not complete]"


@pytest.mark.parametrize(
    ("name", "board"),
    [
        ("kws", "sim"),
        ("ic", "native"),
        ("ad", "sim"),
        *(pytest.param(*each, marks=pytest.mark.slow) for each in (("vww", "sim"), ("ad", "native"))),
    ],
)
def test_results_equal_tensorflow_lite_micro_s(
    name: str, board: str, firmware: Firmware, open_model: OpenModel
) -> None:
    if not has_tflm():
        pytest.skip("tflite-micro has no wheel for this platform")
    model = open_model(name).file(MODEL_INT8).read_bytes()
    graph = tflite_graph.parse(model)
    scorer = Scorer(graph, choose(graph, name))
    rng = np.random.default_rng(2)
    if name == "ad":
        data = [rng.normal(-20, 25, 640).astype("<f4").tobytes() for _ in range(4)]
    else:
        data = [rng.integers(0, 256, scorer.input_bytes).astype(np.uint8).tobytes() for _ in range(2)]
    outputs = run_int8(model, np.stack([scorer.model_input(item) for item in data]), "tflm")
    try:
        device = Dut(board, firmware(name, board))
    except TinymlError as error:
        pytest.skip(f"the engine aot does not take this model: {error}")
    try:
        for item, output in zip(data, outputs, strict=True):
            device.load(item, piece=1000)
            text = device.say("infer 1 0%")[-1]
            printed = [float(number) for number in text.removeprefix("m-results-[").rstrip("]").split(",")]
            assert printed == scorer.results(item, output).tolist()
    finally:
        device.process.kill()
        device.process.communicate()
