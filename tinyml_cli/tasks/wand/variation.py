"""Augments strokes: rotation, shear, bending, tremor, clipped ends, uneven speed."""

from __future__ import annotations

import numpy as np

from tinyml_cli.recipes.wand import StrokeRecipe
from tinyml_cli.tasks.wand.hand import Path
from tinyml_cli.tasks.wand.strokes import Points, to_points

_BENDS = 3
_FILL = 0.9


def vary(points: Points, recipe: StrokeRecipe, rng: np.random.Generator) -> Points:
    """One random variation of a stroke int8 [n, 2]."""
    path = _retimed(points.astype(np.float64), recipe, rng)
    middle = (path.min(axis=0) + path.max(axis=0)) / 2
    half = max(float(np.ptp(path, axis=0).max()) / 2, 1.0)
    path = (path - middle) / half
    path = _bent(path, recipe.bend, rng)
    path = path + _smooth(rng.normal(0, recipe.tremble, path.shape))
    path = path @ _distortion(recipe, rng)
    # The picture shows neither place nor size; int8 must only not clip.
    return to_points(path / max(float(np.abs(path).max()), 1e-6) * _FILL)


def _retimed(path: Path, recipe: StrokeRecipe, rng: np.random.Generator) -> Path:
    """Cuts the ends, lets time pass unevenly, and rests before and after."""
    n = len(path)
    first, last = rng.uniform(0, recipe.cut_share, 2) * (n - 1)
    share = np.linspace(0, 1, max(n, 8))
    bow, phase = rng.uniform(-recipe.time_warp, recipe.time_warp), rng.uniform(0, 2 * np.pi)
    warped = share + bow * (np.sin(np.pi * share + phase) - np.sin(phase) * (1 - 2 * share)) / np.pi
    warped = np.maximum.accumulate(np.clip(warped, 0, 1))
    at = first + warped * (n - 1 - last - first)
    moved = np.stack([np.interp(at, np.arange(n), path[:, axis]) for axis in range(2)], axis=1)
    rests = rng.uniform(0, recipe.rest_share, 2) * len(moved) * (rng.random(2) < 0.75)
    parts = [np.repeat(moved[:1], int(rests[0]), axis=0), moved, np.repeat(moved[-1:], int(rests[1]), axis=0)]
    return np.concatenate(parts)


def _bent(path: Path, size: float, rng: np.random.Generator) -> Path:
    """Shifts places by slow waves over the plane, so that near points move alike."""
    moved = path.copy()
    for _ in range(_BENDS):
        direction, angle = rng.uniform(0, 2 * np.pi, 2)
        wave = rng.uniform(0.5, 1.5) * np.pi * (path @ np.array([np.cos(angle), np.sin(angle)]))
        push = rng.normal(0, size) * np.sin(wave + rng.uniform(0, 2 * np.pi))
        moved += push[:, None] * np.array([np.cos(direction), np.sin(direction)])
    return moved


def _distortion(recipe: StrokeRecipe, rng: np.random.Generator) -> Path:
    angle = rng.uniform(-recipe.rotate_rad, recipe.rotate_rad)
    stretch = np.exp(rng.uniform(-1, 1) * np.log(recipe.stretch) / 2)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    shear = np.array([[1.0, 0.0], [rng.uniform(-recipe.shear, recipe.shear), 1.0]])
    matrix: Path = shear @ np.diag([stretch, 1 / stretch]) @ turn
    return matrix


def _smooth(noise: Path) -> Path:
    """A hand trembles slower than it is sampled."""
    kernel = np.ones(5) / 5
    return np.stack([np.convolve(noise[:, axis], kernel, "same") for axis in range(2)], axis=1)
