"""The learning curve fits a terminal and shows where a training went."""

from __future__ import annotations

import pytest

from tinyml_cli.training.learning_curve import draw


@pytest.mark.parametrize("epochs", [2, 3, 59, 60, 61, 500])
@pytest.mark.parametrize("measure", ["accuracy", "loss"])
def test_it_fits(epochs: int, measure: str) -> None:
    history = [{measure: n / epochs, f"validation_{measure}": n / epochs / 2} for n in range(epochs)]
    lines = draw(history).splitlines()
    assert len(lines) == 9 and max(map(len, lines)) <= 80
    assert draw(history).isascii()
    assert lines[-1].endswith(f"epoch {epochs}")
    # Training rises to the right end of the highest row; validation ends half way.
    assert lines[1].rstrip().endswith(".") and "o" not in lines[1]


def test_one_epoch_and_a_flat_one() -> None:
    assert draw([]) == draw([{"loss": 1.0, "validation_loss": 1.0}]) == ""
    assert "o" in draw([{"loss": 1.0, "validation_loss": 1.0}] * 3)
