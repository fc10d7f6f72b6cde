"""Settings: derived sizes, and refusals of what the firmware has no room or range for."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tinyml_cli.features.settings import AudioFrontendSettings


def test_defaults() -> None:
    settings = AudioFrontendSettings()
    assert (settings.window_samples, settings.stride_samples, settings.fft_size) == (480, 320, 512)
    assert settings.frames(16000) == 49
    assert settings.frames(479) == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"window_ms": 65}, "window_ms"),
        ({"window_ms": 2}, "window_ms"),
        ({"stride_ms": 31}, "stride_ms"),
        ({"upper_hz": 8000.0}, "upper_hz"),
        ({"lower_hz": 7500.0}, "lower_hz"),
        ({"channels": 65}, "channels"),
        ({"channels": 0}, "channels"),
        ({"smoothing_bits": 2}, "smoothing_bits"),
        ({"pcan_gain_bits": 14}, "pcan_gain_bits"),
        ({"even_smoothing": 1.0}, "even_smoothing"),
        ({"chanels": 40}, "chanels"),
    ],
    ids=str,
)
def test_refusals_name_the_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        AudioFrontendSettings(**change)


def test_settings_cannot_change() -> None:
    with pytest.raises(ValidationError):
        AudioFrontendSettings().channels = 20  # type: ignore[misc]
