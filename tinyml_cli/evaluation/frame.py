"""The one way in which a run's models are judged; a task fills in what is its own."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.fairness_panel import filled
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.fairness.decision import Decision
from tinyml_cli.features.drift_settings import Reference
from tinyml_cli.files import write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.evaluations import Evaluated
from tinyml_cli.pages.templates import put
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8, Run
from tinyml_cli.statistics.groups import read_groups
from tinyml_cli.training.federated.files import FEDERATION_SECTION

METRICS = "report/metrics.json"
"""The --json output of an evaluation, kept in the run."""
REPORT = "report/report.html"
ATTACK = "report/attack.json"
"""The --json output of `tinyml attack`."""
ATTACK_SECTION = "report/attack.html"
"""What `tinyml attack` leaves for the report."""
_SECTIONS = {"federation": FEDERATION_SECTION, "attack": ATTACK_SECTION}

Split = Literal["test", "all"]

Items = TypeVar("Items")
Found = TypeVar("Found")
Result = TypeVar("Result", bound=Evaluated)
Section = TypeVar("Section", bound=BaseModel)


class Evaluation(ABC, Generic[Items, Found, Result]):
    """One evaluation of a run: `judge` calls these methods in their order.

    Attributes:
        only_in_metrics: keys of the outcome that are too long for the manifest.
    """

    only_in_metrics: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, run: Run, data_dir: Path | None, split: Split | None, options: EvaluationOptions
    ) -> None:
        """Refuses what cannot be judged before any data are read.

        Raises:
            TinymlError: a model is missing or stale.
        """
        self.run = run
        self.manifest = run.manifest()
        self.data_dir = data_dir
        self.split = split
        self.options = options

    @abstractmethod
    def load(self) -> Items:
        """What the models are judged by.

        Raises:
            TinymlError: there is nothing, or it is unusable.
        """

    @abstractmethod
    def ask(self, items: Items) -> Found:
        """Both models' answers."""

    @abstractmethod
    def measure(self, items: Items, found: Found) -> Result:
        """The outcome, with a board's answers where one was asked for."""

    def draw(self, outcome: Result, items: Items, found: Found) -> Sequence[str]:
        """Writes pictures; their names in the run."""
        return ()

    @abstractmethod
    def page(self, outcome: Result, items: Items) -> str:
        """The report, HTML."""

    def reference(self, items: Items, found: Found) -> Reference | None:
        """What `tinyml drift` compares a board's log with."""
        return None

    def decision(self, items: Items, found: Found | None = None) -> Decision | None:
        """How the board decides by a threshold, and on what; None for a task that has none.

        Args:
            items: what is judged.
            found: both models' answers, where `ask` gave them; otherwise the int8 model is asked.
        """
        return None

    @abstractmethod
    def show(self, outcome: Result) -> None:
        """Tables for people."""

    def warning(self, outcome: Result) -> str:
        """What is wrong with models that are no better than chance; "" otherwise."""
        return ""

    @property
    def source(self) -> str | None:
        """`data` of the outcome."""
        return str(self.data_dir) if self.data_dir else None


def section(run: Run, found: Section | None, name: str) -> Section:
    """A section that the manifest of a run of this task must have.

    Raises:
        TinymlError: it is None.
    """
    if found is None:
        raise TinymlError(
            f"The manifest lacks its section `{name}`",
            str(run.path),
            f"Train it again: {run.train_again()}",
        )
    return found


def judge(evaluation: Evaluation[Items, Found, Result]) -> Result:
    """Judges a run's models; writes report/report.html, report/metrics.json, pictures and the manifest.

    Raises:
        TinymlError: nothing to evaluate on, or a board that does not answer.
    """
    run, groups = evaluation.run, evaluation.options.groups
    tables = None if groups is None else read_groups(groups)
    items = evaluation.load()
    found = evaluation.ask(items)
    outcome = evaluation.measure(items, found)
    decision = evaluation.decision(items, found)
    members = None
    if decision is not None and groups is not None and tables is not None:
        members = decision.groups_of(tables, groups, strict=False)
    page, figures = filled(evaluation.page(outcome, items), decision, members), outcome.as_dict()
    write_atomic(run.file(METRICS), json.dumps(figures, indent=2, ensure_ascii=False) + "\n")
    write_atomic(run.file(REPORT), _with_sections(run, run.manifest(), page))
    pictures = evaluation.draw(outcome, items, found)
    manifest = run.manifest()
    # The manifest describes the model in a few lines; report/metrics.json has everything.
    long = ("run", *evaluation.only_in_metrics)
    manifest.metrics["evaluate"] = {key: value for key, value in figures.items() if key not in long}
    manifest.reference = evaluation.reference(items, found) or manifest.reference
    for name in (METRICS, REPORT, *pictures):
        run.record(manifest, name, "tinyml evaluate", [MODEL_FLOAT32, MODEL_INT8])
    run.save(manifest)
    evaluation.show(outcome)
    if text := evaluation.warning(outcome):
        console.warn(text)
    return outcome


def show_attack(run: Run, manifest: Manifest) -> None:
    """Puts ATTACK_SECTION into the report, if there is one of these models; the manifest is to be saved."""
    change_report(run, manifest, lambda page: _with_sections(run, manifest, page))


def change_report(run: Run, manifest: Manifest, change: Callable[[str], str]) -> str | None:
    """Changes the page of the report; the manifest is to be saved.

    Args:
        run: whose report it is.
        manifest: in which it is entered.
        change: old page -> new one.

    Returns:
        The new page; None where there is no report of these models.
    """
    if not run.is_fresh(manifest, REPORT):
        return None
    page = change(run.file(REPORT).read_text(encoding="utf-8"))
    write_atomic(run.file(REPORT), page)
    run.record(manifest, REPORT, "tinyml evaluate", [MODEL_FLOAT32, MODEL_INT8])
    return page


def _with_sections(run: Run, manifest: Manifest, page: str) -> str:
    """The page with what other commands left for it, where that is of this very model."""
    for name, section in _SECTIONS.items():
        if run.is_fresh(manifest, section):
            page = put(page, name, run.file(section).read_text(encoding="utf-8"))
    return page
