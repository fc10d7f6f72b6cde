"""Every source of the Nano 33 BLE's firmware compiles beside the real core's headers, with its own flags.

Compiled only: nothing is linked with the core's libmbed.a, and nothing runs. See arduino_core.py for what
must be there; the interpreter is compiled too where TINYML_TFLM names its sources.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.build.test_library import listening_run, waving_run
from tests.doubles import fake_run, looking_run, sine_run, steady_run
from tests.engines import zoo
from tests.firmware.applications import APPLICATIONS, project_of
from tests.firmware.arduino_core import STRICT, ArduinoCore, symbols
from tests.tasks.wand import waved_run
from tinyml_cli.build.inputs import gather
from tinyml_cli.build.library import export_library
from tinyml_cli.build.project import SOURCE_SUFFIXES, generate, project_dir
from tinyml_cli.build.target import build_target
from tinyml_cli.console import console
from tinyml_cli.features.gesture_settings import GestureInput
from tinyml_cli.files import firmware_dir
from tinyml_cli.run import Run
from tinyml_cli.stages.adopt import open_run

pytestmark = pytest.mark.timeout(1800)
BOARDS = ("nano33ble", "nano33ble_rev2")
_TESTED_BELOW = ("kws", "vww", "wand-strokes")


@pytest.fixture(scope="module")
def core() -> ArduinoCore:
    core = ArduinoCore.from_environment()
    console.quiet = True
    return core


def bench_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("TINYML_RUNS", str(folder / "runs"))
    model = folder / "ds_cnn.tflite"
    model.write_bytes(zoo.model("ds_cnn"))
    return open_run(model)


def make_project(run: Run, board: str, engine: str) -> Path:
    inputs = gather(run, build_target(board, engine))
    project = project_dir(run, board, inputs.app)
    generate(project, inputs)
    return project


def sources_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in SOURCE_SUFFIXES)


def includes_of(project: Path) -> list[Path]:
    libraries = [path for path in (firmware_dir() / "lib").iterdir() if path.is_dir()]
    return [project / "include", firmware_dir() / "src", *libraries, project / "lib" / "model"]


def own_sources() -> list[Path]:
    return sources_below(firmware_dir() / "src") + sources_below(firmware_dir() / "lib")


def commit_of(folder: Path) -> str:
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize("board", BOARDS)
def test_the_keyword_firmware_compiles_and_has_arduino_s_entry(
    board: str, core: ArduinoCore, tmp_path: Path
) -> None:
    project = make_project(fake_run.make(tmp_path / "run"), board, "aot")
    sources = own_sources() + sources_below(project / "lib" / "model")
    objects, complaints = core.compile_all(sources, tmp_path / "o", includes_of(project), *STRICT)
    assert complaints == []
    found = symbols(objects)
    assert found["setup"] == found["loop"] == "T"
    assert "main" not in found  # the core's own is linked
    wanted, other = ("IMU_LSM9DS1", "IMU_BMI270_BMM150")[:: 1 if board == "nano33ble" else -1]
    assert found[wanted] == "U" and other not in found
    # Nothing of ours may need a heap, exceptions or the C++ library.
    assert not {"malloc", "_Znwj", "_Znaj", "__cxa_throw", "__cxa_guard_acquire"} & found.keys()


@pytest.mark.parametrize("name", [name for name in APPLICATIONS if name not in _TESTED_BELOW])
def test_an_application_compiles(
    name: str, core: ArduinoCore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYML_RUNS", str(tmp_path / "runs"))
    camera = core.siblings / "Arduino_OV767X" / "src"
    if name == "cascade" and not camera.is_dir():
        pytest.skip(f"{camera} is not there")
    project = project_of(name, "nano33ble", tmp_path)
    sources = sources_below(firmware_dir() / "src") + sources_below(project / "lib" / "model")
    # Of the libraries, only those know of an application or of slots.
    sources += sources_below(firmware_dir() / "lib" / "hal")
    flags = [flag for flag in (project / "platformio.ini").read_text().split() if "MODEL_SLOTS" in flag]
    library = ["-isystem", str(camera)] if name == "cascade" else []
    _, complaints = core.compile_all(sources, tmp_path / "o", includes_of(project), *STRICT, *flags, *library)
    assert complaints == []


def test_the_firmware_that_looks_compiles_with_the_camera_s_library(
    core: ArduinoCore, tmp_path: Path
) -> None:
    camera = core.siblings / "Arduino_OV767X" / "src"
    if not camera.is_dir():
        pytest.skip(f"{camera} is not there")
    project = make_project(looking_run.make(tmp_path / "run"), "nano33ble", "aot")
    sources = own_sources() + sources_below(project / "lib" / "model")
    library = ["-isystem", str(camera)]
    objects, complaints = core.compile_all(sources, tmp_path / "o", includes_of(project), *STRICT, *library)
    assert complaints == []
    found = symbols(objects)
    assert found["Camera"] == "U"
    assert not {"malloc", "_Znwj", "__cxa_throw"} & found.keys()
    _, complaints = core.compile_all(sources_below(camera), tmp_path / "c", [camera], "-w")
    assert complaints == []
    # What the tree has is what users get: an earlier release lacks names that the driver uses.
    assert f".git#{commit_of(camera)}\n" in (project / "platformio.ini").read_text()


def test_a_wand_compiles_with_the_radio_s_library(core: ArduinoCore, tmp_path: Path) -> None:
    radio = core.siblings / "ArduinoBLE" / "src"
    if not radio.is_dir():
        pytest.skip(f"{radio} is not there")
    run = waved_run.make(tmp_path / "run", waved_run.line_model(), GestureInput())
    project = make_project(run, "nano33ble", "aot")
    sources = own_sources() + sources_below(project / "lib" / "model")
    library = ["-isystem", str(radio)]
    objects, complaints = core.compile_all(sources, tmp_path / "o", includes_of(project), *STRICT, *library)
    assert complaints == []
    found = symbols(objects)
    assert found["BLE"] == "U"
    assert not {"malloc", "_Znwj", "__cxa_throw"} & found.keys()
    assert "ArduinoBLE@1.4.1" in (project / "platformio.ini").read_text()


@pytest.mark.parametrize(
    ("make", "library"),
    [
        (listening_run, ""),
        (waving_run, "Arduino_LSM9DS1"),
        (looking_run.make, "Arduino_OV767X"),
        (lambda path: steady_run.make(path, "imu"), "Arduino_LSM9DS1"),
        (lambda path: steady_run.make(path, "sound"), ""),
        (lambda path: steady_run.make(path, "series"), ""),
        (sine_run.make, ""),
    ],
    ids=["microphone", "motion", "camera", "vibration", "machine sound", "series", "light"],
)
def test_an_exported_library_and_its_sketch_compile(
    make: Callable[[Path], Run], library: str, core: ArduinoCore, tmp_path: Path
) -> None:
    folder = core.siblings / library / "src"
    if not folder.is_dir() and library:
        pytest.skip(f"{folder} is not there")
    export_library(make(tmp_path / "run"), "arduino", tmp_path / "lib")
    sketch = next((tmp_path / "lib").rglob("*.ino"))
    program = tmp_path / "sketch.cpp"  # what the IDE makes of it
    program.write_text(f"#include <Arduino.h>\n{sketch.read_text()}")
    system = ["-isystem", str(folder)] if library else []
    sources = [*sources_below(tmp_path / "lib" / "src"), program]
    objects, complaints = core.compile_all(
        sources, tmp_path / "o", [tmp_path / "lib" / "src"], *STRICT, *system
    )
    assert complaints == []
    found = symbols(objects)
    assert found["setup"] == found["loop"] == "T"
    assert not {"malloc", "_Znwj", "__cxa_throw", "__cxa_guard_acquire"} & found.keys()


def test_the_libraries_compile(core: ArduinoCore, tmp_path: Path) -> None:
    _, complaints = core.compile_all(core.library_sources(), tmp_path / "o", [], "-w")
    assert complaints == []


@pytest.mark.skipif(
    not os.environ.get("TINYML_TFLM"), reason="TINYML_TFLM names no source tree of TensorFlow Lite Micro"
)
def test_the_interpreter_s_firmware_compiles(
    core: ArduinoCore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_project(bench_run(tmp_path, monkeypatch), "nano33ble", "tflm")
    tree = Path(os.environ["TINYML_TFLM"])
    tree = tree / "src" if (tree / "src").is_dir() else tree
    third_party = [path for path in tree.glob("third_party/*") if path.is_dir()]
    sources = [path for path in own_sources() if path.parent.name != "tinyml_nn"]
    sources += sources_below(project / "lib" / "model")
    includes = includes_of(project)
    system = [part for folder in (tree, *third_party) for part in ("-isystem", str(folder))]
    objects, complaints = core.compile_all(sources, tmp_path / "o", includes, *STRICT, *system)
    assert complaints == []
    found = symbols(objects)
    # The library brings a DebugLog that waits for the host; the linker leads its callers to ours.
    assert found["__wrap_DebugLog"] == "T" and "DebugLog" not in found


@pytest.mark.skipif(
    not os.environ.get("TINYML_TFLM"), reason="TINYML_TFLM names no source tree of TensorFlow Lite Micro"
)
def test_the_interpreter_itself_compiles(core: ArduinoCore, tmp_path: Path) -> None:
    """Some minutes: as PlatformIO does, with every source of the library."""
    tree = Path(os.environ["TINYML_TFLM"])
    tree = tree / "src" if (tree / "src").is_dir() else tree
    _, complaints = core.compile_all(sources_below(tree), tmp_path / "o", [tree], "-w")
    assert complaints == []
