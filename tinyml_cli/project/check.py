"""`tinyml check`: all budgets and gates of a project in one table."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli.console import console
from tinyml_cli.data.snapshot import SNAPSHOT
from tinyml_cli.next_step import shown
from tinyml_cli.outcomes.projects import GateResult, ProjectChecked
from tinyml_cli.project import budgets, gates
from tinyml_cli.run import RECIPE, Run
from tinyml_cli.wording import counted


def check(run: Run, path: Path) -> ProjectChecked:
    """Judges a run by the budgets in a file, and by the recipe beside it.

    Raises:
        TinymlError: unusable budgets, or a run whose manifest or recipe cannot be read.
    """
    limits = budgets.load(path)
    recipe, data = path.parent / RECIPE, path.parent / SNAPSHOT
    found = gates.judge_run(
        run, limits, recipe if recipe.is_file() else None, data if data.is_file() else None
    )
    return ProjectChecked(run=str(run.path), budgets=str(path), passed=gates.passed(found), gates=found)


def rows(found: list[GateResult]) -> list[tuple[str, ...]]:
    """Gate, measured, limit, evidence and result of each, as people read them."""
    return [(gate.gate, _measured(gate), _limit(gate), gate.evidence, gate.result) for gate in found]


def show(found: list[GateResult], title: str) -> None:
    """The table for people."""
    console.table(title, ("gate", "measured", "limit", "evidence", "result"), rows(found))


def sentence(outcome: ProjectChecked) -> str:
    """The outcome in a line, with the reason."""
    n = len(outcome.gates)
    if outcome.passed:
        return f"{shown(Path(outcome.run))} passes all {counted(n, 'gate')}."
    failed = sum(gate.result != "pass" for gate in outcome.gates)
    return f"{failed} of {counted(n, 'gate')} not passed: {gates.reasons(outcome.gates)}."


def _limit(gate: GateResult) -> str:
    return "" if gate.limit is None else gates.number(gate.limit)


def _measured(gate: GateResult) -> str:
    if gate.measured is None:
        return ""
    interval = f" ({gates.number(gate.ci95[0])}–{gates.number(gate.ci95[1])})" if gate.ci95 else ""
    return f"{gates.number(gate.measured)}{interval}"
