"""tinyml compare: puts models side by side."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tinyml_cli import checks
from tinyml_cli.comparison import judge, likeness, pareto, subjects
from tinyml_cli.comparison.cost import ModelCost, cost_of
from tinyml_cli.comparison.judge import Quality
from tinyml_cli.comparison.subjects import ComparedModel
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic
from tinyml_cli.statistics import mcnemar
from tinyml_cli.variants import parent_of

DOCUMENT, PICTURE, PAGE = "compare.json", "compare.png", "compare.html"
# What the picture sets quality against, and what a model must not lose in to stay on the front.
AXES = ("flash_bytes", "ram_bytes", "instructions")


@dataclass(frozen=True)
class CompareOptions:
    """How to compare.

    Attributes:
        data: recordings to judge on; the runs' own test sets by default.
        split: which part of them.
        against: name of the model that the others are tested against; the first one by default.
        on_board: whether to build firmware and count instructions on the virtual board.
        out: folder of the outcome; `report/` of the first run by default.
        html: whether to write a page too.
        engine: of the firmware.
    """

    data: Path | None = None
    split: str | None = None
    against: str | None = None
    on_board: bool = True
    out: Path | None = None
    html: bool = False
    engine: str | None = None


def compare(given: Sequence[str], options: CompareOptions | None = None) -> dict[str, Any]:
    """Compares the models that arguments name; writes compare.json, compare.png and, if wanted, compare.html.

    Returns:
        What docs/json.md lists under `compare`.

    Raises:
        TinymlError: nothing to compare, runs of different tasks or labels, unknown names, unusable data, or a
            folder that cannot be written.
    """
    options = options or CompareOptions()
    models = subjects.find(given)
    likeness.refuse_unlike(models)
    reference = _reference(models, options.against)
    folder = _folder(models, options)
    quality = judge.judge(models, options.data, options.split)
    costs = _costs(models, options)
    document: dict[str, Any] = {
        "reference": reference,
        "models": _rows(models, quality, costs),
        "pairs": _pairs(models, quality),
        "notes": _notes(models, quality, reference),
        "evidence": {
            "accuracy": "host",
            "flash_bytes": "linked",
            "ram_bytes": "linked",
            "instructions": "emulated",
        },
    }
    _mark_front(document["models"])
    _against_reference(document)
    if folder is None:
        return document | {"picture": None, "page": None}
    return document | _write(document, folder, options)


def _reference(models: Sequence[ComparedModel], wanted: str | None) -> str:
    names = [model.name for model in models]
    if wanted is None:
        return names[0]
    if wanted in names:
        return wanted
    ending = [name for name in names if name.endswith((f"/{wanted}", f" {wanted}"))]
    if len(ending) == 1:
        return ending[0]
    raise TinymlError(f"No single model matches `{wanted}`", "--against", f"Models: {', '.join(names)}.")


def _costs(models: Sequence[ComparedModel], options: CompareOptions) -> dict[str, ModelCost]:
    costs = {}
    with console.progress(len(models), "building and counting" if options.on_board else "measuring") as bar:
        for model in models:
            costs[model.name] = cost_of(model.data, model.name, options.on_board, options.engine)
            bar.advance(1, model.name)
    return costs


def _rows(
    models: Sequence[ComparedModel], quality: dict[str, Quality], costs: dict[str, ModelCost]
) -> list[dict[str, Any]]:
    rows = []
    for model in models:
        found = quality.get(model.name)
        rows.append(
            {
                "name": model.name,
                "kind": model.kind,
                "path": str(model.path),
                "sha256": model.sha256,
                "measure": found.measure if found else None,
                "value": found.value if found else None,
                "ci95": list(found.ci95) if found and found.ci95 else None,
                "n": found.n if found else None,
                **asdict(costs[model.name]),
            }
        )
    return rows


def _pairs(models: Sequence[ComparedModel], quality: dict[str, Quality]) -> list[dict[str, Any]]:
    """McNemar's test of every two models that were asked the same items."""
    judged = [(m.name, quality[m.name].right) for m in models if m.name in quality]
    pairs = []
    for (first, one), (second, other) in itertools.combinations(judged, 2):
        result = mcnemar.paired(one, other) if one is not None and other is not None else None
        if result is not None:
            pairs.append(
                {"first": first, "second": second, **asdict(result), "within_chance": result.within_chance}
            )
    return pairs


def _notes(models: Sequence[ComparedModel], quality: dict[str, Quality], reference: str) -> list[str]:
    """In what the models' test items differ from the reference's."""
    if reference not in quality:
        return []
    others = [model.name for model in models if model.name in quality and model.name != reference]
    notes = [
        likeness.difference_of_items(name, quality[name], reference, quality[reference]) for name in others
    ]
    return [note for note in notes if note]


def _mark_front(rows: list[dict[str, Any]]) -> None:
    """Sets `front` of each row: over quality, flash, RAM and instructions, as far as all were measured."""
    axes = [axis for axis in AXES if any(row[axis] is not None for row in rows)] or ["bytes"]
    points = []
    for row in rows:
        values = [row[axis] for axis in axes]
        known = row["value"] is not None and None not in values
        points.append((-row["value"], *map(float, values)) if known else None)
    for row, best in zip(rows, pareto.front(points), strict=True):
        row["front"] = best


def _against_reference(document: dict[str, Any]) -> None:
    """Sets `difference`, `p` and `within_chance` of each row against the reference; None where not known."""
    reference = document["reference"]
    start = next(row for row in document["models"] if row["name"] == reference)
    tests = {
        pair["second"] if pair["first"] == reference else pair["first"]: pair
        for pair in document["pairs"]
        if reference in (pair["first"], pair["second"])
    }
    for row in document["models"]:
        same = row["measure"] is not None and row["measure"] == start["measure"]
        row["difference"] = row["value"] - start["value"] if same else None
        test = tests.get(row["name"])
        row["p"] = test["p"] if test else None
        row["within_chance"] = test["within_chance"] if test else None


def _folder(models: Sequence[ComparedModel], options: CompareOptions) -> Path | None:
    """Where to write; None where nothing is to be, or can be: the table is shown all the same.

    Raises:
        TinymlError: a page that has no folder, or one that cannot be written.
    """
    run = next((model.run for model in models if model.run is not None), None)
    folder = options.out or (None if run is None else parent_of(run).file("report"))
    if folder is None:
        if options.html:
            raise TinymlError(
                "A page about single files needs a folder", "--html", "Give one: --out comparison"
            )
        return None
    try:
        checks.output_folder(folder)
    except TinymlError as error:
        if options.html or options.out is not None:
            raise
        console.warn(f"the comparison is not saved: {error}")
        return None
    return folder


def _write(document: dict[str, Any], folder: Path, options: CompareOptions) -> dict[str, Any]:
    from tinyml_cli.comparison.page import render
    from tinyml_cli.comparison.picture import draw

    places = {
        "picture": str(folder / PICTURE) if draw(folder / PICTURE, document) else None,
        "page": str(folder / PAGE) if options.html else None,
    }
    text = json.dumps(document | places, indent=2, ensure_ascii=False)
    write_atomic(folder / DOCUMENT, text + "\n")
    if options.html:
        write_atomic(folder / PAGE, render(document))
    return places
