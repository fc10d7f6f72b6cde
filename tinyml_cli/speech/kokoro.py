"""Kokoro-82M, a neural speech synthesiser, on this computer's CPU through ONNX Runtime.

Hexgrad's model of 82 million parameters after StyleTTS 2 (Y. A. Li et al., arXiv:2306.07691). It takes
symbols of sounds (`kokoro_phonemes`), a style vector (`kokoro_files`) and a speed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data import levels
from tinyml_cli.data.pcm import to_int16
from tinyml_cli.errors import TinymlError
from tinyml_cli.speech import espeak, kokoro_files, kokoro_phonemes

SAMPLE_RATE_HZ = 24_000
VOICES = tuple(kokoro_files.VOICE_SHA256)
# First letter of the voices of a language.
_VOICE_LETTERS = {"es": "e", "fr": "f", "hi": "h", "it": "i", "pt": "p", "pt-br": "p", "ja": "j", "cmn": "z"}
# One thread a clip and several clips at once: a clip is too short to be worth sharing among threads.
_MOST_THREADS = 4
# Behind short words the model often leaves a pause and then a click or a breath. In 55 clips of 5 words by 11
# voices these were 24 dB or more below the word; releases of stops ("left") follow sooner or are louder.
_SILENT_DB, _BREATH_DB, _PAUSE_MS = -36.0, -20.0, 80
_FRAME_MS = 10


@dataclass(frozen=True)
class KokoroUtterance:
    """One clip to synthesise; speed above 1 is faster."""

    text: str
    voice: str
    speed: float
    language: str | None = None
    """The code of a language; None for English."""

    @property
    def british(self) -> bool:
        """Whether the voice is one of those that were made for British English."""
        return self.voice.startswith("b")


def voices_of(language: str) -> tuple[str, ...]:
    """The voices that speak a language; all for English, which they learned first."""
    if language == "en":
        return VOICES
    letter = _VOICE_LETTERS.get(language, "-")
    return tuple(voice for voice in VOICES if voice.startswith(letter))


def say_all(utterances: Sequence[KokoroUtterance]) -> Iterator[NDArray[np.float32]]:
    """Synthesises each utterance, in order; empty audio where there is nothing that the model could say.

    On one kind of processor an utterance always gives the same samples, whatever is said before or beside it.

    Yields:
        float32 [samples] within ±1, at SAMPLE_RATE_HZ.

    Raises:
        TinymlError: espeak-ng, the runtime, the weights or a voice is missing or damaged.
    """
    if not utterances:
        return
    model = _load()
    spellings = _spell(utterances)
    styles = {voice: kokoro_files.read_voice(voice) for voice in sorted({u.voice for u in utterances})}
    with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as pool:
        yield from pool.map(
            lambda job: _say(model, job[0], styles[job[1].voice], job[1].speed),
            zip(spellings, utterances, strict=True),
        )


def _load() -> Any:
    """An `onnxruntime.InferenceSession`, safe to run from several threads."""
    weights = kokoro_files.read_model()
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Warnings about initialisers that the exporter left over are nothing to a user.
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime's own exceptions have no common base
        raise TinymlError(
            f"ONNX Runtime cannot load Kokoro: {error}",
            f"package onnxruntime {onnxruntime.__version__}",
            "Install the pinned version: pip install 'tinyml-cli[kokoro]'",
        ) from error


def _spell(utterances: Sequence[KokoroUtterance]) -> list[str]:
    """The symbols of each utterance, its punctuation included."""
    spoken: dict[tuple[str, str], str] = {}
    for accent in dict.fromkeys(_accent(utterance) for utterance in utterances):
        words = sorted({_words(u.text) for u in utterances if _accent(u) == accent})
        spoken.update({(word, accent): s for word, s in zip(words, _symbols(words, accent), strict=True)})
    spellings = []
    for utterance in utterances:
        word = _words(utterance.text)
        sounds = spoken[word, _accent(utterance)]
        spellings.append(sounds + utterance.text[len(word) :] if sounds else "")
    return spellings


def _accent(utterance: KokoroUtterance) -> str:
    """The voice of espeak-ng that gives an utterance its phonemes."""
    if utterance.language is not None:
        return {"pt": "pt-br"}.get(utterance.language, utterance.language)
    return "en-gb-x-rp" if utterance.british else "en-us"


def _symbols(words: Sequence[str], accent: str) -> list[str]:
    """The model's spelling of each word, as the voice of espeak-ng reads it."""
    if accent == "cmn":
        return [kokoro_phonemes.mandarin(n) for n in espeak.phoneme_names([(w, accent) for w in words])]
    spoken = espeak.pronounce(words, accent)
    if accent == "ja":
        return [kokoro_phonemes.japanese(ipa) for ipa in spoken]
    return [kokoro_phonemes.symbols(ipa, accent) for ipa in spoken]


def _words(text: str) -> str:
    """The text without the punctuation at its end."""
    return text.rstrip(kokoro_phonemes.PUNCTUATION)


def _say(model: Any, spelling: str, styles: NDArray[np.float32], speed: float) -> NDArray[np.float32]:
    if not spelling or len(spelling) > len(styles):
        return np.zeros(0, np.float32)
    inputs = {
        "tokens": np.array([kokoro_phonemes.tokens(spelling)], np.int64),
        "style": styles[len(spelling) - 1][np.newaxis],
        "speed": np.array([speed], np.float32),
    }
    (audio,) = model.run(["audio"], inputs)
    return without_breath(np.asarray(np.clip(np.nan_to_num(audio), -1, 1), np.float32))


def without_breath(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cuts off what is quiet and stands apart behind the word.

    Args:
        audio: float32 [samples] within ±1, at SAMPLE_RATE_HZ.
    """
    frame = SAMPLE_RATE_HZ * _FRAME_MS // 1000
    level = levels.frame_levels_dbfs(to_int16(audio), frame)
    if len(level) == 0:
        return audio
    level = level - level.max()
    heard = np.flatnonzero(level > _SILENT_DB)
    parts = np.split(heard, np.flatnonzero(np.diff(heard) > _PAUSE_MS // _FRAME_MS) + 1)
    kept = len(parts)
    while level[parts[kept - 1]].max() < _BREATH_DB:
        kept -= 1
    return audio if kept == len(parts) else audio[: (parts[kept - 1][-1] + 1) * frame]
