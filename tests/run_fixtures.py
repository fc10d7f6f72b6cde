"""Fixtures: runs that several rooms need. Copies may be changed; those of the session may not."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.conftest import Tinyml
from tinyml_cli import registry
from tinyml_cli.run import MODEL_INT8, Run


@pytest.fixture
def patterns_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """`patterns` is a task, as one of an installed package would be."""
    monkeypatch.setitem(registry._TRAINED, "patterns", "tests.pattern_task:TASK")


@pytest.fixture
def trained_run(tmp_path: Path, patterns_task: None) -> Run:
    """A fresh copy of a run that holds a trained model."""
    from tests import pattern_task

    return Run(Path(shutil.copytree(pattern_task.trained(), tmp_path / "run")))


@pytest.fixture
def converted_run(tmp_path: Path, patterns_task: None) -> Run:
    """A fresh copy of a run that holds flatbuffers."""
    from tests import pattern_task

    return Run(Path(shutil.copytree(pattern_task.converted(), tmp_path / "run")))


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Whistles of 40 speakers."""
    from tests import whistles

    return whistles.corpus()


@pytest.fixture(scope="session")
def whistle_run(tinyml: Tinyml) -> Path:
    """A run that heard whistles, with exported sources; copy it before changing it."""
    from tests import whistles

    return whistles.whistle_run(tinyml).path


@pytest.fixture(scope="session")
def firmware_run(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with a third-party int8 model, exported for the engine aot: enough to build real firmware."""
    from tinyml_cli.engines.export import export
    from tinyml_cli.features.settings import AudioFrontendSettings
    from tinyml_cli.manifest import Manifest
    from tinyml_cli.manifest_sections import Quantization

    model = shared / "models" / "kws_ref_model.tflite"
    if not model.is_file():
        pytest.skip(f"there is no {model}")
    run = Run(tmp_path_factory.mktemp("firmware") / "run")
    run.path.mkdir()
    shutil.copy(model, run.file(MODEL_INT8))
    # The model takes 49 frames of 10 features and tells 12 classes; what they mean does not matter here.
    words = ["down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes"]
    features = AudioFrontendSettings(channels=10)
    manifest = Manifest(task="kws", seed=0, labels=["silence", "unknown", *words], features=features)
    tensors = {"input": {"scale": 0.58, "zero_point": 83}, "output": {"scale": 1 / 256, "zero_point": -128}}
    manifest.quantization = Quantization.model_validate(
        {"method": "ptq", "calibration_samples": 0, **tensors}
    )
    run.record(manifest, MODEL_INT8, made_by="tinyml convert")
    run.save(manifest)
    export(run, "aot")
    return run


@pytest.fixture(scope="session", params=["native", "sim"])
def firmware(request: pytest.FixtureRequest, firmware_run: Run) -> tuple[str, Path]:
    """(board, ELF) of real firmware, built once."""
    from tinyml_cli.boards.boards import load_board
    from tinyml_cli.build.build import build
    from tinyml_cli.build.target import build_target

    board = load_board(request.param)
    missing = [need.tool for need in board.needs if not need.present]
    if missing or (board.hosts and sys.platform not in board.hosts):
        pytest.skip(f"board {board.name} cannot run here (missing: {', '.join(missing) or sys.platform})")
    return board.name, Path(build(firmware_run, build_target(board.name, "aot")).elf)
