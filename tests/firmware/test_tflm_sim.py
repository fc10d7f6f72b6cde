"""TensorFlow Lite Micro's interpreter on the virtual board: same bytes as its Python runtime and as aot.

Needs its sources: TINYML_TFLM=<folder>, either the pinned Arduino library or a tree made with
TensorFlow Lite Micro's create_tflm_tree.py. Compiling it takes minutes once; later runs find the objects in
PlatformIO's cache. TINYML_TFLM_MODELS=ds_cnn,… limits the models.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import Tinyml
from tests.doubles import sine_run
from tests.engines import zoo
from tests.engines.network_builds import tflm_outputs
from tests.firmware.board_tools import require_tools
from tinyml_cli.build.build import build
from tinyml_cli.build.target import build_target
from tinyml_cli.console import console
from tinyml_cli.evaluation.parity import DeviceRun, run_inputs
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Ready
from tinyml_cli.link.virtual import VirtualDevice
from tinyml_cli.outcomes.stages import Built
from tinyml_cli.stages.adopt import open_run
from tinyml_cli.tasks.hello import replay
from tinyml_cli.tflite import graph as tflite_graph

pytestmark = [
    pytest.mark.skipif(
        not os.environ.get("TINYML_TFLM"), reason="TINYML_TFLM names no source tree of TensorFlow Lite Micro"
    ),
    pytest.mark.timeout(1800),
]

PUBLIC = ("kws_ref_model", "vww_96_int8", "pretrainedResnet_quant", "ad01_int8")
MADE = ("ds_cnn", "mean_relu6_odd_channels", "dilated_pooled")
WANTED = os.environ.get("TINYML_TFLM_MODELS", ",".join((*MADE, *PUBLIC))).split(",")
N_INPUTS = 3
# What the arena's bound may be above the need. The largest share is scratch that only some kernels ask for.
MARGIN_BYTES = 24 * 1024

Model = Callable[[str], Path]


@pytest.fixture
def model(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    for tool in ("arm-none-eabi-g++", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool} here")
    monkeypatch.setenv("TINYML_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(console, "quiet", True)

    def find(name: str) -> Path:
        if name in PUBLIC:
            shared: Path = request.getfixturevalue("shared")
            return shared / "models" / f"{name}.tflite"
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(zoo.model(name))
        return path

    return find


def run(path: Path, inputs: np.ndarray, **options: Any) -> tuple[Ready, DeviceRun, Built]:
    built = build(open_run(path), build_target("sim", app="bench", **options))
    with VirtualDevice("sim", Path(built.elf)) as device, Link(device.url, timeout_s=60.0) as link:
        return link.wait_ready(30.0), run_inputs(link, inputs), built


@pytest.mark.parametrize("name", WANTED)
def test_the_interpreter_gives_the_bytes_of_its_python_runtime_and_of_aot(
    name: str, model: Model, record_property: Callable[[str, object], None]
) -> None:
    path = model(name)
    tflm_dir = Path(os.environ["TINYML_TFLM"])
    inputs = np.random.default_rng(11).integers(-128, 128, (N_INPUTS, input_bytes(path))).astype(np.int8)
    ready, device, built = run(path, inputs, engine="tflm", tflm_dir=tflm_dir)
    _, aot, _ = run(path, inputs, engine="aot")
    expected = tflm_outputs(path.read_bytes(), inputs)
    figures = {
        "instructions": int(device.instructions[0]),
        "instructions_aot": int(aot.instructions[0]),
        "arena_used": ready.arena_used,
        "arena_bytes": ready.arena_bytes,
        "flash_bytes": built.flash_bytes,
        "ram_bytes": built.ram_bytes,
    }
    print(f"\n{name} on the emulated Cortex-M4: {figures}")
    for key, value in figures.items():
        record_property(key, value)
    np.testing.assert_array_equal(device.outputs, expected.view(np.int8))
    np.testing.assert_array_equal(device.outputs, aot.outputs)
    assert ready.engine == "tflm"
    assert ready.arena_used <= ready.arena_bytes <= ready.arena_used + MARGIN_BYTES


def input_bytes(path: Path) -> int:
    graph = tflite_graph.parse(path.read_bytes(), str(path))
    return sum(graph.tensors[index].bytes for index in graph.inputs)


def test_the_interpreter_draws_the_sine_of_this_computer(tinyml: Tinyml, tmp_path: Path) -> None:
    require_tools("sim")
    run = sine_run.make(tmp_path / "run")
    engine = ("--engine", "tflm", "--tflm", os.environ["TINYML_TFLM"])
    tinyml("build", run.path, "--board", "sim", *engine, cwd=tmp_path)
    shown = tinyml(
        "monitor", run.path, "--board", "sim", "--replay", replay.write(run), "--json", cwd=tmp_path
    )
    events = [json.loads(line) for line in shown.out.splitlines()]
    (clip,) = (event for event in events if event["event"] == "clip")
    assert (clip["detected"], clip["mismatches"]) == ("sine", 0)
    assert next(event for event in events if event["event"] == "ready")["engine"] == "tflm"
