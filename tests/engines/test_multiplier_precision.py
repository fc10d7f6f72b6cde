"""Products of scales in double precision: sums at which single precision would round to another output.

Random sums hardly ever tell the two apart: they differ by 2^-25, so only large sums next to a tie show it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.engines.flatbuffer_models import Model
from tests.engines.many_networks import Judge, build
from tests.engines.recurrent_models import ABSENT
from tinyml_cli.engines.aot.arithmetic import quantize_multiplier
from tinyml_cli.engines.aot.fixed_point import rescale

INPUTS = 2000
HIGHEST = 255
"""What an input of 127 stands for with the zero point -128."""
GATE_SCALE = 2.0**-12

Scales = tuple[float, float, float]


def telling(seed: int, power: float, fixed: float | None = None) -> tuple[Scales, npt.NDArray[np.int64]]:
    """Scales a * b / c near 2^power, and sums that single precision of a * b rounds to other outputs.

    Args:
        fixed: the scale c.
    """
    rng = np.random.default_rng(seed)
    while True:
        a = np.float32(np.exp(rng.uniform(-6, -1)))
        b = np.float32(np.exp(rng.uniform(-6, -1)) if fixed is None else 2**power * fixed / a)
        c = np.float32(float(a) * float(b) / 2**power if fixed is None else fixed)
        double = quantize_multiplier(float(a) * float(b) / float(c))
        single = quantize_multiplier(float(a * b) / float(c))
        if double.shift == single.shift and abs(double.significand - single.significand) > 45:
            break
        power -= 0.01
    real = double.significand * 2.0 ** (double.shift - 31)
    near = [round((k + 0.5) / real) + d for k in range(60, 120) for d in range(-6, 7)]
    sums = [x for x in near if x < INPUTS * 127 * 250 and rescale(x, double) != rescale(x, single)]
    assert len(sums) > 8
    return (float(a), float(b), float(c)), np.array(sums)


def weights_of(sums: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.int64]]:
    """An input, and weights with which it gives these sums: many inputs of HIGHEST, and three of 1."""
    values = np.full((1, INPUTS), 127, np.int8)
    values[0, -3:] = -127
    weights = np.zeros((len(sums), INPUTS), np.int64)
    for row, total in zip(weights, sums, strict=True):
        high = round(total / HIGHEST)
        rest = total - HIGHEST * high
        row[: high // 127], row[high // 127] = 127, high % 127
        for position in (-1, -2, -3):
            row[position] = np.clip(rest, -127, 127)
            rest -= row[position]
        assert rest == 0
    return values, weights


def product(operator: str, options: str, **fields: bool) -> tuple[bytes, np.ndarray]:
    (a, b, c), sums = telling(0, -18.9)
    values, weights = weights_of(sums)
    model = Model()
    x, w = model.tensor(values.shape, a, -128), model.tensor(weights.shape, b, data=weights)
    y = model.tensor((1, len(sums)), c)
    model.operator(operator, [x, w], [y], options, **fields)
    return model.build([x], [y]), values


def svdf() -> tuple[bytes, np.ndarray]:
    """The bias is the sum over time."""
    (a, b, c), sums = telling(0, -18.9)
    model, units = Model(), len(sums)
    x, w = model.tensor((1, 4), 0.1), model.tensor((units, 4), 0.1, data=np.zeros((units, 4)))
    time = model.tensor((units, 1), b, dtype="int16", data=np.ones((units, 1)))
    bias = model.tensor((units,), a * b, dtype="int32", data=sums)
    state = model.tensor((1, units), a, dtype="int16", variable=True)
    y = model.tensor((1, units), c)
    model.operator("SVDF", [x, w, time, bias, state], [y], "SVDFOptions", rank=1)
    return model.build([x], [y]), np.zeros((1, 4), np.int8)


def lstm() -> tuple[bytes, np.ndarray]:
    """The bias is the cell gate's sum; with these scales the output is the gate in Q3.12."""
    (a, b, _), sums = telling(0, -18.9, GATE_SCALE)
    model, units = Model(), len(sums)
    x = model.tensor((1, 1, 4), a)
    taken = [x] + [ABSENT] * 23
    for gate in range(4):
        taken[1 + gate] = model.tensor((units, 4), b, data=np.zeros((units, 4)))
        taken[5 + gate] = model.tensor((units, units), b, data=np.zeros((units, units)))
        own = sums if gate == 2 else np.zeros(units)
        taken[12 + gate] = model.tensor((units,), a * b, dtype="int32", data=own)
    taken[18] = model.tensor((1, units), 2.0**-14, variable=True)
    taken[19] = model.tensor((1, units), 2.0**-15, dtype="int16", variable=True)
    y = model.tensor((1, 1, units), 2.0**-14)
    options = "UnidirectionalSequenceLSTMOptions"
    model.operator("UNIDIRECTIONAL_SEQUENCE_LSTM", taken, [y], options, fusedActivationFunction=4)
    return model.build([x], [y]), np.zeros((1, 1, 4), np.int8)


MAKERS: dict[str, Callable[[], tuple[bytes, np.ndarray]]] = {
    "FULLY_CONNECTED": lambda: product("FULLY_CONNECTED", "FullyConnectedOptions"),
    "BATCH_MATMUL": lambda: product("BATCH_MATMUL", "BatchMatMulOptions", adjY=True),
    "SVDF": svdf,
    "LSTM": lstm,
}


@pytest.mark.parametrize("operator", MAKERS)
def test_products_of_scales_are_double(operator: str, tmp_path: Path) -> None:
    model, values = MAKERS[operator]()
    (network,) = build([model], tmp_path / operator)
    np.testing.assert_array_equal(network.run([values])[0], Judge(model).run([values])[0])
