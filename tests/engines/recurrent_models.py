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


def lstm(seed: int, **chosen: Any) -> bytes:
    """A UNIDIRECTIONAL_SEQUENCE_LSTM of the seed; `chosen` sets some of what is drawn otherwise."""
    rng = np.random.default_rng(seed)
    drawn = {
        "time_major": bool(rng.integers(2)),
        "batches": int(rng.integers(1, 4)),
        "steps": int(rng.choice([1, 2, 5, 9])),
        "inputs": int(rng.choice([1, 2, 3, 4, 7, 20])),
        "units": int(rng.choice([1, 2, 3, 4, 8, 13])),
        "zeros": [int(zero) for zero in rng.choice([-128, -4, 0, 30, 127], 2)],
        "cell_power": int(rng.choice([-15, -14, -12, -11, -9, -5])),
        "cell_clip": float(rng.choice([0, 0.3, 10, 1e6])),
        "gains": [float(gain) for gain in rng.choice([0.05, 0.7, 3], 2)],
        "output_scale": float(rng.choice([1 / 128, 1 / 200, 1 / 1000, 1 / 20])),
        "lowest_weight": int(rng.choice([-128, -127])),
    }
    return _lstm(rng, **{**drawn, **chosen})


def _lstm(
    rng: np.random.Generator,
    *,
    time_major: bool,
    batches: int,
    steps: int,
    inputs: int,
    units: int,
    zeros: list[int],
    cell_power: int,
    cell_clip: float,
    gains: list[float],
    output_scale: float,
    lowest_weight: int,
    extra: int | None = None,
    missing: int | None = None,
    variable: bool = True,
    target_scale: float | None = None,
    cell_type: str = "int16",
    cell_scale: float | None = None,
    **options: Any,
) -> bytes:
    model = Model()
    source = float(np.exp(rng.uniform(-6, 0)))
    rows = (steps, batches) if time_major else (batches, steps)
    x = model.tensor((*rows, inputs), source, zeros[0])
    taken = [x] + [ABSENT] * 23

    def weights(position: int, columns: int, scale: float, gain: float) -> float:
        # With this scale, sums of independent values spread over a few units of the gates' functions.
        own = gain * float(rng.uniform(0.5, 2)) / (scale * 74 * 74 * np.sqrt(columns))
        data = rng.integers(lowest_weight, 128, (units, columns))
        taken[position] = model.tensor((units, columns), own, data=data)
        return own

    for gate in range(4):
        own = weights(1 + gate, inputs, source, gains[0])
        weights(5 + gate, units, output_scale, gains[1])
        spread = int(min(2 / (source * own), 2**30))
        taken[12 + gate] = model.tensor(
            (units,), source * own, dtype="int32", data=rng.integers(-spread, spread + 1, units)
        )
    taken[18] = model.tensor((batches, units), output_scale, zeros[1], variable=variable)
    taken[19] = model.tensor((batches, units), cell_scale or 2.0**cell_power, dtype=cell_type, variable=True)
    if extra is not None:
        taken[extra] = model.tensor((units,), 0.01, dtype="int16", data=np.ones(units))
    if missing is not None:
        taken[missing] = ABSENT
    y = model.tensor((*rows, units), target_scale or output_scale, zeros[1])
    fields = {"fusedActivationFunction": 4, "cellClip": cell_clip, "timeMajor": time_major, **options}
    model.operator("UNIDIRECTIONAL_SEQUENCE_LSTM", taken, [y], "UnidirectionalSequenceLSTMOptions", **fields)
    return model.build([x], [y])
