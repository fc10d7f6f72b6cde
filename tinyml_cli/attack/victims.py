"""Which items are attacked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.attack.options import AttackOptions
from tinyml_cli.attack.surface import AttackSurface, IntArray
from tinyml_cli.errors import TinymlError
from tinyml_cli.wording import counted

_LOOKED_AT = 6  # times as many items as are wanted, to find those that will do
_NO_LABEL = -2


@dataclass(frozen=True)
class Victims:
    """Items, and the label that the attack is about: the wanted one, or the true one of each.

    Attributes:
        items: integers [n, ...], to judge by.
        labels: int64 [n].
        made_on: integers [m, ...], that perturbations are made on: the same items, or others.
        made_labels: int64 [m].
        not_used: reason -> how many.
    """

    items: npt.NDArray[Any]
    labels: IntArray
    made_on: npt.NDArray[Any]
    made_labels: IntArray
    not_used: dict[str, int]


def choose(surface: AttackSurface, options: AttackOptions, target: int | None) -> Victims:
    """Items that the board gets right, or does not take for the target already.

    A universal perturbation is judged on others than it is made on.

    Raises:
        TinymlError: there are none, or an item that cannot be read.
    """
    items, labels = _candidates(surface, options, target)
    if not len(items):
        raise TinymlError(
            "There are no items to attack",
            str(surface.evaluation.data_dir or surface.evaluation.run.path),
            "Choose another --target, or give items with --data DIR.",
        )
    reported = surface.reported(items)
    if target is None:
        labels = reported if options.item is not None else labels
        usable, why = surface.is_reported(reported, labels), "the board is wrong about them already"
    else:
        labels = np.full(len(items), target, np.int64)
        usable, why = ~surface.is_reported(reported, labels), "the board takes them for the target already"
    parts = 2 if options.universal else 1
    chosen = np.flatnonzero(usable)[: parts * options.items]
    if len(chosen) < parts:
        raise TinymlError(
            f"There is nothing to attack: of {counted(len(items), 'item')}, {int((~usable).sum())} will not "
            f"do, because {why}",
            str(options.item or surface.evaluation.data_dir or surface.evaluation.run.path),
            "Choose another --target or --item, or give more items with --data DIR.",
        )
    lost = int((~usable[: chosen[-1]]).sum())
    made_on = chosen[: len(chosen) // 2] if options.universal else chosen
    judged = chosen[len(chosen) // 2 :] if options.universal else chosen
    return Victims(
        items[judged], labels[judged], items[made_on], labels[made_on], {why: lost} if lost else {}
    )


def _candidates(
    surface: AttackSurface, options: AttackOptions, target: int | None
) -> tuple[npt.NDArray[Any], IntArray]:
    rng = np.random.default_rng([options.seed, 23])
    if options.item is not None:
        return surface.read(options.item), np.array([_NO_LABEL])
    if options.static:
        limits = np.iinfo(surface.items.dtype)
        middle = (int(limits.max) + int(limits.min) + 1) / 2
        noise = rng.normal(middle, surface.static_rms or 1.0, (options.items, *surface.items.shape[1:]))
        return surface.to_items(noise), np.full(options.items, _NO_LABEL)
    rows = rng.permutation(len(surface.items))
    rows = rows[surface.labels[rows] != target][: _LOOKED_AT * options.items]
    return surface.items[rows], surface.labels[rows]
