"""tinyml compare: puts models side by side."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tinyml_cli import checks
from tinyml_cli.comparison import judge, likeness, pareto, subjects
from tinyml_cli.comparison.cost import ModelCost, cost_of
from tinyml_cli.comparison.judge import Quality
from tinyml_cli.comparison.subjects import ComparedModel
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic
from tinyml_cli.outcomes.comparisons import Compared, ComparedPair, ComparedRow
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


def compare(given: Sequence[str], options: CompareOptions | None = None) -> Compared:
    """Compares the models that arguments name; writes compare.json, compare.png and, if wanted, compare.html.

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
    pairs = _pairs(models, quality)
    document = Compared(
        reference=reference,
        models=_rows(models, quality, costs, reference, pairs),
        pairs=pairs,
        notes=_notes(models, quality, reference),
        evidence={
            "accuracy": "host",
            "flash_bytes": "linked",
            "ram_bytes": "linked",
            "instructions": "emulated",
        },
        picture=None,
        page=None,
    )
    return document if folder is None else _write(document, folder, options)


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
    models: Sequence[ComparedModel],
    quality: dict[str, Quality],
    costs: dict[str, ModelCost],
    reference: str,
    pairs: Sequence[ComparedPair],
) -> list[ComparedRow]:
    """Each model, against the reference as far as that is known."""
    tests = {pair.second: pair for pair in pairs if pair.first == reference}
    tests |= {pair.first: pair for pair in pairs if pair.second == reference}
    start, best = quality.get(reference), _front(models, quality, costs)
    rows = []
    for model in models:
        found, test = quality.get(model.name), tests.get(model.name)
        alike = found is not None and start is not None and found.measure == start.measure
        rows.append(
            ComparedRow(
                name=model.name,
                kind=model.kind,
                path=str(model.path),
                sha256=model.sha256,
                measure=found.measure if found else None,
                value=found.value if found else None,
                ci95=found.ci95 if found else None,
                n=found.n if found else None,
                **asdict(costs[model.name]),
                front=best[model.name],
                difference=found.value - start.value if alike and found and start else None,
                p=test.p if test else None,
                within_chance=test.within_chance if test else None,
            )
        )
    return rows


def _pairs(models: Sequence[ComparedModel], quality: dict[str, Quality]) -> list[ComparedPair]:
    """McNemar's test of every two models that were asked the same items."""
    judged = [(m.name, quality[m.name].right) for m in models if m.name in quality]
    pairs = []
    for (first, one), (second, other) in itertools.combinations(judged, 2):
        result = mcnemar.paired(one, other) if one is not None and other is not None else None
        if result is not None:
            pairs.append(
                ComparedPair(first=first, second=second, **asdict(result), within_chance=result.within_chance)
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


def _front(
    models: Sequence[ComparedModel], quality: dict[str, Quality], costs: dict[str, ModelCost]
) -> dict[str, bool]:
    """Whether each is on the front of quality, flash, RAM and instructions, as far as all were measured."""
    axes = [axis for axis in AXES if any(getattr(cost, axis) is not None for cost in costs.values())]
    points = []
    for model in models:
        values = [getattr(costs[model.name], axis) for axis in axes or ["bytes"]]
        found = quality.get(model.name)
        known = found is not None and None not in values
        points.append((-found.value, *map(float, values)) if known and found else None)
    return dict(zip([model.name for model in models], pareto.front(points), strict=True))


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


def _write(document: Compared, folder: Path, options: CompareOptions) -> Compared:
    from tinyml_cli.comparison.page import render
    from tinyml_cli.comparison.picture import draw

    places = {
        "picture": str(folder / PICTURE) if draw(folder / PICTURE, document.models) else None,
        "page": str(folder / PAGE) if options.html else None,
    }
    document = document.model_copy(update=places)
    write_atomic(folder / DOCUMENT, json.dumps(document.as_dict(), indent=2, ensure_ascii=False) + "\n")
    if options.html:
        write_atomic(folder / PAGE, render(document))
    return document
