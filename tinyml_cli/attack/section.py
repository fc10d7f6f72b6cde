"""What report.html shows of attacks: for each kind the newest, as a curve, and an item before and after."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import numpy.typing as npt

from tinyml_cli.attack.surface import AttackSurface
from tinyml_cli.outcomes.attacks import Attacked
from tinyml_cli.pages import charts
from tinyml_cli.pages.templates import html

_MOST_KINDS = 8
_SECTION = re.compile(r"<!-- attack (\w+) -->\n(.*?)<!-- end of attack -->\n", re.DOTALL)


def with_earlier(earlier: str, new: str, outcome: Attacked) -> str:
    """The sections of the newest attack of each kind, the newest first.

    Args:
        earlier: what this function returned before; "" where the model was not attacked yet.
        new: the section of this attack.
        outcome: its figures.
    """
    kind = [outcome.target, outcome.method, outcome.universal, outcome.rooms, outcome.carrier, outcome.data]
    name = hashlib.sha256(json.dumps(kind).encode()).hexdigest()[:12]
    others = [(other, text) for other, text in _SECTION.findall(earlier) if other != name]
    kept = [(name, f"{new}\n"), *others[: _MOST_KINDS - 1]]
    return "".join(f"<!-- attack {name} -->\n{text}<!-- end of attack -->\n" for name, text in kept)


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
