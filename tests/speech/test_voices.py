"""Who speaks: shares of the engines, voices of Kokoro that may, and what is kept of a stopped synthesis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Tinyml
from tinyml_cli.data.clips import UNKNOWN
from tinyml_cli.speech import espeak, kokoro, languages, other_speech, plan, synthesis
from tinyml_cli.speech.voices import Voices

needs_espeak = pytest.mark.skipif(not espeak.is_installed(), reason="extra `speech` is not installed")
ENGLISH = languages.find("en")


@pytest.mark.parametrize(
    "engines", [["espeak"], ["kokoro"], ["flite", "kokoro"], ["espeak", "flite", "kokoro"]]
)
@pytest.mark.parametrize("share", [0.15, 0.6])
def test_shares_of_the_engines_add_up(engines: list[str], share: float) -> None:
    shares = dict(Voices(engines, share).shares(engines))
    assert set(shares) == set(engines) and sum(shares.values()) == pytest.approx(1)
    if {"espeak", "kokoro"} <= set(engines):
        assert shares["kokoro"] == share


@needs_espeak
def test_kokoro_speaks_its_share_by_the_voices_that_may() -> None:
    chosen = ["af_heart", "bm_george"]
    casting = plan.Casting(Voices(["espeak", "kokoro"], 0.4, chosen), ["alexa"])
    rng = np.random.default_rng(3)
    said = [casting.utterance(plan.SpokenText("alexa", "alexa", ENGLISH), rng) for _ in range(400)]
    heard = Counter(each.voice for each in said if isinstance(each, kokoro.KokoroUtterance))
    assert set(heard) == set(chosen)
    assert heard.total() == pytest.approx(160, abs=40)


@needs_espeak
def test_other_speech_by_kokoro_keeps_to_its_voices_and_differs_by_block() -> None:
    voices = Voices(["espeak", "kokoro"], kokoro=["af_heart", "am_adam"])
    first, second = (other_speech.plan_kokoro(number, voices, ENGLISH) for number in (0, 1))
    assert first == other_speech.plan_kokoro(0, voices, ENGLISH) and len(first) == other_speech.KOKORO_BLOCK
    assert [each.word for each in first] != [each.word for each in second]
    assert {each.utterance.voice for each in first} == {"af_heart", "am_adam"}


def test_a_voice_that_kokoro_lacks_is_refused_before_anything_is_spoken(
    tinyml: Tinyml, tmp_path: Path
) -> None:
    wrong = "synthesis.kokoro_voices=[af_hart]"
    answer = tinyml("train", "kws", "--set", wrong, "--run", "r", cwd=tmp_path, code=2)
    assert "Kokoro has no voice `af_hart`" in answer.err and not (tmp_path / "r").exists()


def test_a_stopped_synthesis_keeps_the_blocks_that_kokoro_has_spoken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path))
    monkeypatch.setattr(synthesis, "_NEURAL_BLOCK", 4)
    spoken: list[str] = []

    def say_all(utterances: Sequence[kokoro.KokoroUtterance]) -> Iterator[np.ndarray]:
        for each in utterances:
            if len(spoken) == 6:
                spoken.append("stopped")
                raise KeyboardInterrupt
            spoken.append(each.text)
            yield np.full(kokoro.SAMPLE_RATE_HZ, 0.01 * len(each.text), np.float32)

    monkeypatch.setattr(kokoro, "say_all", say_all)
    planned = [
        plan.Planned(kokoro.KokoroUtterance("a" * (n + 1), "af_heart", 1.0), UNKNOWN, "a") for n in range(10)
    ]
    with pytest.raises(KeyboardInterrupt):
        synthesis.speak(planned, 16_000)
    heard = synthesis.speak(planned, 16_000)
    texts = [each.utterance.text for each in planned]
    assert spoken == [*texts[:6], "stopped", *texts[4:]]  # the four of the first block are not said again
    assert len(heard) == 10 and all(len(audio) for audio in heard)
