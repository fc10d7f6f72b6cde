"""explain --at: a place in a long recording, heard as in the stream that it is part of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.conftest import Tinyml
from tests.corpus import RATE_HZ, whistle
from tests.tasks.kws.test_stream_command import Reference
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.tasks.kws.hearing import AFTER_MS, BEFORE_MS, hear_place
from tinyml_cli.tasks.kws.operating_point import OperatingPointTrial, ScoredStream
from tinyml_cli.tasks.kws.stream_scores import score_stream

WORDS = ("up", "flat", "down") * 5


@pytest.fixture(scope="module")
def audio() -> np.ndarray:
    """Half a minute: a word every two seconds, in noise that grows."""
    level = np.linspace(50, 900, len(WORDS))[:, None]
    noise = np.random.default_rng(2).normal(0, 1, (len(WORDS), 2 * RATE_HZ)) * level
    noise[:, RATE_HZ:] += np.stack([whistle(word, 70 + n, 2) for n, word in enumerate(WORDS)])
    return np.clip(np.rint(noise.reshape(-1)), -32768, 32767).astype(np.int16)


@pytest.mark.parametrize("at_s", [0.0, 9.3, 17.0, 30.0])
def test_a_place_is_heard_as_in_the_whole_stream(whistle_run: Path, audio: np.ndarray, at_s: float) -> None:
    manifest = Run(whistle_run).manifest()
    model = Reference((whistle_run / MODEL_INT8).read_bytes())
    whole = score_stream(audio, model, manifest)
    trial = OperatingPointTrial([ScoredStream(whole, [])], model.output, manifest.labels)
    (matched,) = trial.tally(manifest.recognizer).matched
    reported = [(each.time_ms, each.label) for each in matched.false_accepts]
    assert len(reported) > 5

    place = hear_place(audio, round(at_s * 1000), model, manifest)
    shown = [step.time_ms for step in place.steps]
    at = np.isin(whole.times_ms, shown)
    assert at.sum() == len(shown) > 20
    np.testing.assert_array_equal(place.scores, model.scores(whole.scores[at]))
    found = [(step.time_ms, step.reported.label) for step in place.steps if step.reported is not None]
    assert found == [each for each in reported if each[0] in shown]
    assert 1000 * at_s - BEFORE_MS - 200 <= shown[0]
    assert shown[-1] <= 1000 * at_s + AFTER_MS
    lasts_s = min(30, at_s + AFTER_MS / 1000) - place.starts_ms / 1000
    assert len(place.audio) == pytest.approx(RATE_HZ * lasts_s, abs=RATE_HZ / 50)


def test_the_command_tells_the_time_in_the_recording(
    whistle_run: Path, audio: np.ndarray, tinyml: Tinyml, tmp_path: Path
) -> None:
    long = tmp_path / "long.wav"
    soundfile.write(long, np.tile(audio, 3), RATE_HZ)
    out = tmp_path / "why.png"
    refused = tinyml("explain", whistle_run, long, "--json", cwd=tmp_path, code=2).json["error"]
    assert "--at SECONDS" in refused["next_step"]
    outcome = tinyml("explain", whistle_run, long, "--at", "61.5", "--out", out, "--json", cwd=tmp_path).json
    assert any(61 <= each["t_ms"] / 1000 <= 63 and each["label"] == "up" for each in outcome["detections"])
    assert "monitor" not in outcome["why"]
    assert out.stat().st_size > 10_000
    past = tinyml("explain", whistle_run, long, "--at", "91", "--json", cwd=tmp_path, code=2).json["error"]
    assert "lasts 90.00 s" in past["what"]
