"""Drift: the two measures on known distributions, and the command on logs of every kind."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.conftest import Tinyml
from tests.corpus import RATE_HZ, whistle
from tinyml_cli.drift.columns import (
    dependence,
    gesture_values,
    image_values,
    reference_of,
    sound_values,
    summarise,
)
from tinyml_cli.drift.compare import compare
from tinyml_cli.features.gesture_settings import GestureInput
from tinyml_cli.features.image_settings import ImageInput
from tinyml_cli.features.raster import rasterise_all
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import Run
from tinyml_cli.tasks.wand import hand
from tinyml_cli.tasks.wand.strokes import to_points

RNG = np.random.default_rng(4)


def test_same_distribution_is_no_drift() -> None:
    for n in (60, 400, 5000):
        for _ in range(20):
            shift = compare("score", summarise(RNG.normal(size=1000)), RNG.normal(size=n))
            assert not shift.drifted, shift


def test_measures_of_a_known_shift() -> None:
    """Normal distributions a deviation apart: KS is 2 Phi(1/2) - 1 = 0.383, PSI nears the divergence, 1."""
    shift = compare("x", summarise(RNG.normal(size=200_000)), RNG.normal(1.0, 1.0, 200_000))
    assert shift.ks == pytest.approx(0.383, abs=0.01)
    assert 0.85 < shift.psi < 1.0
    assert shift.drifted


def test_a_spread_that_grows_is_drift_though_the_mean_stays() -> None:
    assert compare("x", summarise(RNG.normal(size=3000)), RNG.normal(0, 3, 2000)).drifted


def test_values_with_few_levels() -> None:
    reference = summarise(RNG.integers(0, 3, 2000).astype(float))
    assert not compare("x", reference, RNG.integers(0, 3, 500).astype(float)).drifted
    assert compare("x", reference, np.full(500, 2.0)).drifted
    constant = summarise(np.zeros(500))
    assert not compare("x", constant, np.zeros(200)).drifted
    assert compare("x", constant, np.ones(200)).drifted


def test_neighbours_in_time_count_less() -> None:
    """An autoregressive series, x' = 0.9 x + noise: (1 + 0.9) / (1 - 0.9) = 19 values say as much as one."""

    def series(n: int) -> np.ndarray:
        values = np.zeros(n)
        for index, noise in enumerate(RNG.normal(size=n - 1)):
            values[index + 1] = 0.9 * values[index] + noise
        return values

    assert dependence(series(50_000)) == pytest.approx(19, rel=0.2)
    assert dependence(RNG.normal(size=50_000)) == pytest.approx(1, abs=0.1)
    assert dependence(np.full(9, 3.5)) == dependence(np.array([2.0])) == 1
    found = [compare("x", summarise(series(2000)), series(400)).drifted for _ in range(100)]
    assert sum(found) <= 2
    assert compare("x", summarise(series(2000)), series(400) + np.linspace(0, 9, 400)).drifted


