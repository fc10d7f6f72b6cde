"""Success against the energy of the perturbation, and one item before and after.

Imports matplotlib, so import this module only to draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.attack.surface import AttackSurface
from tinyml_cli.outcomes.attacks import Attacked, AttackShare
from tinyml_cli.pages import pictures
from tinyml_cli.pages.augmented import show_item

_DPI = 130


def draw(
    path: Path, surface: AttackSurface, pair: tuple[npt.NDArray[Any], npt.NDArray[Any]], outcome: Attacked
) -> None:
    """Writes a PNG.

    Raises:
        TinymlError: the file cannot be written.
    """
    figure = pictures.new(8.5, 4.2)
    grid = figure.add_gridspec(2, 2, width_ratios=[1.9, 1])
    curve = figure.add_subplot(grid[:, 0])
    ratios = [point.snr_db for point in outcome.points]
    _line(
        curve, ratios, [point.device for point in outcome.points], "attack, as the board reports", "#c23b22"
    )
    if outcome.defence is not None:
        defended = [point.device for point in outcome.defence.points]
        _line(curve, ratios, defended, "the same on the defended variant", "#2a9d5c")
    noise = [point.noise_device for point in outcome.points]
    _line(curve, ratios, noise, "noise of the same energy", "#8a94a0")
    curve.invert_xaxis()
    curve.set_xlabel("signal-to-noise ratio (dB): louder to the right")
    curve.set_ylabel("success")
    curve.set_ylim(-0.03, 1.03)
    curve.legend(fontsize=7, loc="best")
    seen = [surface.shown(item) for item in pair]
    limits = min(float(each.min()) for each in seen), max(float(each.max()) for each in seen)
    for row, (name, values) in enumerate(zip(("before", "after"), seen, strict=True)):
        axes = figure.add_subplot(grid[row, 1])
        show_item(axes, values, surface.look, limits)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.set_title(name if row == 0 else f"{name}, {outcome.example_snr_db:g} dB", fontsize=8)
    goal = f"to be taken for {outcome.target}" if outcome.target else "to be taken for anything else"
    figure.suptitle(f"Attack on {Path(outcome.run).resolve().name}: {goal}, n = {outcome.n}", fontsize=10)
    pictures.write(path, figure, _DPI)


def _line(axes: Any, ratios: Sequence[float], shares: Sequence[AttackShare], name: str, colour: str) -> None:
    low, high = np.array([share.ci95 for share in shares]).T
    axes.plot(ratios, [share.share for share in shares], "o-", color=colour, label=name, markersize=4)
    axes.fill_between(ratios, low, high, color=colour, alpha=0.15, linewidth=0)
