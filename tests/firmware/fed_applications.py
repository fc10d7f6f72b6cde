"""Every application of the firmware: small models for it, and all kinds of input that a host gives it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.build.test_browser import heard, hummed, lit, seen, shaken, waved
from tests.conftest import Tinyml
from tests.doubles import looking_run, sine_run
from tests.firmware import random_listener
from tests.tasks.wand import waved_run
from tests.teaching.sounds import spoken, take_files
from tinyml_cli.build.build import build
from tinyml_cli.build.target import LEARNER, BuildTarget, SlotOptions, build_target
from tinyml_cli.features.gesture_settings import GestureInput
from tinyml_cli.features.image_settings import GateRule
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import MAX_PCM_SAMPLES
from tinyml_cli.manifest_sections import RecognizerSettings
from tinyml_cli.outcomes.stages import Built
from tinyml_cli.run import Run
from tinyml_cli.teaching import teach
from tinyml_cli.teaching.firmware import learner
from tinyml_cli.updates.keys import SigningKey
from tinyml_cli.word_embedding import embedding

LISTENS = RecognizerSettings(threshold=0.4, suppression_ms=300, average_window_ms=200, minimum_count=2)
RELEASE = 10
"""Of the model in firmware with slots."""

Runs = tuple[Run, Run | None]
Make = Callable[[Path, pytest.FixtureRequest], Runs]


@dataclass(frozen=True)
class Application:
    """An application with models.

    Attributes:
        app: its name in the firmware.
        make: writes its runs into a folder.
        feed: gives it what it hears, sees or feels.
        has_slots: whether its model can be replaced by an update.
        most_stack_bytes: what docs/memory.md says that it uses; the real board's stack is sized by it.
    """

    app: str
    make: Make
    feed: Callable[[Link], None]
    engines: tuple[str, ...] = ("aot", "tflm")
    has_slots: bool = False
    most_stack_bytes: int = 3072

    def build(self, runs: Runs, board: str, engine: str) -> Built:
        return build(runs[0], self.target(runs, board, engine))

    def target(self, runs: Runs, board: str, engine: str) -> BuildTarget:
        first, second = runs
        target = build_target(board, engine, second=second)
        if self.app in ("bench", LEARNER):
            target = replace(target, app=self.app)
        if self.has_slots:
            target = replace(target, slots=SlotOptions(signing_key().public, RELEASE))
        return learner(first, target)


def signing_key() -> SigningKey:
    """The same in every run of the tests, for programs that were kept."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


def _third_party(folder: Path, request: pytest.FixtureRequest) -> Runs:
    return Run(Path(shutil.copytree(request.getfixturevalue("firmware_run").path, folder / "run"))), None


def _whistles(folder: Path, request: pytest.FixtureRequest) -> Runs:
    return Run(Path(shutil.copytree(request.getfixturevalue("whistle_run"), folder / "run"))), None


def _stream(folder: Path, request: pytest.FixtureRequest) -> Runs:
    tinyml: Tinyml = request.getfixturevalue("tinyml")
    data = ("--data", request.getfixturevalue("corpus"), "--words", "up,down", "--seed", "3")
    values = ("training.epochs=1", "augmentation.copies=1", "recognizer.inference_stride_frames=4")
    settings = [part for value in values for part in ("--set", value)]
    run = folder / "run"
    tinyml("train", "kws", *data, "--model", "stream_ds_cnn", *settings, "--run", run, cwd=folder)
    for stage in ("quantize", "convert"):
        tinyml(stage, run, cwd=folder)
    return Run(run), None


def _machine(folder: Path, request: pytest.FixtureRequest) -> Runs:
    from tests.tasks.anomaly import runs

    return runs.train(folder / "run", training__epochs=2), None


def _humming_machine(folder: Path, request: pytest.FixtureRequest) -> Runs:
    from tests.tasks.anomaly import runs

    sounds = runs.write_sounds(folder / "sounds")
    return runs.train(folder / "run", sounds, training__epochs=2), None


def _cascade(folder: Path, request: pytest.FixtureRequest) -> Runs:
    looks = looking_run.make(folder / "eye")
    manifest = looks.manifest()
    manifest.gate = GateRule(when="red", hold_ms=1000)
    looks.save(manifest)
    return random_listener.make(folder / "ear", ["red", "green"], 5, LISTENS), looks


def _two_listeners(folder: Path, request: pytest.FixtureRequest) -> Runs:
    first = random_listener.make(folder / "first", ["red", "green"], 5, LISTENS)
    return first, random_listener.make(folder / "second", ["up", "red"], 6, LISTENS)


def _pupil(folder: Path, request: pytest.FixtureRequest) -> Runs:
    teach.teach(str(folder / "run"), "lumos", take_files(folder)["lumos"])
    return Run(folder / "run"), None


def play_lesson(link: Link, word: str, clips: Iterable[npt.NDArray[np.int16]]) -> None:
    """Has a board learn a word by the sound that the host's own lesson hears."""
    given = list(clips)
    link.learn(word, len(given))
    for clip in given:
        link.reset()
        sound = embedding.stream(clip)
        for at in range(0, len(sound), MAX_PCM_SAMPLES):
            link.feed_pcm(sound[at : at + MAX_PCM_SAMPLES])


def _hears_and_sees(link: Link) -> None:
    heard(link)
    seen(link)


def _taught(link: Link) -> None:
    heard(link)
    play_lesson(link, "banana", spoken()["banana"][:3])
    link.words()
    link.forget("banana")


APPLICATIONS = {
    "kws": Application("kws", _whistles, heard),
    "kws_stream": Application("kws", _stream, heard),
    "kws_slots": Application("kws", _third_party, heard, engines=("aot",), has_slots=True),
    "hello": Application("hello", lambda folder, _: (sine_run.make(folder / "run"), None), lit),
    "vww": Application("vww", lambda folder, _: (looking_run.make(folder / "run"), None), seen),
    "wand": Application(
        "wand",
        lambda folder, _: (
            waved_run.make(folder / "run", waved_run.line_model(), GestureInput(threshold=0.9)),
            None,
        ),
        waved,
    ),
    "anomaly_motion": Application("anomaly", _machine, shaken),
    "anomaly_sound": Application("anomaly", _humming_machine, hummed),
    "cascade": Application("cascade", _cascade, _hears_and_sees),
    "multi_tenant": Application("multi_tenant", _two_listeners, heard),
    "learner": Application(LEARNER, _pupil, _taught, most_stack_bytes=4608),
    "bench": Application("bench", _third_party, lambda link: None),
}