LABELS = ["silence", "unknown", "yes", "no"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A keyword spotter's manifest with summaries, and no model."""
    run = Run.create(tmp_path / "runs" / "kws")
    run.file("recipe.yaml").write_text("task: kws\n")
    manifest = Manifest(task="kws", seed=1, labels=LABELS)
    features = RNG.integers(0, 600, (14_700, 8)).astype(np.uint16)
    outputs = RNG.integers(-128, 128, (300, 4)).astype(np.int8)
    manifest.reference = reference_of(sound_values(LABELS, outputs, features), "test")
    run.save(manifest)
    return run


def write_log(path: Path, low: int, high: int, frames: int = 300, junk: bool = False) -> Path:
    lines: list[Any] = []
    for index in range(frames):
        q = RNG.integers(-128, 128, 4).tolist()
        data = RNG.integers(low, high, 8).astype("<u2").tobytes().hex()
        lines += [
            {"event": "scores", "t_ms": index, "q": q},
            {"event": "features", "frame": index, "data": data},
        ]
    text = "\n".join(json.dumps(line) for line in lines)
    path.write_bytes((text + ("\n{half a line\n\xff\xfe\n" if junk else "\n")).encode("latin-1"))
    return path


def test_command_says_no_drift_and_exits_0(tinyml: Tinyml, run: Run, tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.jsonl", 0, 600, junk=True)
    answer = tinyml("drift", run.path, log, "--json", cwd=tmp_path)
    outcome = answer.json
    assert outcome["drift"] is False and len(outcome["columns"]) == 12 and outcome["missing"] == []
    assert Path(outcome["picture"]).stat().st_size > 5000
    assert "skipped 2 lines without a board event" in answer.err


def test_command_says_drift_and_exits_1(tinyml: Tinyml, run: Run, tmp_path: Path) -> None:
    log = write_log(tmp_path / "log.jsonl", 200, 800)
    answer = tinyml("drift", run.path, log, "--json", cwd=tmp_path, code=1)
    assert answer.json["drift"] is True
    worst = answer.json["columns"][0]
    assert worst["name"].startswith("feature channel") and worst["drifted"]
    same = tinyml("drift", run.path, log, "--baseline", log, "--json", cwd=tmp_path)
    assert same.json["drift"] is False and same.json["psi"] == pytest.approx(0, abs=1e-9)
    loose = tinyml("drift", run.path, log, "--share", "1", cwd=tmp_path)
    assert "No drift" in loose.out


def test_too_little_to_tell_is_an_error(tinyml: Tinyml, run: Run, tmp_path: Path) -> None:
    short = tinyml("drift", run.path, write_log(tmp_path / "s.jsonl", 0, 600, 10), cwd=tmp_path, code=2)
    assert "at least 50" in short.err
    (tmp_path / "empty").write_bytes(b"")
    assert "0 values" in tinyml("drift", run.path, tmp_path / "empty", cwd=tmp_path, code=2).err
    manifest = run.manifest()
    manifest.reference = None
    run.save(manifest)
    log = write_log(tmp_path / "log.jsonl", 0, 600)
    assert "no summaries" in tinyml("drift", run.path, log, cwd=tmp_path, code=2).err
    # A path that was mistyped is said first: it costs nothing to mend.
    assert "file does not exist" in tinyml("drift", run.path, tmp_path / "none", cwd=tmp_path, code=2).err
    options = ("--baseline", tmp_path / "none")
    assert "--baseline" in tinyml("drift", run.path, log, *options, cwd=tmp_path, code=2).err


def test_an_index_between_the_limits_is_watched() -> None:
    shift = compare("x", summarise(RNG.normal(size=5000)), RNG.normal(0.38, 1.0, 5000))
    assert 0.1 < shift.psi < 0.25 and shift.watch and not shift.drifted
    assert not compare("x", summarise(RNG.normal(size=60)), RNG.normal(size=60)).watch


def test_pictures_of_darkness_are_drift(tinyml: Tinyml, tmp_path: Path) -> None:
    run = Run.create(tmp_path / "runs" / "vww")
    run.file("recipe.yaml").write_text("task: vww\n")
    manifest = Manifest(
        task="vww", seed=1, labels=["none", "person"], image=ImageInput(size=16, colour="rgb")
    )
    scenes = RNG.integers(-40, 128, (200, 16, 16, 3)).astype(np.int8)
    outputs = RNG.integers(-128, 128, (200, 2)).astype(np.int8)
    manifest.reference = reference_of(image_values(manifest.labels, outputs, scenes), "test")
    run.save(manifest)

    def log(name: str, pixels: np.ndarray) -> Path:
        lines = []
        for index, (frame, q) in enumerate(zip(pixels, outputs, strict=True)):
            lines.append({"event": "input", "frame": index, "data": frame.tobytes().hex()})
            lines.append({"event": "image", "frame": index, "t_ms": index, "frame_us": 1, "inference_us": 1})
            lines[-1]["q"] = q.tolist()
        path = tmp_path / name
        path.write_text("\n".join(map(json.dumps, lines)))
        return path

    day = log("day.jsonl", RNG.permutation(scenes))
    assert tinyml("drift", run.path, day, "--json", cwd=tmp_path).json["missing"] == []
    night = log("night.jsonl", (scenes // 2 - 64).astype(np.int8))
    outcome = tinyml("drift", run.path, night, "--json", cwd=tmp_path, code=1).json
    assert {each["name"] for each in outcome["columns"] if each["drifted"]} >= {
        "feature brightness",
        "feature contrast",
    }


def _strokes(shapes: str, seed: int) -> np.ndarray:
    """int8 pictures of 120 strokes, each by a writer of its own."""
    strokes = []
    for number in range(120):
        rng = np.random.default_rng([seed, number])
        strokes.append(to_points(hand.draw(shapes[number % len(shapes)], hand.random_writer(rng), rng)))
    return (rasterise_all(strokes).astype(np.int16) - 128).astype(np.int8)


def test_a_hand_that_draws_other_shapes_is_drift(tinyml: Tinyml, tmp_path: Path) -> None:
    """Strokes of the same shapes by other writers are no drift."""
    gesture = GestureInput(input="stroke")
    run = Run.create(tmp_path / "runs" / "wand")
    run.file("recipe.yaml").write_text("task: wand\n")
    manifest = Manifest(task="wand", seed=1, labels=["unknown", "a", "b"], gesture=gesture)
    outputs = RNG.integers(-128, 128, (120, 3)).astype(np.int8)
    manifest.reference = reference_of(
        gesture_values(gesture, manifest.labels, outputs, _strokes("08", 1)), "test"
    )
    run.save(manifest)

    codes = []
    for name, inputs in (("same", _strokes("08", 2)), ("other", _strokes("17", 3))):
        lines = []
        for index, (data, q) in enumerate(zip(inputs, RNG.permutation(outputs).tolist(), strict=True)):
            lines.append({"event": "input", "frame": index, "data": data.tobytes().hex()})
            lines.append({"event": "scores", "t_ms": index, "q": q})
        log = tmp_path / f"{name}.jsonl"
        log.write_text("\n".join(map(json.dumps, lines)))
        answer = tinyml("drift", run.path, log, "--json", cwd=tmp_path, code=None)
        assert answer.json["missing"] == []
        codes.append(answer.code)
    assert codes == [0, 1]


@pytest.mark.slow
def test_a_real_log_of_words(whistle_run: Path, corpus: Path, tinyml: Tinyml, tmp_path: Path) -> None:
    """The recordings that made the reference, played to firmware: no drift; in noise: drift."""
    if shutil.which("g++") is None:
        pytest.skip("no g++ here")
    run = Path(shutil.copytree(whistle_run, tmp_path / "whistles"))
    tinyml("evaluate", run, "--data", corpus, "--no-noise", cwd=tmp_path)
    tinyml("build", run, "--board", "native", cwd=tmp_path)
    rng = np.random.default_rng(1)
    clips = [(word, whistle(word, speaker, 0)) for word in ("up", "down", "flat") for speaker in range(6)]
    clips += [("silence", (rng.normal(0, level, RATE_HZ) * 32767).astype(np.int16)) for level in [0.002] * 6]
    for index, (word, clip) in enumerate(clips):
        buzz = 6000 * np.sign(np.sin(2 * np.pi * 300 * np.arange(len(clip)) / RATE_HZ))
        for name, sound in (("same", clip), ("noisy", np.clip(clip + buzz, -32768, 32767))):
            place = tmp_path / name / word / f"{index}.wav"
            place.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(place, sound.astype(np.int16), RATE_HZ)
    codes = {}
    for name in ("same", "noisy"):
        log = tmp_path / f"{name}.jsonl"
        command = ("monitor", run, "--board", "native", "--replay", tmp_path / name)
        tinyml(*command, "--trace", "scores,features", "--log", log, cwd=tmp_path)
        codes[name] = tinyml("drift", run, log, cwd=tmp_path, code=None).code
    assert codes == {"same": 0, "noisy": 1}
