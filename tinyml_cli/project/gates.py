"""Judges a run by a project's budgets, and by what no model may be released without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyml_cli import recipes
from tinyml_cli.data import snapshot
from tinyml_cli.errors import TinymlError
from tinyml_cli.next_step import next_step
from tinyml_cli.outcomes.projects import GateResult
from tinyml_cli.project.budgets import Budgets
from tinyml_cli.project.figures import Figure, RunFigures
from tinyml_cli.run import MODEL_INT8, RECIPE, Run
from tinyml_cli.stages.common import is_recipe_of


@dataclass(frozen=True)
class _BudgetKind:
    """How a budget is kept: the figure may be at most the limit, or must be at least that."""

    at_most: bool
    measured_by: tuple[str, ...]

    def is_broken(self, value: float, limit: float) -> bool:
        """Whether a figure is on the wrong side of its limit."""
        return value > limit if self.at_most else value < limit

    @property
    def wrong_side(self) -> str:
        """Where a figure that breaks its budget is."""
        return "above" if self.at_most else "below"


_EVALUATED, _GROUPED = ("evaluate", "RUN"), ("evaluate", "RUN", "--groups", "SPEAKERS.tsv")
_BUILT, _PROFILED = ("build", "RUN", "--board", "BOARD"), ("profile", "RUN", "--board", "BOARD")

BUDGET_KINDS = {
    "flash_bytes": _BudgetKind(True, _BUILT),
    "ram_bytes": _BudgetKind(True, _BUILT),
    "arena_bytes": _BudgetKind(True, _BUILT),
    "model_bytes": _BudgetKind(True, ("convert", "RUN")),
    "inference_ms": _BudgetKind(True, _PROFILED),
    "energy_uj": _BudgetKind(True, _PROFILED),
    "accuracy": _BudgetKind(False, _EVALUATED),
    "worst_recall": _BudgetKind(False, _EVALUATED),
    "worst_group": _BudgetKind(False, _GROUPED),
    "fairness_gap": _BudgetKind(True, _GROUPED),
    "auc": _BudgetKind(False, _EVALUATED),
    "mean_error": _BudgetKind(True, _EVALUATED),
    "false_accepts_per_hour": _BudgetKind(True, ("evaluate-stream", "RUN", "--hours", "3")),
}


def judge_run(
    run: Run,
    budgets: Budgets,
    recipe: Path | None = None,
    data: Path | None = None,
    called: Path | None = None,
) -> list[GateResult]:
    """Every gate, in the order of the table.

    Args:
        run: the run that is judged.
        budgets: the project's limits.
        recipe: the project's recipe, which must be the run's; None: any will do.
        data: the project's data snapshot, on which the run must have been trained; None: any will do.
        called: where people find the run, for commands that measure it; its own folder by default.

    Raises:
        TinymlError: the manifest or the recipe cannot be read.
    """
    figures = RunFigures(run, budgets.board, called)
    return [
        _model(figures),
        *([] if recipe is None else [_recipe(figures, recipe)]),
        *([] if data is None else [_data(figures, data)]),
        *_chance(figures),
        *_parity(figures, budgets),
        *_budgets(figures, budgets),
    ]


def passed(gates: list[GateResult]) -> bool:
    """Whether every gate passed."""
    return all(gate.result == "pass" for gate in gates)


def reasons(gates: list[GateResult]) -> str:
    """Why those did not pass that did not, in a line."""
    return "; ".join(f"{gate.gate}: {gate.reason}" for gate in gates if gate.result != "pass")


def _model(figures: RunFigures) -> GateResult:
    """The int8 model is whole, and of the training that the run holds."""
    try:
        figures.run.require(figures.manifest, MODEL_INT8)
    except TinymlError as error:
        return gate("model", "fail", reason=f"{error.what}. {error.next_step}")
    return gate("model", "pass")


def _recipe(figures: RunFigures, path: Path) -> GateResult:
    """The run was trained by the project's recipe, wherever its data lay and its weights began."""
    run = figures.run
    wanted, kept = recipes.load(path), recipes.load(run.file(RECIPE))
    wanted = wanted.model_copy(update={"data_path": kept.data_path, "start_from": kept.start_from})
    if is_recipe_of(run, wanted):
        return gate("recipe", "pass")
    again = next_step("train", wanted.task, "--config", path, "--run", figures.called)
    return gate(
        "recipe", "fail", reason=f"the run was trained by another recipe than {path.name}. Run {again}"
    )


