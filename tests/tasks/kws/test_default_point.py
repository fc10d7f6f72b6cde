"""The operating point of a new model."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.corpus import whistle
from tests.tasks.kws.test_operating_point import LABELS, OUTPUT, stream, words
from tinyml_cli import recipes
from tinyml_cli.data.clips import ClipSet
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import RecognizerSettings
from tinyml_cli.outcomes.streams import OperatingPoint
from tinyml_cli.recipes.kws import KwsRecipe, OperatingPointRecipe
from tinyml_cli.run import RECIPE, Run
from tinyml_cli.stages import convert
from tinyml_cli.statistics.rates import poisson_interval
from tinyml_cli.tasks.kws import default_point, operating_point
from tinyml_cli.tasks.kws.busy_streams import BusyStreams
from tinyml_cli.tasks.kws.operating_point import OperatingPointTrial
from tinyml_cli.tasks.kws.stream_audio import Material

YES = KwsRecipe(words=["yes"], recognizer=RecognizerSettings(threshold=0.5))


@pytest.fixture(autouse=True)
def _few_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operating_point, "WINDOW_INFERENCES", (3, 5))
    monkeypatch.setattr(operating_point, "SUPPRESSIONS_MS", (1000,))


def manifest(**changed: float) -> Manifest:
    """Of a run whose recogniser was changed since, and where `yes` waits for a longer word."""
    settings = RecognizerSettings(longer_words={"yes": ["yesterday"]}, **changed)
    features = AudioFrontendSettings()
    return Manifest(task="kws", seed=0, labels=LABELS, features=features, recognizer=settings)


def trial(heard: int, wrong: float) -> OperatingPointTrial:
    """Twenty minutes with 20 words, of which so many score 0.9, and 20 other sounds that score `wrong`."""
    peaks, targets = words(20, 0.9, 8)
    others = [(15_000 + 20_000 * index, wrong, 8) for index in range(20)]
    return OperatingPointTrial([stream(1200, peaks[:heard] + others, targets)], OUTPUT, LABELS)


def test_the_best_point_within_the_allowance_is_set_and_told() -> None:
    changed = manifest(threshold=0.99)
    point = default_point.set_point(trial(18, 0.6), changed, YES)
    assert point.applied
    assert changed.recognizer.threshold == point.tuning.after.threshold
    assert 0.65 <= changed.recognizer.threshold <= 0.88
    assert changed.recognizer.longer_words == {"yes": ["yesterday"]}
    assert point.tuning.before.threshold == 0.5, "the recipe's, not those of an earlier choice"
    assert (point.false_accepts.n, point.false_rejects.n, point.false_rejects.of) == (0, 2, 20)
    assert point.false_accepts.ci95[1] == pytest.approx(3.689 * 3, abs=0.01), "none in a third of an hour"
    assert point.hours == pytest.approx(1 / 3)


def test_where_nothing_hears_half_the_recipes_settings_stay(capsys: pytest.CaptureFixture[str]) -> None:
    changed = manifest(threshold=0.99)
    point = default_point.set_point(trial(8, 0.6), changed, YES)
    assert not point.applied
    assert changed.recognizer.threshold == 0.5
    assert (point.false_accepts.n, point.false_rejects.n) == (20, 12), "at the settings that stay"
    assert "The recipe's settings stay" in " ".join(capsys.readouterr().err.split())


def test_rather_false_accepts_beyond_the_allowance_than_most_words_missed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    loud, targets = words(20, 0.95, 8)
    quiet, _ = words(20, 0.7, 8)
    others = [(15_000 + 20_000 * index, 0.8 if index < 5 else 0.6, 8) for index in range(20)]
    heard = OperatingPointTrial([stream(1200, [*loud[:8], *quiet[8:18], *others], targets)], OUTPUT, LABELS)
    changed = manifest()
    point = default_point.set_point(heard, changed, YES)
    assert point.applied and not point.tuning.allowance.met
    assert 0.6 < changed.recognizer.threshold < 0.7
    assert (point.false_accepts.n, point.false_rejects.n) == (5, 2)
    told = " ".join(capsys.readouterr().err.split())
    assert "hear half of the words" in told and "2 of 20 words missed, 15.0 per hour" in told


def test_streams_without_targets_give_no_recall() -> None:
    quiet = OperatingPointTrial([stream(60, [], [])], OUTPUT, LABELS)
    assert default_point.set_point(quiet, manifest(), YES).false_rejects.rate is None


@pytest.fixture
def run(whistle_run: Path, tmp_path: Path) -> Run:
    """A copy of a run that heard whistles, as if they were synthetic speech."""
    copy = Run(Path(shutil.copytree(whistle_run, tmp_path / "copy")))
    recipe = recipes.load_as(copy.file(RECIPE), KwsRecipe)
    point = OperatingPointRecipe(hours=0.02, max_fa_per_hour=500, fresh_hours=0.04)
    changed = recipe.model_copy(update={"operating_point": point, "data_path": None})
    copy.file(RECIPE).write_text(changed.to_yaml(), encoding="utf-8")
    return copy


def whistles(recipe: KwsRecipe, split: str) -> BusyStreams:
    """Streams of whistles by speakers that no training knows."""
    first = {"validation": 60, "test": 70}[split]
    spoken = [(word, speaker) for word in ("up", "down", "flat") for speaker in range(first, first + 6)]
    audio = np.stack([whistle(word, speaker, 1) for word, speaker in spoken])
    labels = np.array([word if word in recipe.words else "unknown" for word, _ in spoken])
    material = Material(ClipSet(audio, labels, labels, labels), (), recipe.features.sample_rate_hz, "")
    return BusyStreams(material, [], [], recipe.model_labels, recipe.augmentation, [1])


def test_conversion_chooses_on_streams_and_writes_the_manifest(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(default_point, "streams_of", whistles)
    monkeypatch.setattr(default_point, "STREAM_S", 72)
    point = default_point.after_convert(run)
    assert point is not None
    assert point.hours == pytest.approx(0.02)
    assert point.false_rejects.of >= 3
    assert point.material is not None
    assert (point.material.mix, point.material.targets, point.material.others) == ("hard", 12, 6)
    assert point.fresh is not None
    assert point.fresh.hours == pytest.approx(0.04) and point.fresh.false_rejects.of > point.false_rejects.of
    assert (
        f"By voices that chose nothing: {point.fresh.false_rejects.of - point.fresh.false_rejects.n} of"
        in (convert.told(point))
    )
    assert sum(band.of for band in point.snr_db) == point.false_rejects.of, "each word's level is known"
    saved = run.manifest()
    assert OperatingPoint.model_validate(saved.metrics["operating_point"]) == point
    chosen = point.tuning.after if point.applied else point.tuning.before
    assert saved.recognizer.model_dump(include=set(chosen.model_fields_set)) == chosen.as_dict()


def test_fresh_voices_that_prove_the_choice_wrong_are_told(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of 0.5 an hour, two in one hour may be chance; three are not (p = 0.014)."""
    monkeypatch.setattr(default_point, "streams_of", whistles)
    monkeypatch.setattr(default_point, "STREAM_S", 72)
    point = default_point.after_convert(run)
    assert point is not None and point.fresh is not None
    allowed = point.tuning.allowance.model_copy(update={"max_fa_per_hour": 0.5, "met": True})
    tuning = point.tuning.model_copy(update={"allowance": allowed})
    point = point.model_copy(update={"applied": True, "tuning": tuning})
    for counted, is_told in ((0, False), (2, False), (3, True)):
        rate = {"per_hour": float(counted), "ci95": poisson_interval(counted, 1.0)}
        found = point.fresh.false_accepts.model_copy(update=rate)
        capsys.readouterr()
        default_point._warn_of(point.fresh.model_copy(update={"false_accepts": found}), point)
        assert ("more than the 0.5 allowed" in " ".join(capsys.readouterr().err.split())) == is_told


@pytest.mark.parametrize("changes", [{"operating_point": OperatingPointRecipe()}, {"data_path": "people"}])
def test_nothing_is_chosen_without_hours_or_for_recordings(run: Run, changes: dict[str, object]) -> None:
    recipe = recipes.load_as(run.file(RECIPE), KwsRecipe).model_copy(update=changes)
    run.file(RECIPE).write_text(recipe.to_yaml(), encoding="utf-8")
    before = run.manifest()
    assert default_point.after_convert(run) is None
    assert run.manifest() == before
