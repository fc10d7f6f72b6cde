"""A project of each application of the firmware, without any training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.doubles import looking_run, sine_run, steady_run
from tests.engines.flatbuffer_models import Model
from tests.firmware import random_listener
from tests.tasks.wand import waved_run
from tinyml_cli.build import tenants
from tinyml_cli.build.project import generate, project_dir
from tinyml_cli.build.target import LEARNER, BuildTarget, SlotOptions, build_target
from tinyml_cli.features.gesture_settings import GestureInput
from tinyml_cli.features.image_settings import GateRule
from tinyml_cli.manifest_sections import RecognizerSettings, Taught, TaughtWord
from tinyml_cli.run import Run
from tinyml_cli.stages.adopt import open_run
from tinyml_cli.teaching.firmware import learner
from tinyml_cli.word_embedding import embedding

_HEARS = RecognizerSettings(threshold=0.4, minimum_count=1, suppression_ms=300)
Made = tuple[Run, BuildTarget]


def listening(folder: Path, words: tuple[str, str] = ("yes", "no")) -> Run:
    """Keyword spotting with random weights."""
    return random_listener.make(folder / words[0], list(words), 3, _HEARS)


def waving(folder: Path) -> Run:
    """A wand that is told by the picture of its stroke."""
    return waved_run.make(folder / "strokes", waved_run.line_model(), GestureInput())


def waving_windows(folder: Path) -> Run:
    """A wand that is told by windows of motion."""
    gesture = GestureInput(input="imu", imu=waved_run.IMU, threshold=0.8)
    return waved_run.make(folder / "motion", waved_run.motion_model(), gesture)


def _slots(folder: Path, target: BuildTarget) -> Made:
    return listening(folder), replace(target, slots=SlotOptions(bytes(range(32)), release=1))


def _learner(folder: Path, target: BuildTarget) -> Made:
    run = listening(folder)
    manifest = run.manifest()
    row = "01" * embedding.other_sound().shape[1]
    word = TaughtWord(prototype=row, weights=row, bias=0, takes=["a.wav"])
    manifest.taught = Taught(embedding_sha256=embedding.card().sha256, words={"yes": word, "no": word})
    run.save(manifest)
    return run, learner(run, replace(target, app=LEARNER))


def _cascade(folder: Path, target: BuildTarget) -> Made:
    looks = looking_run.make(folder / "looks")
    manifest = looks.manifest()
    manifest.gate = GateRule(when="yes", hold_ms=1000)
    looks.save(manifest)
    return listening(folder), replace(target, second=looks)


def _two_ears(folder: Path, target: BuildTarget) -> Made:
    return listening(folder), replace(target, second=listening(folder, ("up", "down")))


def _bench(folder: Path, target: BuildTarget) -> Made:
    network = Model()
    source, weights, y = network.tensor((1, 8)), network.tensor((4, 8), data=[1] * 32), network.tensor((1, 4))
    network.operator("FULLY_CONNECTED", [source, weights, -1], [y], "FullyConnectedOptions")
    model = folder / "dense.tflite"
    model.write_bytes(network.build([source], [y]))
    return open_run(model), target.bench()


def _alone(make: Callable[[Path], Run]) -> Callable[[Path, BuildTarget], Made]:
    return lambda folder, target: (make(folder), target)


APPLICATIONS: Final[Mapping[str, Callable[[Path, BuildTarget], Made]]] = {
    "kws": _alone(listening),
    "kws-slots": _slots,
    "learner": _learner,
    "multi_tenant": _two_ears,
    "cascade": _cascade,
    "vww": _alone(lambda folder: looking_run.make(folder / "looks")),
    "wand-strokes": _alone(waving),
    "wand-motion": _alone(waving_windows),
    "anomaly-imu": _alone(lambda folder: steady_run.make(folder / "imu", "imu")),
    "anomaly-series": _alone(lambda folder: steady_run.make(folder / "series", "series")),
    "anomaly-sound": _alone(lambda folder: steady_run.make(folder / "sound", "sound")),
    "hello": _alone(lambda folder: sine_run.make(folder / "sine")),
    "bench": _bench,
}


def project_of(name: str, board: str, folder: Path, engine: str = "aot") -> Path:
    """Writes the project of one of APPLICATIONS; returns its folder.

    Args:
        folder: empty; also what TINYML_RUNS has to name, for `bench`.
    """
    place = folder / name
    place.mkdir()
    run, target = APPLICATIONS[name](place, build_target(board, engine))
    inputs = tenants.gather(run, target)
    project = project_dir(run, board, inputs.app)
    generate(project, inputs)
    return project