def _data(figures: RunFigures, path: Path) -> GateResult:
    """The run was trained on the project's data as they are now."""
    wanted = snapshot.load(path).digest
    trained_on = figures.manifest.data.snapshot if figures.manifest.data else None
    if trained_on == wanted:
        return gate("data", "pass")
    what = "data that no snapshot names" if trained_on is None else f"snapshot {trained_on[:12]}"
    return gate("data", "fail", reason=f"the run was trained on {what}, not on {wanted[:12]} of {path.name}")


def _chance(figures: RunFigures) -> Iterator[GateResult]:
    better = figures.quality.get("int8", {}).get("better_than_chance")
    if better is not None:
        reason = "" if better else "the model is no better than chance"
        yield gate("chance", "pass" if better else "fail", reason=reason, evidence="host")


def _parity(figures: RunFigures, budgets: Budgets) -> Iterator[GateResult]:
    """The board answers as TensorFlow Lite Micro does, in every byte."""
    if not budgets.parity:
        return
    device = figures.quality.get("device") or {}
    differ = device.get("mismatches")
    if differ is None or device.get("board") != budgets.board:
        how = _command(("evaluate", "RUN", "--on", "BOARD"), figures)
        yield gate("parity", "not measured", reason=f"not measured on {budgets.board}; {how}")
        return
    reason = f"{differ} of {device['n']} answers of {budgets.board} differ from the reference's"
    yield gate(
        "parity",
        "fail" if differ else "pass",
        figure=Figure(differ, device["level"]),
        limit=0,
        reason=reason if differ else "",
    )


def _budgets(figures: RunFigures, budgets: Budgets) -> Iterator[GateResult]:
    for name, kind in BUDGET_KINDS.items():
        limit = getattr(budgets, name)
        if limit is None:
            continue
        figure = figures.of_budget(name)
        if figure is None and not figures.can_have(name):
            reason = f"models of the task `{figures.manifest.task}` have no such figure: remove the line"
            yield gate(name, "fail", limit=limit, reason=reason)
            continue
        if figure is None:
            how = _command(kind.measured_by, figures)
            yield gate(name, "not measured", limit=limit, reason=f"not measured; {how}")
            continue
        broken = kind.is_broken(figure.value, limit)
        reason = f"{number(figure.value)} is {kind.wrong_side} {number(limit)}" if broken else ""
        yield gate(name, "fail" if broken else "pass", figure=figure, limit=limit, reason=reason)


def number(value: float) -> str:
    """A figure as the table shows it."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.4g}"


def _command(words: tuple[str, ...], figures: RunFigures) -> str:
    places: dict[str, str | Path] = {"RUN": figures.called, "BOARD": figures.board}
    return f"run `{next_step(*(places.get(word, word) for word in words))}`"


def gate(
    name: str,
    result: Any,
    figure: Figure | None = None,
    limit: float | None = None,
    reason: str = "",
    evidence: str = "",
) -> GateResult:
    """One gate.

    Args:
        name: as the table calls it.
        result: pass, fail or not measured.
        figure: what was measured.
        limit: what it was compared with.
        reason: why it did not pass.
        evidence: of a gate without a figure.
    """
    return GateResult(
        gate=name,
        result=result,
        measured=None if figure is None else figure.value,
        limit=limit,
        ci95=None if figure is None else figure.ci95,
        evidence=evidence if figure is None else figure.evidence,
        reason=reason,
    )
