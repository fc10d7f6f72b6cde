"""Softmax regression of rows: the board's bytes are those of numpy, which follow the real gradient."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.firmware.native import compile_harness, run
from tinyml_cli.teaching.row_training import UNKNOWN, RowTraining, practise

VALUES = 64
_NO_ROW = 30  # RowTraining::kUnknown

Step = tuple[np.ndarray, int, int]


def of_board(weights: np.ndarray, biases: np.ndarray, steps: list[Step]) -> bytes:
    data = np.uint32(len(weights)).tobytes()
    data += b"".join(row.tobytes() + bias.tobytes() for row, bias in zip(weights, biases, strict=True))
    data += np.uint32(len(steps)).tobytes()
    for unit, label, rate_bits in steps:
        number = _NO_ROW if label == UNKNOWN else label
        data += unit.tobytes() + np.array([number, rate_bits], np.uint32).tobytes()
    return run(compile_harness("row_training", "teaching", "protocol", "hal"), stdin=data)


def of_numpy(weights: np.ndarray, biases: np.ndarray, steps: list[Step]) -> bytes:
    training = RowTraining.of(weights, biases)
    for step in steps:
        training.step(*step)
    return b"".join(row.tobytes() + bias.tobytes() for row, bias in zip(*training.rows(), strict=True))


def drawn(seed: int, rows: int, steps: int, extreme: bool) -> tuple[np.ndarray, np.ndarray, list[Step]]:
    rng = np.random.default_rng(seed)

    def vector() -> np.ndarray:
        values = rng.choice([-128, 127], VALUES) if extreme else np.rint(rng.normal(0, 16, VALUES))
        return values.clip(-128, 127).astype(np.int8)

    weights = np.stack([vector() for _ in range(rows)])
    most = (1 << 31) - 1 if extreme else 40_000
    biases = rng.integers(-most, most, rows).astype(np.int32)
    return (
        weights,
        biases,
        [(vector(), int(rng.integers(-1, rows)), int(rng.integers(0, 9))) for _ in range(steps)],
    )


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(0, 40), st.booleans())
def test_the_board_gives_the_bytes_of_numpy(seed: int, rows: int, steps: int, extreme: bool) -> None:
    given_ = drawn(seed, rows, steps, extreme)
    assert of_board(*given_) == of_numpy(*given_)


def test_errors_are_those_of_the_softmax() -> None:
    weights, biases, steps = drawn(1, 5, 50, extreme=False)
    training = RowTraining.of(weights, biases)
    for unit, label, _ in steps:
        logits = (weights.astype(float) @ unit + biases) / 2048
        shares = np.exp(np.append(logits, 0) - max(0, logits.max()))
        real = shares[:-1] / shares.sum()
        if label != UNKNOWN:
            real[label] -= 1
        assert np.abs(training.errors(unit, label) / 32768 - real).max() < 0.002


def test_training_separates_what_can_be_separated() -> None:
    rng = np.random.default_rng(2)
    centres = rng.normal(0, 16, (3, VALUES))
    units = [
        np.rint(centre + rng.normal(0, 4, (15, VALUES))).clip(-127, 127).astype(np.int8) for centre in centres
    ]
    training = RowTraining.of(np.zeros((2, VALUES), np.int8), np.zeros(2, np.int32))
    for word in range(2):
        practise(training, units[word], word, units[2], np.ones(15, bool))
    weights, biases = training.rows()
    for word in range(2):
        logits = units[word].astype(int) @ weights.T.astype(int) + biases
        assert (logits.argmax(axis=1) == word).all() and (logits[:, word] > 0).all()
    assert (units[2].astype(int) @ weights.T.astype(int) + biases < 0).all()


@pytest.mark.parametrize("usable", [np.zeros(4, bool), np.zeros(0, bool)])
def test_no_other_sound_is_no_error(usable: np.ndarray) -> None:
    training = RowTraining.of(np.zeros((1, VALUES), np.int8), np.zeros(1, np.int32))
    practise(training, np.ones((2, VALUES), np.int8), 0, np.ones((len(usable), VALUES), np.int8), usable)
    assert training.rows()[1][0] > 0
