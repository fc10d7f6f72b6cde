"""The C extension refuses arguments that would make it read or write out of bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tinyml_cli.features.audio_frontend import _frontend
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.features.tables import build_tables

pytestmark = pytest.mark.skipif(_frontend is None, reason="the C front end is not built here")

TABLES = build_tables(AudioFrontendSettings())
SCALARS = TABLES.scalars()
ARRAYS = TABLES.arrays()


def call(
    scalars: dict[str, int] | None = None,
    arrays: dict[str, Any] | None = None,
    audio: Any = None,
    clips: int = 1,
    block: int = 480,
    features: Any = None,
) -> np.ndarray:
    audio = np.zeros(480, np.int16) if audio is None else audio
    features = np.ones(40, np.uint16) if features is None else features
    _frontend.extract(
        tuple((SCALARS | (scalars or {})).values()),
        tuple((ARRAYS | (arrays or {})).values()),
        audio,
        clips,
        block,
        features,
    )
    return np.asarray(features)


def test_the_untouched_call_works() -> None:
    assert not call().any()


@pytest.mark.parametrize(
    "change",
    [
        {"fft_size": 0},
        {"fft_size": 500},
        {"fft_size": 2048},
        {"window_samples": 0},
        {"window_samples": 513},
        {"window_samples": -1},
        {"stride_samples": 0},
        {"stride_samples": 481},
        {"channels": 0},
        {"channels": 39},
        {"channels": 65},
        {"first_bin": 6},
        {"last_bin": 257},
        {"snr_shift": 64},
        {"smoothing_bits": 32},
        {"correction_bits": 70000},
    ],
    ids=str,
)
def test_scalars_out_of_range(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        call(scalars=change)


@pytest.mark.parametrize("name", ARRAYS)
def test_a_short_table(name: str) -> None:
    with pytest.raises(ValueError, match="a table"):
        call(arrays={name: ARRAYS[name][:-1].copy()})


def test_indices_out_of_range() -> None:
    order = ARRAYS["fft_order"].copy()
    order[3] = 256
    with pytest.raises(ValueError, match="fft_order"):
        call(arrays={"fft_order": order})
    widths = ARRAYS["band_widths"].copy()
    widths[0] += 1
    with pytest.raises(ValueError, match="band_widths"):
        call(arrays={"band_widths": widths})


@pytest.mark.parametrize(
    "arguments",
    [
        {"clips": 0},
        {"clips": -1},
        {"clips": 7},
        {"block": 0},
        {"features": np.zeros(39, np.uint16)},
        {"features": np.zeros(41, np.uint16)},
    ],
    ids=str,
)
def test_buffers_that_do_not_fit(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        call(**arguments)


def test_wrong_types() -> None:
    with pytest.raises(TypeError):
        call(features=bytes(80))
    with pytest.raises(TypeError):
        call(arrays={"window": "text"})
    with pytest.raises(ValueError, match="scalars"):
        _frontend.extract((1, 2), tuple(ARRAYS.values()), b"", 1, 1, bytearray(80))
    with pytest.raises(ValueError, match="arrays"):
        _frontend.extract(tuple(SCALARS.values()), (), b"", 1, 1, bytearray(80))


@pytest.mark.parametrize(
    ("multiplier", "shift", "zero_point"),
    [(-1, 1, 0), (65536, 1, 0), (1, 0, 0), (1, 32, 0), (1, 1, 128), (1, 1, -129)],
)
def test_quantize_out_of_range(multiplier: int, shift: int, zero_point: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        _frontend.quantize(bytes(4), multiplier, shift, zero_point, bytearray(2))


def test_quantize_sizes() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        _frontend.quantize(bytes(5), 1, 1, 0, bytearray(2))
