"""The generated PlatformIO project of one run and board.

PlatformIO wipes its build folder whenever the configuration or the set of source files changes, so file
names are constant and unchanged files are not rewritten. The packaged firmware is read-only and used where
it is.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tinyml_cli.boards.boards import Camera
from tinyml_cli.build import tflm_tree
from tinyml_cli.build.project_config import render_config
from tinyml_cli.build.target import BuildTarget, default_app, main_stack_bytes, peripherals
from tinyml_cli.c_text import string_literal
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import cache_dir, firmware_dir, write_if_changed
from tinyml_cli.run import Run

SOURCE_SUFFIXES = (".c", ".cc", ".cpp", ".S")


@dataclass(frozen=True)
class ProjectInputs:
    """What a project is generated from.

    Attributes:
        target: what it is for; its `tflm_dir` is None where the engine needs none.
        app: the firmware application, one of `applications`.
        exports: the files that `export-c-array` wrote for the engine.
        bench_settings: text of bench_settings.h, which the application `bench` includes.
        texts: further sources of the exported model, by file name.
        defines: further macros of tinyml_build.h, without their TINYML_.
    """

    target: BuildTarget
    app: str
    exports: tuple[Path, ...]
    bench_settings: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    defines: Mapping[str, str] = field(default_factory=dict)


def applications() -> list[str]:
    """The applications that the firmware has: those that its main.cpp chooses from."""
    text = (firmware_dir() / "src" / "main.cpp").read_text(encoding="utf-8")
    return [name.lower() for name in re.findall(r"defined\(TINYML_APP_(\w+)\)", text)]


def project_dir(run: Run, board: str, app: str | None = None) -> Path:
    """Where the project of a run's board lies; another application than the task's own has its own folder."""
    if app is None or app == default_app(run.manifest().task):
        return run.path / "firmware" / board
    return run.path / "firmware" / f"{board}-{app}"


def generate(project: Path, inputs: ProjectInputs) -> list[Path]:
    """Writes the project, leaving equal files untouched; returns the folders that its sources lie in.

    Raises:
        TinymlError: no such firmware application.
    """
    if inputs.app not in (known := applications()):
        raise TinymlError(
            f"Unknown firmware application `{inputs.app}`",
            inputs.target.board.name,
            f"Choose from: {', '.join(known)}.",
        )
    libraries = third_party_dir(inputs.target)
    camera, bluetooth = _camera(inputs), _bluetooth(inputs)
    needed = [*([camera.library] if camera else []), *([bluetooth] if bluetooth else [])]
    own_stack = main_stack_bytes(inputs.target, inputs.app) is not None
    config = render_config(inputs.target, libraries, needed, own_stack)
    write_if_changed(project / "platformio.ini", config)
    write_if_changed(project / "include" / "tinyml_build.h", render_build_header(inputs))
    if inputs.bench_settings is not None:
        write_if_changed(project / "include" / "bench_settings.h", inputs.bench_settings)
    model = project / "lib" / "model"
    for source in inputs.exports:
        write_if_changed(model / source.name, source.read_bytes())
    for name, text in inputs.texts.items():
        write_if_changed(model / name, text)
    write_if_changed(model / "library.json", render_model_library(inputs))
    _remove_others(model, {source.name for source in inputs.exports} | {*inputs.texts, "library.json"})
    for name in ("cmsis_nn", "tflm"):  # where earlier versions put them
        shutil.rmtree(project / "lib" / name, ignore_errors=True)
    parts = [
        firmware_dir() / "src",
        firmware_dir() / "lib",
        project / "lib",
        libraries,
        inputs.target.tflm_dir,
    ]
    return [folder for folder in parts if folder is not None]


def third_party_dir(target: BuildTarget) -> Path | None:
    """Names the sources of TensorFlow Lite Micro as a library, once for all projects; None without them.

    Objects are found again in PlatformIO's cache only where a library lies in the same folder, so it lies in
    the user's cache.

    Returns:
        A folder that holds the library's folder.
    """
    if target.tflm_dir is None:
        return None
    digest = hashlib.sha256(target.tflm_dir.as_posix().encode()).hexdigest()[:12]
    folder = cache_dir() / "libraries" / f"tflm-{digest}"
    write_if_changed(folder / "tflm" / "library.json", tflm_tree.render_library(target.tflm_dir))
    return folder


def render_build_header(inputs: ProjectInputs) -> str:
    """`tinyml_build.h`: what the firmware's sources are compiled for."""
    board, arduino = inputs.target.board, inputs.target.board.arduino
    macros = [f"HAL_{board.hal}", f"ENGINE_{inputs.target.engine}", f"APP_{inputs.app}"]
    macros += ["ARDUINO", *(f"IMU_{imu}" for imu in arduino.imus)] if arduino else []
    camera = _camera(inputs)
    macros += [f"CAMERA_{camera.name}"] if camera else []
    macros += ["STROKE_SERVICE"] if _bluetooth(inputs) else []
    values = dict.fromkeys((macro.upper() for macro in macros), "1") | dict(inputs.defines)
    if stack_bytes := main_stack_bytes(inputs.target, inputs.app):
        values["MAIN_STACK_BYTES"] = str(stack_bytes)
    defines = "\n".join(f"#define TINYML_{name} {value}" for name, value in values.items())
    return f"""\
// Generated by tinyml: what this firmware is built for.
#pragma once

{defines}
#define TINYML_BOARD_NAME {string_literal(board.name)}
#define TINYML_APP_NAME {string_literal(inputs.app)}
"""


def _camera(inputs: ProjectInputs) -> Camera | None:
    """The board's camera, where the application looks through one."""
    arduino = inputs.target.board.arduino
    return arduino.camera if arduino and "camera" in peripherals(inputs.app) else None


def _bluetooth(inputs: ProjectInputs) -> str | None:
    """The library of the board's radio, where the application sends something by it."""
    arduino = inputs.target.board.arduino
    radio = arduino.bluetooth if arduino and "bluetooth" in peripherals(inputs.app) else None
    return radio.library if radio else None


def render_model_library(inputs: ProjectInputs) -> str:
    """`library.json` of the exported model; names TFLM, which PlatformIO does not find by its headers."""
    document = {
        "name": "model",
        "version": "1.0.0",
        "build": {"srcDir": ".", "includeDir": "."},
        "dependencies": [{"name": "tflm"}] if inputs.target.tflm_dir else [],
    }
    return json.dumps(document, indent=2) + "\n"


def _remove_others(folder: Path, wanted: set[str]) -> None:
    """Removes what another engine's export left: PlatformIO compiles every source it finds."""
    for path in folder.iterdir():
        if path.is_file() and path.name not in wanted:
            path.unlink()
