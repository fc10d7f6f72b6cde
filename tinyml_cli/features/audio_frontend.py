"""Audio to features, the host side of `firmware/lib/audio_frontend`, and features to int8 model input.

Two backends give the same integers: the firmware's own C code as an extension module, and numpy.
"""

from __future__ import annotations

import os
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError
from tinyml_cli.features import numpy_frontend
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.features.tables import FrontendTables, build_tables
from tinyml_cli.next_step import on_this_run

try:
    import tinyml_cli.features._frontend as _frontend
except ImportError:
    _frontend = None

BACKEND_VARIABLE = "TINYML_FRONTEND"
FEATURE_UNITS_PER_FLOAT = 25.6  # micro_speech: features of about 0..670 become about 0..26

Int16Array = NDArray[np.int16]
UInt16Array = NDArray[np.uint16]


def backend() -> Literal["c", "numpy"]:
    """Which backend computes features: C if it is built, unless TINYML_FRONTEND says "c" or "numpy".

    Raises TinymlError if that variable says something else, or "c" and the extension is not built.
    """
    wanted = os.environ.get(BACKEND_VARIABLE, "")
    if wanted not in ("", "c", "numpy"):
        raise TinymlError(
            f"{wanted!r} is not an audio front end",
            BACKEND_VARIABLE,
            'Set it to "c" or "numpy", or unset it.',
        )
    if wanted == "c" and _frontend is None:
        raise TinymlError(
            "the C front end is not built",
            BACKEND_VARIABLE,
            "Unset it; `tinyml doctor` says how to build it.",
        )
    return "c" if _frontend is not None and wanted != "numpy" else "numpy"


def extract(audio: Int16Array, settings: AudioFrontendSettings) -> UInt16Array:
    """Features uint16 [frames, channels] of one clip int16 [samples]."""
    _check_audio(audio, ndim=1)
    features: UInt16Array = extract_batch(audio[None], settings)[0]
    return features


def extract_batch(audio: Int16Array, settings: AudioFrontendSettings) -> UInt16Array:
    """Features uint16 [clips, frames, channels] of int16 [clips, samples].

    Every clip starts with an empty history and no noise estimate, as the device does after `reset`.
    Raises TinymlError if `audio` is not int16 or not two-dimensional.
    """
    _check_audio(audio, ndim=2)
    if backend() == "numpy":
        return numpy_frontend.extract(audio, build_tables(settings))
    return extract_in_blocks(audio, settings, block_samples=max(1, audio.shape[1]))


class StreamFrontend:
    """The front end of a sound that comes in blocks: features as those of all of it at once."""

    def __init__(self, settings: AudioFrontendSettings) -> None:
        """Starts as a device does after `reset`.

        Args:
            settings: of the front end.
        """
        self._settings = settings
        self._tables = build_tables(settings)
        self._rest = np.empty(0, np.int16)
        self._noise = np.zeros((1, settings.channels), np.uint32)

    def push(self, audio: Int16Array) -> UInt16Array:
        """Features uint16 [frames, channels] of the frames that int16 [samples] complete."""
        _check_audio(audio, ndim=1)
        settings = self._settings
        heard = np.concatenate([self._rest, audio])
        frames = settings.frames(len(heard))
        features = np.zeros((frames, settings.channels), np.uint16)
        if frames and backend() == "c" and hasattr(_frontend, "resume"):
            scalars, arrays = _parts(self._tables)
            _extension().resume(scalars, arrays, heard, self._noise, features)
        elif frames:  # also where the extension was built by an older version
            features = numpy_frontend.resume(heard[None], self._tables, self._noise)[0]
        self._rest = heard[frames * settings.stride_samples :]
        return features


def extract_last(audio: Int16Array, settings: AudioFrontendSettings, samples: int) -> UInt16Array:
    """Features uint16 [clips, frames, channels] of the last `samples` of int16 [clips, lead-in + samples].

    What comes before them only settles the front end's noise estimate, as it does in a stream.
    Raises TinymlError if `audio` is not int16 or not two-dimensional, ValueError if the lead-in is not a
    whole number of strides: the frames would not be those of the stream.
    """
    _check_audio(audio, ndim=2)
    if (audio.shape[1] - samples) % settings.stride_samples:
        raise ValueError(f"a lead-in of {audio.shape[1] - samples} samples is no whole number of strides")
    return extract_batch(audio, settings)[:, -settings.frames(samples) :]


def extract_in_blocks(audio: Int16Array, settings: AudioFrontendSettings, block_samples: int) -> UInt16Array:
    """`extract_batch` by the C backend, feeding `block_samples` at a time as a microphone driver does."""
    clips, samples = audio.shape
    tables = build_tables(settings)
    features = np.zeros((clips, settings.frames(samples), settings.channels), np.uint16)
    if features.size:
        _extension().extract(
            *_parts(tables),
            np.ascontiguousarray(audio),
            clips,
            block_samples,
            features,
        )
    return features


def feature_multiplier(scale: float) -> tuple[int, int]:
    """(multiplier, shift) with multiplier / 2^shift = 1 / (25.6 scale), multiplier of 16 bits, shift 1..31.

    `scale` is that of the int8 model input. Raises TinymlError if no such pair exists.
    """
    factor = 1 / (FEATURE_UNITS_PER_FLOAT * scale) if scale > 0 else 0.0
    for shift in range(31, 0, -1):
        multiplier = round(factor * 2**shift)
        if 1 << 15 <= multiplier < 1 << 16:
            return multiplier, shift
    raise TinymlError(
        f"an input scale of {scale:g} cannot be applied in integers",
        "model_int8.tflite",
        f"Quantize again with calibration samples of the same features: {on_this_run('quantize')}",
    )


def quantize_features(features: UInt16Array, scale: float, zero_point: int) -> NDArray[np.int8]:
    """The int8 model input of uint16 features of any shape, by the integers that the device uses."""
    multiplier, shift = feature_multiplier(scale)
    product = features.astype(np.int64) * multiplier
    scaled = (product + (1 << (shift - 1))) >> shift
    quantized: NDArray[np.int8] = np.clip(scaled + zero_point, -128, 127).astype(np.int8)
    return quantized


def quantize_features_c(features: UInt16Array, scale: float, zero_point: int) -> NDArray[np.int8]:
    """`quantize_features` by the firmware's code; for tests of their equality."""
    output = np.zeros(features.shape, np.int8)
    _extension().quantize(np.ascontiguousarray(features), *feature_multiplier(scale), zero_point, output)
    return output


def _parts(tables: FrontendTables) -> tuple[tuple[int, ...], tuple[NDArray[Any], ...]]:
    """Tables as the extension takes them."""
    arrays = tuple(np.ascontiguousarray(array) for array in tables.arrays().values())
    return tuple(tables.scalars().values()), arrays


def _extension() -> Any:
    if _frontend is None:
        raise TinymlError(
            "the C front end is not built", "", "Install a C compiler and run: pip install -e ."
        )
    return _frontend


def _check_audio(audio: Int16Array, ndim: int) -> None:
    if audio.dtype != np.int16 or audio.ndim != ndim:
        raise TinymlError(
            f"audio must be int16 with {ndim} dimension(s), got {audio.dtype} with {audio.ndim}",
            "features",
            "Convert it to 16-bit samples first.",
        )
