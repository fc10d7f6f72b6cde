"""The distribution of each activation of a float model on calibration samples, in little memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.tflite import interpret

BINS = 8192
Advance = Callable[[], object]


@dataclass(frozen=True)
class Histogram:
    """Counts between the smallest and the largest value.

    Attributes:
        low: the smallest value, 0 at most: int8 holds zero exactly.
        high: the largest value, 0 at least.
        counts: float64 [BINS], of equal bins between the two.
    """

    low: float
    high: float
    counts: npt.NDArray[np.float64]

    @property
    def centres(self) -> npt.NDArray[np.float64]:
        """The middle of each bin."""
        width = (self.high - self.low) / len(self.counts)
        places: npt.NDArray[np.float64] = np.arange(len(self.counts), dtype=np.float64) + 0.5
        return np.asarray(self.low + width * places, np.float64)


def limits(
    model: bytes, tensors: Sequence[int], inputs: Sequence[npt.NDArray[Any]], advance: Advance | None = None
) -> dict[int, tuple[float, float]]:
    """Smallest and largest value of each tensor, zero always between them.

    Args:
        model: a float32 flatbuffer.
        tensors: indices of what to watch.
        inputs: one array [n, ...] per model input.
        advance: called after each sample.
    """
    found = dict.fromkeys(tensors, (0.0, 0.0))
    for values in _values(model, tensors, inputs, advance):
        for index, array in values.items():
            low, high = found[index]
            found[index] = min(low, float(array.min())), max(high, float(array.max()))
    return found


def histograms(
    model: bytes,
    ranges: dict[int, tuple[float, float]],
    inputs: Sequence[npt.NDArray[Any]],
    advance: Advance | None = None,
) -> dict[int, Histogram]:
    """The histogram of each tensor of `ranges`, between its limits; arguments as of `limits`."""
    counts = {index: np.zeros(BINS) for index in ranges}
    for values in _values(model, list(ranges), inputs, advance):
        for index, array in values.items():
            low, high = ranges[index]
            if high > low:
                counts[index] += np.histogram(array, BINS, (low, high))[0]
    return {index: Histogram(low, high, counts[index]) for index, (low, high) in ranges.items()}


def channel_means(
    model: bytes, tensors: Sequence[int], inputs: Sequence[npt.NDArray[Any]], advance: Advance | None = None
) -> dict[int, npt.NDArray[np.float64]]:
    """Mean of each tensor over samples and all axes but the last; arguments as of `limits`."""
    sums: dict[int, npt.NDArray[np.float64]] = {}
    for values in _values(model, tensors, inputs, advance):
        for index, array in values.items():
            mean = array.reshape(-1, array.shape[-1]).mean(axis=0, dtype=np.float64)
            sums[index] = sums.get(index, np.zeros_like(mean)) + mean
    return {index: total / len(inputs[0]) for index, total in sums.items()}


def _values(
    model: bytes, tensors: Sequence[int], inputs: Sequence[npt.NDArray[Any]], advance: Advance | None
) -> Iterator[dict[int, npt.NDArray[Any]]]:
    """Tensor index -> its values, sample by sample."""
    runtime = interpret.lite_interpreter(model, preserve_all_tensors=True)
    sources = runtime.get_input_details()
    for number in range(len(inputs[0])):
        for source, values in zip(sources, inputs, strict=True):
            runtime.set_tensor(source["index"], values[number].reshape(source["shape"]))
        runtime.invoke()
        yield {index: runtime.get_tensor(index) for index in tensors}
        if advance:
            advance()
