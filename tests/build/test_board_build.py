"""`tinyml build` for the real board, as far as it goes without one: the project, its packages, its budget."""

from __future__ import annotations

import configparser
import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Tinyml
from tests.doubles import fake_run
from tests.engines import zoo
from tests.tasks.wand import waved_run
from tinyml_cli.boards.boards import load_board
from tinyml_cli.build import budget, platformio
from tinyml_cli.build.inputs import gather
from tinyml_cli.build.project import generate, project_dir
from tinyml_cli.build.project_config import render_config
from tinyml_cli.build.sizes import Sizes, Symbol
from tinyml_cli.build.target import build_target
from tinyml_cli.console import console
from tinyml_cli.engines import tflm
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.gesture_settings import GestureInput
from tinyml_cli.run import Run
from tinyml_cli.tflite import graph as tflite_graph

REV1, REV2 = "arduino-libraries/Arduino_LSM9DS1@1.1.1", "arduino-libraries/Arduino_BMI270_BMM150@1.2.3"
TFLM = "spaziochirale/Chirale_TensorFLowLite@2.0.0"
SETTINGS = ("model_settings.h", "audio_frontend_tables.h")


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "quiet", True)


def make(folder: Path, board: str, engine: str = "aot", tflm_dir: Path | None = None) -> Path:
    run = fake_run.make(folder / "run")
    if engine == "tflm":
        for name in ("model_data.h", "model_data.cc", "op_resolver.h", *SETTINGS):
            target = run.file(f"export/tflm/{name}")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text("\n")
    project = project_dir(run, board)
    generate(project, gather(run, build_target(board, engine, tflm_dir)))
    return project


def options(project: Path, board: str) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(project / "platformio.ini", encoding="utf-8")
    name = load_board(board).pio_board
    assert parser["platformio"]["default_envs"] == name
    return dict(parser[f"env:{name}"])


@pytest.mark.parametrize(("board", "library"), [("nano33ble", REV1), ("nano33ble_rev2", REV2)])
@pytest.mark.parametrize("engine", ["aot", "tflm"])
def test_the_project_is_what_platformio_needs(tmp_path: Path, board: str, library: str, engine: str) -> None:
    project = make(tmp_path, board, engine)
    found = options(project, board)
    assert found["platform"] == "nordicnrf52@10.11.0"
    assert (found["board"], found["framework"]) == ("nano33ble", "arduino")
    assert found["build_unflags"].split() == ["-mfloat-abi=soft", "-Os"]
    assert found["lib_deps"].split() == [library, *([TFLM] if engine == "tflm" else [])]
    assert (found["test_framework"], found["monitor_speed"]) == ("custom", "115200")
    assert ("-Wl,--wrap=DebugLog" in found["build_flags"]) == (engine == "tflm")
    header = (project / "include" / "tinyml_build.h").read_text()
    assert "-Wl,--wrap=mbed_rtos_start" in found["build_flags"] and "MAIN_STACK_BYTES 8192" in header
    assert "gnu++17" not in (project / "platformio.ini").read_text()  # breaks the core's headers
    header = (project / "include" / "tinyml_build.h").read_text()
    imu, other = ("LSM9DS1", "BMI270") if board == "nano33ble" else ("BMI270", "LSM9DS1")
    assert f"TINYML_IMU_{imu} 1" in header and other not in header
    assert "TINYML_ARDUINO 1" in header and f'TINYML_BOARD_NAME "{board}"' in header


def test_another_source_tree_takes_the_place_of_the_library(tmp_path: Path) -> None:
    (tmp_path / "tree" / "tensorflow" / "lite" / "micro").mkdir(parents=True)
    project = make(tmp_path, "nano33ble", "tflm", tmp_path / "tree")
    assert options(project, "nano33ble")["lib_deps"].split() == [REV1]
    folders = options(project, "nano33ble")["lib_extra_dirs"].split()
    (library,) = [json.loads(path.read_text()) for f in folders for path in Path(f).glob("tflm/library.json")]
    assert library["build"]["srcDir"] == (tmp_path / "tree").as_posix()
    assert "-std=gnu++1z" in library["build"]["flags"]
    # Current TFLM needs C++17, which the core's own sources and headers must not see.
    assert "-std" not in options(project, "nano33ble")["build_flags"]
    assert "-std=gnu++1z" in options(project, "nano33ble")["build_src_flags"]
    assert "-DTF_LITE_STATIC_MEMORY" in options(project, "nano33ble")["build_flags"]


