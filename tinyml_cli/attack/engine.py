"""Projected gradient descent on items, whatever they are; the gradient is exact or estimated from scores.

A. Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", ICLR 2018, in the ball of
all perturbations with at most the energy that a signal-to-noise ratio allows; over random delays and rooms as
in A. Athalye et al., "Synthesizing Robust Adversarial Examples", ICML 2018.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from tinyml_cli.attack import rooms
from tinyml_cli.attack.surface import AttackSurface, FloatArray, IntArray

_STEP = 0.15  # of the radius
_START = 0.1
_QUIETER = 0.97
_ENOUGH = 0.02  # a loss that leaves nothing to gain: a probability of 98 %


class Gradient(Protocol):
    """The slope of the loss by each value of the items."""

    def __call__(self, values: FloatArray, labels: IntArray) -> tuple[FloatArray, FloatArray]:
        """Losses float64 [n], which fall as the attack succeeds, and their gradient [n, ...]."""


@dataclass(frozen=True)
class AttackPlan:
    """How to attack.

    Attributes:
        steps: of the descent.
        universal: one perturbation for all items.
        rooms: whether delays and rooms are drawn at every step.
        seed: fixes everything.
    """

    steps: int
    universal: bool = False
    rooms: bool = False
    seed: int = 1


def norms(values: FloatArray) -> FloatArray:
    """Euclidean norm of each, [n]."""
    lengths: FloatArray = np.sqrt(np.square(values).reshape(len(values), -1).sum(axis=1))
    return lengths


def radii(surface: AttackSurface, items: npt.NDArray[Any], snr_db: float, universal: bool) -> FloatArray:
    """The largest norm of a perturbation at a signal-to-noise ratio, in the surface's units, [n].

    A universal one is the same for all items, so that the ratio holds for the median item.
    """
    levels = norms(surface.signal(items))
    if universal:
        levels = np.full(len(levels), np.median(levels))
    allowed: FloatArray = levels * 10 ** (-snr_db / 20)
    return allowed


def project(delta: FloatArray, radius: FloatArray) -> FloatArray:
    """The nearest perturbations [n, ...] that are no louder than radius [n]."""
    shrink = np.minimum(1.0, radius / np.maximum(norms(delta), 1e-30))
    nearest: FloatArray = delta * _like(shrink, delta)
    return nearest


def added(
    surface: AttackSurface, items: npt.NDArray[Any], delta: FloatArray, radius: FloatArray
) -> npt.NDArray[Any]:
    """Integer items with perturbations [n or 1, ...] in units that stay within the radius when rounded."""
    delta = np.broadcast_to(delta, items.shape)
    unit = np.asarray(surface.unit, np.float64)
    scale = np.ones(len(items))
    while True:
        rounded = np.rint(delta * _like(scale, delta) * unit)
        too_loud = norms(rounded / unit) > radius * (1 + 1e-9)
        if not too_loud.any():
            return surface.to_items(items + rounded)
        # Rounding makes many small values louder together: all of them become quieter.
        scale = np.where(too_loud, np.where(scale < 0.1, 0.0, scale * _QUIETER), scale)


def noise(
    surface: AttackSurface, items: npt.NDArray[Any], radius: FloatArray, rng: np.random.Generator
) -> npt.NDArray[Any]:
    """Items with white noise of the energy that an attack may use: what chance achieves."""
    delta = rng.normal(0, 1, items.shape)
    return added(surface, items, delta * _like(radius / norms(delta), delta), radius)


def attack(
    surface: AttackSurface,
    items: npt.NDArray[Any],
    labels: IntArray,
    snr_db: float,
    plan: AttackPlan,
    gradient: Gradient,
    advance: Callable[[int], object] = lambda n: None,
    start: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Perturbations that lower the loss of `gradient`.

    Args:
        surface: what is attacked.
        items: integers [n, ...].
        labels: int64 [n], that the loss is about.
        snr_db: how much weaker than its item a perturbation is.
        plan: how.
        gradient: exact, or estimated.
        advance: called with the number of steps done since the last call.
        start: perturbations to go on from, such as those of a quieter ratio; faint noise by default.

    Returns:
        float64 [n, ...] in units, or [1, ...] of a universal attack; and the radius of each, [n or 1].
    """
    rng = np.random.default_rng([plan.seed, 20, round(100 * snr_db) & 0xFFFF])
    n = 1 if plan.universal else len(items)
    radius = radii(surface, items, snr_db, plan.universal)[:n]
    if start is None:
        delta = rng.normal(0, 1, (n, *items.shape[1:]))
        delta *= _like(_START * radius / norms(delta), delta)
    else:
        delta = project(start, radius)
    best, lowest = delta, np.full(n, np.inf)
    for step in range(plan.steps):
        losses, slope = _slope(surface, items, labels, delta, plan, gradient, rng)
        if not plan.rooms:  # else each step's losses are of other rooms
            better = losses < lowest
            best = np.where(_like(better, delta), delta, best)
            lowest = np.minimum(losses, lowest)
            if lowest.max() < _ENOUGH:
                advance(plan.steps - step)
                break
        length = norms(slope)
        # Where scores say nothing at all, any direction is as good.
        slope = np.where(_like(length > 0, slope), slope, rng.normal(0, 1, slope.shape))
        rate = _STEP * (1 - 0.7 * step / plan.steps)
        delta = project(delta - _like(rate * radius / norms(slope), slope) * slope, radius)
        advance(1)
    return (delta if plan.rooms else best), radius


def _slope(
    surface: AttackSurface,
    items: npt.NDArray[Any],
    labels: IntArray,
    delta: FloatArray,
    plan: AttackPlan,
    gradient: Gradient,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Loss and its gradient by the perturbations, through delays and rooms; a universal one's is the mean."""
    unit = np.asarray(surface.unit, np.float64)
    changed, paths = played(surface, items, delta * unit, plan, rng)
    losses, slope = gradient(changed, labels)
    if paths is not None:
        slope = paths.adjoint(slope)
    slope = slope * unit
    if plan.universal:
        return losses.mean(keepdims=True), slope.mean(axis=0, keepdims=True)
    return losses, slope


def played(
    surface: AttackSurface,
    items: npt.NDArray[Any],
    delta: FloatArray,
    plan: AttackPlan,
    rng: np.random.Generator,
) -> tuple[FloatArray, rooms.Paths | None]:
    """Items as the sensor gets them, float64 [n, ...], and the paths in between.

    A universal sound is played while somebody speaks; any other attack is played as a whole.
    """
    if not plan.rooms or surface.sample_rate_hz is None:
        return items + delta, None
    paths = rooms.draw(len(items), items.shape[1], surface.sample_rate_hz, True, rng)
    if plan.universal:
        return items + paths.apply(delta), paths
    return paths.apply(items + delta), paths


def _like(values: npt.NDArray[Any], items: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """One value for each item, [n], in a shape that multiplies items [n, ...]."""
    return values.reshape(-1, *[1] * (items.ndim - 1))
