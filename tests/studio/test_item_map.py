"""The map of items: groups stay together, whatever is between them, and equal items do no harm."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tinyml_cli.studio.item_map import plane

_GROUPS, _EACH = 8, 25


def groups() -> tuple[NDArray[np.float32], NDArray[np.int_]]:
    """More groups than two straight axes can tell apart, and two items that are one."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(_GROUPS), _EACH)
    vectors = (2 * np.eye(_GROUPS, 30)[labels] + rng.normal(0, 0.2, (len(labels), 30))).astype(np.float32)
    vectors[1] = vectors[0]
    return vectors, labels


def alike(at: NDArray[np.float32], labels: NDArray[np.int_]) -> float:
    """How many of the five nearest have the label."""
    apart = np.square(at[:, None] - at[None]).sum(axis=2) + np.eye(len(at)) * 9
    return float((labels[np.argsort(apart, axis=1)[:, :5]] == labels[:, None]).mean())


def test_neighbours_stay_together() -> None:
    vectors, labels = groups()
    by_neighbours = plane(vectors, labels.tolist())
    by_components = plane(vectors, labels.tolist(), "components")
    assert alike(by_neighbours.at, labels) > 0.98 > alike(by_components.at, labels)
    assert np.array_equal(by_neighbours.at, plane(vectors, labels.tolist()).at)
    assert by_neighbours.twins.tolist()[:3] == [-1, 0, -1]


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4, 12])
def test_few_or_equal_items_have_a_place(number: int) -> None:
    for vectors in (np.ones((number, 5), np.float32), np.eye(number, 5, dtype=np.float32)):
        at = plane(vectors, [0] * number).at
        assert at.shape == (number, 2)
        assert ((at >= 0) & (at <= 1)).all()
