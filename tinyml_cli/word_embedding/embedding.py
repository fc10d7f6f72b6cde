"""The shipped word embedding: its network, its settings, and other words to tell taught ones from."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from tinyml_cli.documents import load_json
from tinyml_cli.features.audio_frontend import extract, quantize_features
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.tasks.kws.lead_in import after_background, settled
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse
from tinyml_cli.word_embedding import ear, head
from tinyml_cli.word_embedding.row import RowTables

CLIP_MS = 1000
# Behind a take, for its last windows and for a board that takes a while to judge each.
TAIL_S = 1.5

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


@functools.cache
def row_tables() -> RowTables:
    """What lessons know about the network."""
    with np.load(_PLACE / "row_tables.npz", allow_pickle=False) as tables:
        return RowTables(**tables)


def stream(clip: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
    """A take as a board hears it: after a while of its own background, int16 [samples], and before more."""
    sound = after_background(clip[None], settings())[0]
    return np.concatenate([sound, sound[: round(TAIL_S * settings().sample_rate_hz)]])


def heard(clip: npt.NDArray[np.int16]) -> npt.NDArray[np.int8] | None:
    """Windows int8 [shifts, frames, channels] around the word of a take; None where none stands out."""
    return ear.windows(_quantized(extract(stream(clip), settings())))


def codes(clip: npt.NDArray[np.int16]) -> npt.NDArray[np.int8]:
    """What the network is given of a clip int16 [samples] after a while of its background.

    Returns:
        int8 [frames, channels].
    """
    return _quantized(settled(clip[None], settings())[0])


def _quantized(features: npt.NDArray[np.uint16]) -> npt.NDArray[np.int8]:
    scale, zero_point = _input_quantization(body())
    return quantize_features(features, scale, zero_point)


@functools.cache
def _input_quantization(code: bytes) -> tuple[float, int]:
    source, _ = interpret.io_quantization(parse(code))
    return source.scale, source.zero_point


def vectors(
    inputs: npt.NDArray[np.int8], advance: Callable[[], object] | None = None
) -> npt.NDArray[np.float32]:
    """Unit vectors float32 [clips, values] of many `codes` [clips, frames, channels], quickly.

    `advance` is called after each. A step or two from the bytes of a board.
    """
    _, target = interpret.io_quantization(parse(body()))
    found = interpret.dequantize_values(
        interpret.run_int8(body(), inputs[..., None], advance=advance), target
    )
    unit: npt.NDArray[np.float32] = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-6)
    return unit


def units(windows: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Unit vectors in 1/128 of windows, int8 [takes, shifts, values] of [takes, shifts, frames, channels]."""
    # The kernels that a board's bytes equal.
    runtime = interpret.reference_runtime()
    found = interpret.run_int8(head.normalised(body()), windows.reshape(-1, *windows.shape[2:], 1), runtime)
    return found.reshape(*windows.shape[:2], -1)
