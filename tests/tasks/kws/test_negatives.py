"""Recordings in which nobody says the words: who trains, who chooses, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.conftest import Tinyml
from tinyml_cli.data import splits
from tinyml_cli.data.clips import UNKNOWN
from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.tasks.kws import negatives
from tinyml_cli.tasks.kws.busy_streams import BusyStream, BusyStreams
from tinyml_cli.tasks.kws.stream_windows import StreamWindows

RATE_HZ = 16_000


def record(path: Path, seconds: float, value: int, rate_hz: int = RATE_HZ) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.full(round(seconds * rate_hz), value, np.int16), rate_hz, subtype="PCM_16")


def recipe_of(root: Path) -> KwsRecipe:
    return KwsRecipe.model_validate({"words": ["alexa"], "streams": {"hours": 1, "recordings": str(root)}})


@pytest.fixture
def crowd(tmp_path: Path) -> Path:
    """Forty speakers with two clips each at two rates, whose samples tell who speaks."""
    for speaker in range(40):
        for take, rate_hz in ((0, 8000), (1, RATE_HZ)):
            place = tmp_path / "crowd" / ("left" if take else "right") / f"s{speaker}_nohash_{take}.wav"
            record(place, 1.0, 100 * (speaker + 1), rate_hz)
    return tmp_path / "crowd"


def heard(recipe: KwsRecipe, split: splits.Split, hours: float = 9) -> np.ndarray:
    return np.concatenate([*negatives.stretches(recipe, split, hours), np.empty(0, np.int16)])


def voices(audio: np.ndarray) -> set[int]:
    """The speakers of a sound: what they say is constant, away from the edges that resampling blurs."""
    values, counts = np.unique(audio, return_counts=True)
    return {int(value) for value, count in zip(values, counts, strict=True) if value >= 100 and count > 9000}


def test_speakers_train_or_choose_and_none_is_lost(crowd: Path) -> None:
    recipe = recipe_of(crowd)
    train, chosen = (voices(heard(recipe, split)) for split in ("train", "validation"))
    assert len(train) + len(chosen) == 40 and not train & chosen
    assert 2 <= len(chosen) <= 16
    seconds = len(heard(recipe, "train")) / RATE_HZ
    assert seconds == pytest.approx(len(train) * 2 * 1.3, rel=0.01)


def test_hours_are_limited_and_come_in_pieces_of_two_minutes(tmp_path: Path) -> None:
    for number in range(12):
        record(tmp_path / "talks" / str(number) / "talk.flac", 70, 50)
    recipe = recipe_of(tmp_path / "talks")
    pieces = [len(piece) / RATE_HZ for piece in negatives.stretches(recipe, "train", 0.1)]
    assert pieces == [120, 120, 120]
    assert len(heard(recipe, "train", 0.05)) == 180 * RATE_HZ
    assert np.array_equal(heard(recipe, "train", 0.1)[: 180 * RATE_HZ], heard(recipe, "train", 0.05))


def test_folders_of_the_words_are_not_negatives(crowd: Path) -> None:
    record(crowd / "Alexa" / "s1_nohash_0.wav", 1, 9)
    found = negatives.listed(crowd, ["alexa"])
    assert len(found) == 80 and not any(path.parent.name == "Alexa" for path, _ in found)
    with pytest.raises(TinymlError, match="All recordings of the folder are of the words"):
        negatives.listed(crowd, ["alexa", "left", "right"])


def test_what_is_recorded_is_unknown_in_the_windows() -> None:
    recipe = KwsRecipe(words=["alexa"])

    class Silent(BusyStreams):
        def __init__(self) -> None:
            pass

        def make(self, number: int, seconds: int) -> BusyStream:
            return BusyStream(np.zeros(seconds * RATE_HZ, np.int16), [])

    sound = np.random.default_rng(1).normal(0, 900, 3 * RATE_HZ).astype(np.int16)
    arguments = (Silent(), 1, recipe.model_labels, recipe.features, recipe.clip_samples, [1])
    windows = StreamWindows(*arguments, recorded=[sound])
    alone = StreamWindows(*arguments)
    added = windows.labels[len(alone.labels) :]
    assert (added == recipe.model_labels.index(UNKNOWN)).sum() == recipe.features.frames(len(sound)) - 48
    assert windows.hours == pytest.approx(alone.hours + 3 / 3600, rel=0.02)
    assert windows.quotas({UNKNOWN: 5})[UNKNOWN] == 5 and alone.quotas({UNKNOWN: 5})[UNKNOWN] == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--model", "ds_cnn"), "Omit --model and --config"),
        (("--data", "crowd"), "Omit --data"),
        (("--words", "left,right"), "All recordings of the folder are of the words"),
    ],
)
def test_recordings_that_cannot_train_are_refused_at_once(
    options: tuple[str, ...], told: str, crowd: Path, tinyml: Tinyml, tmp_path: Path
) -> None:
    words = () if "--words" in options else ("--words", "left" if "--data" in options else "alexa")
    answer = tinyml(
        "train", "kws", *words, "--negatives", "crowd", *options, "--run", "new", cwd=tmp_path, code=2
    )
    assert told in answer.err and not (tmp_path / "new").exists()
