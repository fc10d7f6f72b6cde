"""Numbers and names as the profile prints them."""

from __future__ import annotations

import pytest

from tinyml_cli.profile.text import readable, short


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"), (0, "0"), (7, "7"), (999, "999"), (999.4, "999"), (1000, "1.00K"), (0.034, "0.03"),
        (9.994, "9.99"), (9.996, "10.0"), (99.96, "100"), (12_345, "12.3K"), (999_499, "999K"),
        (999_600, "1.00M"), (2_656_768, "2.66M"), (3.2e9, "3.20G"), (1.5e13, "15000G"),
    ],
)  # fmt: skip
def test_short_numbers(value: float | None, text: str) -> None:
    assert short(value) == text


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("network_invoke", "network_invoke"),
        ("_Z13parse_commandPcjP7Command", "parse_command"),
        ("_ZN7Session4stepEv", "Session::step"),
        ("_ZNK9Inference5readyEv", "Inference::ready"),
        ("_ZN6tflite12_GLOBAL__N_14EvalEP13TfLiteContextP10TfLiteNode", "tflite::Eval"),
        ("_ZL4tickv", "tick"),
        ("_Z", "_Z"),
        ("_Z999short", "short"),
        ("_ZN", "_ZN"),
    ],
)
def test_readable_symbols(symbol: str, name: str) -> None:
    assert readable(symbol) == name