def test_the_arduino_packing_is_compiled_as_the_core_is(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "src" / "tensorflow" / "lite" / "micro").mkdir(parents=True)
    (tree / "library.properties").write_text("name=x\n")
    for board in ("sim", "nano33ble"):
        project = make(tmp_path / board, board, "tflm", tree)
        assert "gnu++1z" not in (project / "platformio.ini").read_text()
        assert ("-DARDUINO=" in options(project, board)["build_flags"]) == (board == "sim")


def test_a_project_is_left_alone_when_nothing_changes(tmp_path: Path) -> None:
    def times(project: Path) -> dict[str, int]:
        return {path.as_posix(): path.stat().st_mtime_ns for path in project.rglob("*") if path.is_file()}

    before = times(make(tmp_path, "nano33ble"))
    assert before and times(make(tmp_path, "nano33ble")) == before


def refuse(purpose: str) -> None:
    raise TinymlError(f"No network connection to download {purpose}", "the network", "Connect.")


def install(core: Path, project: Path, version: str = "10.11.0") -> None:
    """What PlatformIO leaves behind when it has downloaded everything."""
    for folder in ("packages/framework-arduino-mbed", "packages/toolchain-gccarmnoneeabi@1.70201.0"):
        (core / folder).mkdir(parents=True)
    platform = core / "platforms" / "nordicnrf52" / "platform.json"
    platform.parent.mkdir(parents=True)
    platform.write_text(json.dumps({"version": version}))
    for library in ("Arduino_LSM9DS1", "Chirale_TensorFLowLite"):
        (platformio.libraries_dir(project) / "nano33ble" / library).mkdir(parents=True)


@pytest.fixture
def core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    return Path(platformio.environment()["PLATFORMIO_CORE_DIR"])


def bare_project(folder: Path, board: str = "nano33ble") -> Path:
    project = folder / "project"
    project.mkdir()
    (project / "platformio.ini").write_text(render_config(build_target(board, "tflm")))
    return project


def test_missing_packages_without_a_network_are_named(tmp_path: Path, core: Path) -> None:
    project = bare_project(tmp_path)
    with pytest.raises(TinymlError) as caught:
        platformio.require_packages(project, load_board("nano33ble"), refuse)
    for name in ("nordicnrf52@10.11.0", "framework-arduino-mbed", "toolchain-gccarmnoneeabi", REV1, TFLM):
        assert name in caught.value.what


def test_a_library_that_is_cloned_needs_git(
    tmp_path: Path, core: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arduino = load_board("nano33ble").arduino
    assert arduino and arduino.camera
    config = render_config(build_target("nano33ble", "aot"), lib_deps=[arduino.camera.library])
    (tmp_path / "platformio.ini").write_text(config)
    with pytest.raises(TinymlError, match=", Arduino_OV767X "):
        platformio.require_packages(tmp_path, load_board("nano33ble"), refuse)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TinymlError, match="Git is missing"):
        platformio.require_packages(tmp_path, load_board("nano33ble"), refuse)


def test_with_everything_here_no_network_is_asked_for(tmp_path: Path, core: Path) -> None:
    project = bare_project(tmp_path)
    install(core, project)
    platformio.require_packages(project, load_board("nano33ble"), refuse)
    platformio.require_packages(tmp_path, load_board("sim"), refuse)  # never needs any


def test_another_application_needs_no_network_for_the_same_libraries(tmp_path: Path, core: Path) -> None:
    install(core, bare_project(tmp_path))
    (tmp_path / "other").mkdir()
    other = bare_project(tmp_path / "other")
    platformio.require_packages(other, load_board("nano33ble"), refuse)
    with (other / "platformio.ini").open("a", encoding="utf-8") as config:
        config.write("  arduino-libraries/ArduinoBLE@1.4.1\n")
    with pytest.raises(TinymlError, match=r"ArduinoBLE@1\.4\.1"):
        platformio.require_packages(other, load_board("nano33ble"), refuse)


@pytest.mark.parametrize("version", ["10.2.0", "10.12.0"])
def test_another_version_of_the_platform_is_not_enough(tmp_path: Path, core: Path, version: str) -> None:
    project = bare_project(tmp_path)
    install(core, project, version)
    with pytest.raises(TinymlError, match=r": nordicnrf52@10\.11\.0 \(platform\) \["):
        platformio.require_packages(project, load_board("nano33ble"), refuse)


def explain(text: str) -> TinymlError:
    return platformio.explain_failure(text.splitlines(), load_board("nano33ble"), Path("log"), Path("none"))


def test_what_platformio_says_of_this_board_becomes_advice() -> None:
    large = explain("Error: The program size (990000 bytes) is greater than maximum allowed (983040 bytes)")
    assert "6,960 bytes of flash too many (the board has 983,040)" in large.what
    heap = explain("arm-none-eabi/bin/ld: heap region overflowed into stack")
    assert "bytes of RAM too many (the board has 262,144)" in heap.what
    lost = explain("Error: HTTPClientError: ")
    assert "could not download" in lost.what and "HTTPS_PROXY" in lost.next_step


