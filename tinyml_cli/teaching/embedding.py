"""The shipped word embedding: its network, its settings, and other words to tell taught ones from."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from tinyml_cli.data import noise
from tinyml_cli.documents import load_json
from tinyml_cli.features.audio_frontend import quantize_features
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.tasks.kws.lead_in import settled
from tinyml_cli.tasks.kws.noise_sweep import mix, speech_rms
from tinyml_cli.teaching import head
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse

CLIP_MS = 1000
# A word may stand anywhere in the window of a stream.
SHIFTS_MS, NOISY_SHIFTS_MS = (-200, -100, 0, 100, 200), (-100, 0, 100)
NOISE_DB = (20.0, 12.0)
_SEED = 611

_PLACE = Path(__file__).parent
_CARD = _PLACE / "word_embedding.json"


class EmbeddingCard(BaseModel):
    """How the network was made, and how good it is; written by benchmarks/backbone.py."""

    model_config = ConfigDict(extra="allow", frozen=True)

    sha256: str
    features: AudioFrontendSettings
    parameters: int
    other_words: tuple[tuple[str, ...], ...]


@functools.cache
def card() -> EmbeddingCard:
    """That of the package."""
    return EmbeddingCard.model_validate(load_json(_CARD))


@functools.cache
def body() -> bytes:
    """The int8 flatbuffer: features [1, frames, channels, 1] -> embedding [1, values]."""
    return (_PLACE / "word_embedding.tflite").read_bytes()


@functools.cache
def other_sound() -> npt.NDArray[np.int8]:
    """Unit vectors int8 [windows, values] in 1/128 of a stream of other words.

    `card().other_words` are the words that each window may hold, that in its middle first.
    """
    vectors: npt.NDArray[np.int8] = np.load(_PLACE / "other_sound.npy", allow_pickle=False)
    return vectors


def settings() -> AudioFrontendSettings:
    """Of the front end before it."""
    return card().features


def clip_samples() -> int:
    """Samples of its window."""
    return CLIP_MS * settings().sample_rate_hz // 1000


def units(clips: npt.NDArray[np.int16]) -> npt.NDArray[np.int8]:
    """Unit vectors int8 [clips, variations, values] in 1/128 of words in the middle of int8 [clips, samples].

    Each is heard after a while of its own background, at several places of the window: SHIFTS_MS alone, then
    NOISY_SHIFTS_MS in each noise.
    """
    model = head.normalised(body())
    source, _ = interpret.io_quantization(parse(model))
    varied = [_moved(clips, shift) for shift in SHIFTS_MS]
    for number, snr_db in enumerate(NOISE_DB):
        noisy = _in_noise(clips, snr_db, number)
        varied += [_moved(noisy, shift) for shift in NOISY_SHIFTS_MS]
    inputs = quantize_features(settled(np.concatenate(varied), settings()), source.scale, source.zero_point)
    found = interpret.run_int8(model, inputs)
    return found.reshape(len(varied), len(clips), -1).transpose(1, 0, 2)


def _in_noise(clips: npt.NDArray[np.int16], snr_db: float, seed: int) -> npt.NDArray[np.int16]:
    """Clips with coloured noise, always the same, so far below their speech."""
    beds = noise.unit_rms(noise.coloured(len(clips), clips.shape[1], np.random.default_rng([_SEED, seed])))
    return mix(clips, beds, speech_rms(clips), snr_db)


def _moved(clips: npt.NDArray[np.int16], shift_ms: int) -> npt.NDArray[np.int16]:
    """Clips later by so much, or earlier; their ends, mirrored, fill the gap."""
    samples = abs(shift_ms) * settings().sample_rate_hz // 1000
    if shift_ms >= 0:
        return np.pad(clips, ((0, 0), (samples, 0)), mode="reflect")[:, : clips.shape[1]]
    return np.pad(clips, ((0, 0), (0, samples)), mode="reflect")[:, samples:]
