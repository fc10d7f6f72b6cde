"""Runs model inputs through a device's own engine, to compare its int8 outputs byte for byte."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.link.link import Link
from tinyml_cli.tflite.streaming import hops


@dataclass(frozen=True)
class DeviceRun:
    """What a device answered.

    Attributes:
        outputs: int8 [n, output_bytes].
        instructions: int64 [n], per inference; 0 where the device has no counter.
    """

    outputs: NDArray[np.int8]
    instructions: NDArray[np.int64]


def run_inputs(link: Link, inputs: NDArray[np.int8]) -> DeviceRun:
    """Runs int8 inputs [n, ...] one after another.

    Raises:
        TinymlError: an input of another size than the model's, or a device that does not answer.
    """
    outputs, instructions = [], []
    for values in inputs:
        link.write_input(values)
        answer = link.run_inference()
        outputs.append(np.frombuffer(answer.data, np.int8))
        instructions.append(answer.instructions)
    return DeviceRun(np.stack(outputs), np.array(instructions, np.int64))


def run_windows(link: Link, windows: NDArray[np.int8], hop: int) -> DeviceRun:
    """Runs int8 windows [n, frames, ...] through a streaming model, each from a reset on.

    Args:
        link: to a device whose model takes `hop` frames.
        windows: what the answers are about.
        hop: new frames in each inference.

    Returns:
        The output after each window's last frame; instructions of that one inference.

    Raises:
        TinymlError: as `run_inputs`.
    """
    runs = []
    for window in windows:
        link.reset()
        runs.append(run_inputs(link, hops(window, hop)))
    return DeviceRun(
        np.stack([run.outputs[-1] for run in runs]), np.stack([run.instructions[-1] for run in runs])
    )


def device_outputs(link: Link, inputs: NDArray[np.int8]) -> NDArray[np.int8]:
    """int8 outputs [n, output_bytes] for int8 inputs [n, ...]; raises like `run_inputs`."""
    return run_inputs(link, inputs).outputs
