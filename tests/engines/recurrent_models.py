"""Models of one recurrent operator each: random shapes, scales, zero points and weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.engines.flatbuffer_models import Model

ABSENT = -1


def svdf(seed: int, **chosen: Any) -> bytes:
    """An SVDF of the seed; `chosen` sets some of what is drawn otherwise."""
    rng = np.random.default_rng(seed)
    drawn = {
        "state": str(rng.choice(["int8", "int16"])),
        "batches": int(rng.integers(1, 4)),
        "inputs": int(rng.choice([1, 2, 3, 4, 5, 8, 13, 40])),
        "outputs": int(rng.choice([1, 2, 3, 5, 8, 17])),
        "rank": int(rng.choice([1, 1, 2, 3])),
        "memory": int(rng.choice([1, 2, 5, 8, 10])),
        "zeros": [int(zero) for zero in rng.choice([-128, -7, 0, 3, 90, 127], 3)],
        "gain": float(rng.choice([0.02, 0.3, 1, 8])),
        "lowest_weight": int(rng.choice([-128, -127])),
    }
    return _svdf(rng, **{**drawn, **chosen})


def _svdf(
    rng: np.random.Generator,
    *,
    state: str,
    batches: int,
    inputs: int,
    outputs: int,
    rank: int,
    memory: int,
    zeros: list[int],
    gain: float,
    lowest_weight: int,
    bias_spread: float = 1.0,
    bias_gain: float = 1.0,
    time_type: str = "",
    variable: bool = True,
    shared: bool = False,
    declared_rank: int = 0,
) -> bytes:
    limits, filters = np.iinfo(state), outputs * rank
    # Scales with which sums of independent values fill the types' ranges.
    source, weight, over_time = (float(scale) for scale in np.exp(rng.uniform(-6, 0, 3)))
    typical_sum = 70 * 74 * np.sqrt(inputs)
    typical_total = limits.max / 3 * limits.max / 1.7 * np.sqrt(memory * rank)
    kept = source * weight * typical_sum / (limits.max / 3)
    target = kept * over_time * typical_total / 40 / gain
    model = Model()
    x = model.tensor((batches, inputs), source, zeros[0])
    features = model.tensor(
        (filters, inputs), weight, data=rng.integers(lowest_weight, 128, (filters, inputs))
    )
    times = model.tensor((filters, memory), over_time, dtype=time_type or state,
                         data=rng.integers(limits.min, limits.max + 1, (filters, memory)))  # fmt: skip
    spread = int(min(bias_spread * typical_total, 2**31 - 1))
    scale = bias_gain * float(np.float32(kept) * np.float32(over_time))
    bias = model.tensor((outputs,), scale, dtype="int32",
                        data=rng.integers(-spread, spread + 1, outputs))  # fmt: skip
    zero = zeros[1] if state == "int8" else 0
    remembered = model.tensor((batches, filters * memory), kept, zero, dtype=state, variable=variable)
    y = model.tensor((batches, outputs), target, zeros[2])
    rank = declared_rank or rank
    model.operator(
        "SVDF",
        [x, features, times, bias, remembered],
        [y],
        "SVDFOptions",
        rank=rank,
        fusedActivationFunction=1,
    )
    if shared:
        model.operator(
            "RELU", [remembered], [model.tensor((batches, filters * memory), kept, zero, dtype=state)]
        )
    return model.build([x], [y])
