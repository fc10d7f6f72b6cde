"""What report.html shows of an attack: the curve, and one item before and after."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from tinyml_cli.attack.surface import AttackSurface
from tinyml_cli.outcomes.attacks import Attacked
from tinyml_cli.pages import charts
from tinyml_cli.pages.templates import html


def section(
    surface: AttackSurface,
    pair: tuple[npt.NDArray[Any], npt.NDArray[Any]],
    alone: npt.NDArray[Any],
    outcome: Attacked,
) -> str:
    """HTML of the section.

    Args:
        surface: draws and plays items.
        pair: an item before and after.
        alone: a universal perturbation by itself; else as after.
        outcome: the figures.
    """
    named = [("before", pair[0]), ("after", pair[1])]
    if outcome.universal:
        named.append(("the perturbation alone", alone))
    shown = [(name, surface.picture(item), surface.sound(item)) for name, item in named]
    return html("attack.html", outcome=outcome, chart=charts.attack(outcome), shown=shown, style=surface.look)
