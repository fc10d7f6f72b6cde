"""Features to int8 by integers: C equals Python, and both stay next to the real quotient."""

from __future__ import annotations

import numpy as np
import pytest

from tinyml_cli.errors import TinymlError
from tinyml_cli.features import audio_frontend
from tinyml_cli.features.audio_frontend import feature_multiplier, quantize_features, quantize_features_c

SCALES = [0.001, 26 / 255, 0.10196078568696976, 0.08, 0.5, 1.0, 25.6, 100.0]
FEATURES = np.arange(65536, dtype=np.uint16)


@pytest.mark.parametrize("scale", SCALES)
def test_multiplier_has_sixteen_bits(scale: float) -> None:
    multiplier, shift = feature_multiplier(scale)
    assert 1 << 15 <= multiplier < 1 << 16
    assert multiplier / 2**shift == pytest.approx(1 / (25.6 * scale), rel=2**-16)


@pytest.mark.skipif(audio_frontend._frontend is None, reason="the C front end is not built here")
@pytest.mark.parametrize("zero_point", [-128, -1, 0, 127])
@pytest.mark.parametrize("scale", SCALES)
def test_c_equals_python_for_every_feature(scale: float, zero_point: int) -> None:
    expected = quantize_features(FEATURES, scale, zero_point)
    np.testing.assert_array_equal(quantize_features_c(FEATURES, scale, zero_point), expected)


@pytest.mark.parametrize("scale", SCALES)
def test_rounds_to_the_nearest_integer(scale: float) -> None:
    features = FEATURES[:1024]
    exact = features / (25.6 * scale)
    quantized = quantize_features(features, scale, -128).astype(int) + 128
    inside = exact < 255
    assert inside.any()
    assert np.abs(quantized - exact)[inside].max() <= 0.5 + 255 * 2**-16
    assert (quantized[~inside] == 255).all()


def test_shape_is_kept() -> None:
    features = np.arange(49 * 40, dtype=np.uint16).reshape(1, 49, 40)
    quantized = quantize_features(features, 0.1, -128)
    assert quantized.shape == (1, 49, 40)
    assert quantized.dtype == np.int8


@pytest.mark.parametrize("scale", [0.0, -1.0, 1e-9, 1e9, float("nan"), float("inf")])
def test_impossible_scales_are_refused(scale: float) -> None:
    with pytest.raises(TinymlError, match="input scale"):
        feature_multiplier(scale)
