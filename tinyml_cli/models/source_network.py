"""A network on disk that can be run and exported, and what its kinds share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class InputSpec:
    """One input of a network.

    Attributes:
        name: as the network calls it.
        shape: of one sample, without the batch; None where any size is taken.
        dtype: numpy's name.
    """

    name: str
    shape: tuple[int | None, ...]
    dtype: str

    def accepts(self, shape: Sequence[int]) -> bool:
        """Whether a sample of this shape fits."""
        return len(shape) == len(self.shape) and all(
            mine is None or mine == theirs for mine, theirs in zip(self.shape, shape, strict=True)
        )

    def __str__(self) -> str:
        sizes = ", ".join("any" if size is None else str(size) for size in self.shape)
        return f"`{self.name}` [{sizes}] {self.dtype}"


class SourceNetwork(Protocol):
    """A network that can be run and exported.

    Attributes:
        path: where it lies.
        parameters: number of trained values.
        layer_names: of its layers, at any depth; empty where unknown.
        signature: the SavedModel's function that is run; None for a Keras file.
        rescaling: the factor of a Rescaling layer at its start; None without one, or where unknown.
    """

    path: Path
    inputs: tuple[InputSpec, ...]
    parameters: int
    rescaling: float | None
    layer_names: frozenset[str]
    signature: str | None

    def predict(self, samples: Sequence[Array]) -> list[Array]:
        """Outputs [n, ...] in order, for one array [n, ...] per input."""

    def recurrence(self) -> dict[str, str]:
        """What becomes of each recurrent layer, by name, in words; empty where unknown."""

    def function(self, shapes: Sequence[Sequence[int]]) -> Any:
        """A concrete function of batch 1 and inputs of these shapes; None where `export` is needed."""

    def export(self, folder: str, shapes: Sequence[Sequence[int]]) -> None:
        """Writes a SavedModel whose one signature has batch 1 and inputs of these shapes."""


def input_spec(name: str, shape: Sequence[int | None], dtype: str) -> InputSpec:
    """An input as a framework describes it; `shape` has the batch."""
    return InputSpec(name, tuple(None if size is None else int(size) for size in shape[1:]), str(dtype))


def endpoint(call: Callable[[Sequence[Any]], Sequence[Any]]) -> Callable[..., Any]:
    """What is traced: takes the inputs one by one, gives one output, or several by name."""

    # The names keep the order of outputs, which TensorFlow sorts.
    def one(*samples: Any) -> Any:
        outputs = call(samples)
        return (
            outputs[0] if len(outputs) == 1 else {f"output_{i:02d}": value for i, value in enumerate(outputs)}
        )

    return one


def tensor_specs(tf: Any, inputs: Sequence[InputSpec], shapes: Sequence[Sequence[int]]) -> list[Any]:
    """Batch 1: an open batch size makes Flatten five operators. The names keep the order of inputs."""
    return [
        tf.TensorSpec((1, *shape), each.dtype, name=f"input_{index:02d}")
        for index, (each, shape) in enumerate(zip(inputs, shapes, strict=True))
    ]


def batches(samples: Sequence[Array], size: int) -> Iterator[list[Array]]:
    """Pieces of at most `size` samples of every input."""
    for start in range(0, len(samples[0]), size):
        yield [each[start : start + size] for each in samples]


def joined(parts: Sequence[Sequence[Any]]) -> list[Array]:
    """The outputs of all batches, one array [n, ...] each."""
    return [np.concatenate([np.asarray(value) for value in column]) for column in zip(*parts, strict=True)]