def test_an_arena_that_cannot_fit_is_refused_before_the_build() -> None:
    graph = tflite_graph.parse(zoo.model("ds_cnn"))
    board = load_board("nano33ble")
    budget.check_estimate(board, [graph], 150_000)
    with pytest.raises(
        TinymlError,
        match=r"arena of 240,000 B .* need more RAM than the 262,144 B "
        "available",
    ) as caught:
        budget.check_estimate(board, [graph], 240_000)
    assert "Largest tensors: tensor " in caught.value.what and "estimated" in caught.value.where
    budget.check_estimate(load_board("sim"), [graph], 10_000_000)  # there the linker tells


def test_a_program_that_leaves_the_core_no_heap_is_refused() -> None:
    board = load_board("nano33ble")
    symbols = [Symbol("_ZL3app", 200_000, "ram"), Symbol("weights", 90_000, "flash"), Symbol("x", 8, "ram")]
    budget.check_measured(board, Sizes(100_000, 262_144 - 16_384, symbols), Path("log"))
    with pytest.raises(TinymlError, match="1 byte of RAM too many") as caught:
        budget.check_measured(board, Sizes(100_000, 262_144 - 16_383, symbols), Path("log"))
    assert "Largest: _ZL3app 200,000 B of RAM, x 8 B of RAM" in caught.value.what
    with pytest.raises(TinymlError, match=r"1,000 bytes of flash too many.*weights 90,000 B of flash"):
        budget.check_measured(board, Sizes(984_040, 100_000, symbols), Path("log"))
    with pytest.raises(TinymlError, match="5,121 bytes of RAM too many"):  # the radio's heap
        budget.check_measured(board, Sizes(100_000, 262_144 - 32_767, symbols), Path("log"), {"bluetooth"})


@pytest.mark.parametrize(
    ("model", "said", "board"),
    [
        (zoo.float_model, "float32", "sim"),
        (zoo.float_model, "float32", "nano33ble"),
        (zoo.hybrid_model, "float32", "sim"),
        (lambda: zoo.model("dense_per_channel"), "19 scales", "nano33ble"),
    ],
)
def test_models_that_would_run_wrongly_are_refused_by_tensor(
    tinyml: Tinyml, tmp_path: Path, board: str, model: Any, said: str
) -> None:
    (tmp_path / "m.tflite").write_bytes(model())
    answer = tinyml("build", "m.tflite", "--board", board, "--engine", "tflm", "--json", cwd=tmp_path, code=2)
    assert said in answer.json["error"]["what"] and "tensor " in answer.json["error"]["what"]
    assert not list(tmp_path.rglob("platformio.ini"))


def test_a_wand_brings_its_radio_and_others_do_not(tmp_path: Path) -> None:
    run = waved_run.make(tmp_path / "wand", waved_run.line_model(), GestureInput())
    project = project_dir(run, "nano33ble")
    generate(project, gather(run, build_target("nano33ble", "aot")))
    assert "ArduinoBLE@" in (project / "platformio.ini").read_text()
    assert "#define TINYML_STROKE_SERVICE 1" in (project / "include" / "tinyml_build.h").read_text()
    listening = make(tmp_path, "nano33ble")
    assert "ArduinoBLE" not in (listening / "platformio.ini").read_text()


def test_an_operator_that_the_library_lacks_is_refused_by_tensor(tmp_path: Path) -> None:
    graph = tflite_graph.parse(zoo.model("ds_cnn"))
    resolver = tmp_path / "tensorflow" / "lite" / "micro" / "micro_mutable_op_resolver.h"
    resolver.parent.mkdir(parents=True)
    resolver.write_text("TfLiteStatus AddConv2D(\nTfLiteStatus AddSoftmax(const X& y = z)\n")
    missing = tflm.missing_ops(tmp_path)
    assert {"DEPTHWISE_CONV_2D", "FULLY_CONNECTED"} <= missing and not missing & {"CONV_2D", "SOFTMAX"}
    with pytest.raises(TinymlError, match=r"no operator DEPTHWISE_CONV_2D, which produces tensor \d+ `"):
        tflm.check_library(graph, missing, "this tree")
    tflm.check_library(graph, ["BATCH_MATMUL"], "this tree")


def test_an_engine_that_a_board_does_not_have_is_refused(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run")
    with pytest.raises(TinymlError, match="board `nano33ble` has no engine `onnx`") as caught:
        gather(run, build_target("nano33ble", "onnx"))
    assert "tflm, aot" in caught.value.next_step
