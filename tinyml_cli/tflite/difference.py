"""The differences between two .tflite files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from tinyml_cli.outcomes.inspection import (
    ChangedAbout,
    ChangedCount,
    ChangedOperator,
    ChangedTensor,
    FileDifference,
    ScaleShown,
)
from tinyml_cli.tflite import anatomy
from tinyml_cli.tflite.graph import ABSENT, Graph, QuantizationParameters, Tensor

T = TypeVar("T")


def difference(old_bytes: bytes, old: Graph, new_bytes: bytes, new: Graph) -> FileDifference:
    """Compares two models.

    Tensors are matched by their place in equal operators, so new names do not hide equal weights; where
    the operators differ, by name.
    """
    same_operators = [op.name for op in old.operators] == [op.name for op in new.operators]
    pairs = dict(_by_place(old, new)) if same_operators else dict(_by_name(old, new))
    matched_new = set(pairs.values())
    tensors = [
        change for a, b in sorted(pairs.items()) if (change := _tensor_change(old.tensors[a], new.tensors[b]))
    ]
    only_old = [t.name for t in old.tensors if t.index not in pairs]
    only_new = [t.name for t in new.tensors if t.index not in matched_new]
    changed = _operator_changes(old, new, pairs) if same_operators else []
    wiring = same_operators and _wired_alike(old, new, pairs)
    functions = [f.operators for f in old.functions] == [f.operators for f in new.functions]
    return FileDifference(
        bytes=(len(old_bytes), len(new_bytes)),
        gzip_bytes=(anatomy.gzip_bytes(old_bytes), anatomy.gzip_bytes(new_bytes)),
        same_bytes=old_bytes == new_bytes,
        same_computation=wiring
        and functions
        and not changed
        and all(change.model_fields_set <= _HARMLESS for change in tensors),
        operators=_counts(old, new),
        operators_changed=changed,
        tensors=tensors,
        only_old=only_old,
        only_new=only_new,
        about=_about(old_bytes, old, new_bytes, new),
    )


_HARMLESS = {"index", "name", "renamed"}


def _by_place(old: Graph, new: Graph) -> Iterator[tuple[int, int]]:
    yield from zip(old.inputs, new.inputs, strict=False)
    yield from zip(old.outputs, new.outputs, strict=False)
    for mine, theirs in zip(old.operators, new.operators, strict=True):
        for side in ("inputs", "outputs"):
            for a, b in zip(getattr(mine, side), getattr(theirs, side), strict=False):
                if ABSENT not in (a, b):
                    yield a, b


def _by_name(old: Graph, new: Graph) -> Iterator[tuple[int, int]]:
    named = {t.name: t.index for t in new.tensors if t.name}
    for tensor in old.tensors:
        if tensor.name in named:
            yield tensor.index, named[tensor.name]


def _wired_alike(old: Graph, new: Graph, pairs: dict[int, int]) -> bool:
    """Whether every operator takes and makes the matched tensors, and the signature is the same."""

    def moved(indices: tuple[int, ...]) -> list[int]:
        return [ABSENT if index == ABSENT else pairs[index] for index in indices]

    return (
        moved(old.inputs) == list(new.inputs)
        and moved(old.outputs) == list(new.outputs)
        and all(
            moved(a.inputs) == list(b.inputs) and moved(a.outputs) == list(b.outputs)
            for a, b in zip(old.operators, new.operators, strict=True)
        )
    )


def _counts(old: Graph, new: Graph) -> list[ChangedCount]:
    before, after = (Counter((op.name, op.version) for op in graph.operators) for graph in (old, new))
    return [
        ChangedCount(name=name, version=version, old=before[name, version], new=after[name, version])
        for name, version in sorted(set(before) | set(after))
        if before[name, version] != after[name, version]
    ]


def _operator_changes(old: Graph, new: Graph, pairs: dict[int, int]) -> list[ChangedOperator]:
    changes = []
    for mine, theirs in zip(old.operators, new.operators, strict=True):
        keys = sorted(set(mine.options) | set(theirs.options))
        options = {
            key: (mine.options.get(key), theirs.options.get(key))
            for key in keys
            if mine.options.get(key) != theirs.options.get(key)
        }
        if options or mine.version != theirs.version:
            version = _pair(mine.version, theirs.version)
            changes.append(
                ChangedOperator.of_known(index=mine.index, name=mine.name, options=options, version=version)
            )
    return changes


def _tensor_change(old: Tensor, new: Tensor) -> ChangedTensor | None:
    """What differs of two tensors that stand for each other; None where nothing does."""
    same_scales = _same_quantization(old.quantization, new.quantization)
    change = ChangedTensor.of_known(
        index=(old.index, new.index),
        name=new.name or old.name,
        shape=_pair(list(old.shape), list(new.shape)),
        dtype=_pair(old.dtype, new.dtype),
        quantization=None if same_scales else (_short(old.quantization), _short(new.quantization)),
        constant=_pair(old.data is not None, new.data is not None),
        **vars(_data_change(old, new)),
        renamed=_pair(old.name, new.name),
    )
    return change if change.model_fields_set - {"index", "name"} else None


def _pair(old: T, new: T) -> tuple[T, T] | None:
    """Both where they differ."""
    return None if old == new else (old, new)


@dataclass(frozen=True)
class _DataChange:
    """As the fields of `ChangedTensor`."""

    data: bool | None = None
    max_abs_difference: float | None = None
    changed_share: float | None = None


def _data_change(old: Tensor, new: Tensor) -> _DataChange:
    if old.data is None or new.data is None or old.data.shape != new.data.shape:
        return _DataChange()
    same = old.data.dtype == new.data.dtype and old.data.tobytes() == new.data.tobytes()
    before, after = anatomy.real_values(old), anatomy.real_values(new)
    if before is None or after is None:
        return _DataChange(data=None if same else True)
    distance = np.abs(before - after)
    largest = float(np.nanmax(distance, initial=0.0))
    if same and largest == 0:
        return _DataChange()
    share = float(np.mean(old.data != new.data)) if distance.size else 0.0
    return _DataChange(max_abs_difference=largest, changed_share=share)


def _same_quantization(old: QuantizationParameters | None, new: QuantizationParameters | None) -> bool:
    if old is None or new is None:
        return old is new
    return (
        np.array_equal(old.scales, new.scales)
        and np.array_equal(old.zero_points, new.zero_points)
        and (old.axis == new.axis or not old.per_channel)
    )


def _short(quantization: QuantizationParameters | None) -> ScaleShown | None:
    if quantization is None:
        return None
    return ScaleShown(
        scales=len(quantization.scales),
        scale=float(quantization.scales[0]),
        zero_point=int(quantization.zero_points[0]),
    )


def _about(old_bytes: bytes, old: Graph, new_bytes: bytes, new: Graph) -> ChangedAbout:
    before, after = anatomy.metadata(old_bytes), anatomy.metadata(new_bytes)
    labels = anatomy.labels(before), anatomy.labels(after)
    return ChangedAbout.of_known(
        description=_pair(old.description, new.description),
        labels=_pair(*labels),
        metadata=_pair([entry.name for entry in before], [entry.name for entry in after]),
        signatures=_pair(
            [each.key for each in anatomy.signatures(old_bytes)],
            [each.key for each in anatomy.signatures(new_bytes)],
        ),
    )
