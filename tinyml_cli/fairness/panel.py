"""The part of report.html that has sliders: everything that it needs is in the page, nothing is loaded."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.fairness import neighbours
from tinyml_cli.fairness.decision import Decision, Example
from tinyml_cli.fairness.judged import JudgedItems, Strings
from tinyml_cli.fairness.membership import Membership, everyone
from tinyml_cli.outcomes.fairness import MistakeCosts
from tinyml_cli.pages.templates import fragment, script
from tinyml_cli.statistics.metrics import Z_95
from tinyml_cli.user_text import visible

if TYPE_CHECKING:
    from markupsafe import Markup

SCRIPT = "fairness.js"
MOST_ITEMS = 20_000
"""Of each kind; about 5 bytes of the page each."""
MOST_MEDIA = 1_000_000
"""Characters of pictures and sounds."""
MOST_EXAMPLES = 48
_NOBODY = 255

Rows = NDArray[np.int64]


def render(
    decision: Decision, members: Sequence[Membership], costs: MistakeCosts, tolerance: float
) -> Markup:
    """The panel of a run.

    Args:
        decision: thresholds and items.
        members: the groups by each attribute; without any, all items are one group.
        costs: of mistakes, to begin with.
        tolerance: the largest gap that counts as equal, to begin with.
    """
    chosen, tested = _carried(len(decision.choosing)), _carried(len(decision.test))
    choosing, test = decision.choosing.rows(chosen), decision.test.rows(tested)
    labels = [str(label) for label in np.unique(np.concatenate([test.truth, test.answers]))]
    shown = _examples(decision, test, tested)
    attributes = [
        {
            "name": visible(each.attribute),
            "note": each.note,
            "groups": [visible(name) for name in each.names],
            "choosing": _base64(_index(each.chosen_by[chosen], each.names), np.uint8),
            "test": _base64(_index(each.reported[tested], each.names), np.uint8),
        }
        for each in members or [everyone(decision.choosing, decision.test)]
    ]
    data: dict[str, Any] = {
        "values": decision.thresholds.values.tolist(),
        "current": decision.thresholds.current,
        "unit": decision.thresholds.unit,
        "many": decision.items.many,
        "labels": [visible(label) for label in labels],
        "several_labels": len(np.unique(test.answers[test.levels >= 0])) > 1,
        "attributes": attributes,
        "choosing": _items(choosing),
        "test": _items(test),
        "costs": costs.model_dump(),
        "tolerance": tolerance,
        "z": Z_95,
        "examples": _described(decision, shown, test, tested, labels),
    }
    return fragment(
        "fairness.html",
        used=decision.used + _left_behind(decision, len(choosing), len(test)),
        rule=decision.on_the_board,
        items=decision.items,
        unit=decision.thresholds.unit,
        n_test=len(test),
        n_examples=len(shown),
        has_examples=bool(shown),
        has_sound=any(example.sound for example in shown.values()),
        data=_as_json(data),
        script=script(SCRIPT),
    )


def _carried(n: int) -> Rows:
    return np.unique(np.linspace(0, n - 1, min(n, MOST_ITEMS)).astype(np.int64))


def _left_behind(decision: Decision, chosen: int, tested: int) -> str:
    if chosen == len(decision.choosing) and tested == len(decision.test):
        return ""
    return f". This page carries {chosen:,} and {tested:,} of them, evenly spread"


def _items(items: JudgedItems) -> dict[str, str]:
    return {
        "levels": _base64(items.levels + 1, "<u2"),
        "outcomes": _base64(items.outcomes, np.uint8),
    }


def _index(groups: Strings, names: Sequence[str]) -> NDArray[np.int64]:
    place = {name: index for index, name in enumerate(names)}
    return np.array([place.get(str(group), _NOBODY) for group in groups], np.int64)


def _base64(values: NDArray[Any], kind: Any) -> str:
    return base64.b64encode(values.astype(kind).tobytes()).decode("ascii")


def _examples(decision: Decision, test: JudgedItems, tested: Rows) -> dict[int, Example]:
    """Row of the carried items -> what is shown of it; as many as there is room for."""
    found: dict[int, Example] = {}
    room, level = MOST_MEDIA, decision.thresholds.current
    for row in neighbours.chosen(test, lambda rows: decision.inputs(tested[rows]), level, MOST_EXAMPLES):
        example = decision.example(int(tested[row]))
        size = len(example.picture) + len(example.sound)
        room -= size
        if room < 0 or not size:
            break
        found[row] = example
    return found


def _described(
    decision: Decision,
    examples: Mapping[int, Example],
    test: JudgedItems,
    tested: Rows,
    labels: Sequence[str],
) -> list[dict[str, Any]]:
    if not examples:
        return []
    order = neighbours.nearest_first(decision.inputs(tested[list(examples)]))
    return [
        {
            **asdict(example),
            "row": row,
            "truth": labels.index(str(test.truth[row])),
            "answer": labels.index(str(test.answers[row])),
            "source": visible(str(test.sources[row])),
            "nearest": _base64(nearest, np.uint8),
        }
        for (row, example), nearest in zip(examples.items(), order, strict=True)
    ]


def _as_json(data: dict[str, Any]) -> Markup:
    """JSON that cannot end the element that it stands in."""
    from markupsafe import Markup

    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace("&", "\\u0026"))
