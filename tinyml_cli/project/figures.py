"""What was measured of a run, as far as it still belongs to the run's model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyml_cli.evaluation.frame import METRICS
from tinyml_cli.manifest import Manifest
from tinyml_cli.profile.outcome import of_this_model
from tinyml_cli.run import Run, board_model
from tinyml_cli.statistics.groups import NOT_LISTED

_STREAM = "report/stream.json"

Document = dict[str, Any]


@dataclass(frozen=True)
class Figure:
    """A measured value.

    Attributes:
        value: in the unit of its budget.
        evidence: host, linked, emulated, estimated or on the board.
        ci95: its 95 % interval, where it has one.
    """

    value: float
    evidence: str
    ci95: tuple[float, float] | None = None


class RunFigures:
    """The figures of one run on one board; each is None where it was not measured, or of an older model."""

    def __init__(self, run: Run, board: str, called: Path | None = None) -> None:
        self.run = run
        self.called = run.path if called is None else called
        self.board = board
        self.manifest: Manifest = run.manifest()
        self.quality = self._fresh_json(METRICS)
        self._stream = self._fresh_json(_STREAM)
        self._profile = of_this_model(self.run, self.manifest) or {}

    def of_budget(self, name: str) -> Figure | None:
        """The figure that a budget limits.

        Args:
            name: a key of `Budgets` that is a number.
        """
        readers: dict[str, Callable[[], Figure | None]] = {
            "flash_bytes": lambda: self._of_firmware("flash_bytes"),
            "ram_bytes": lambda: self._of_firmware("ram_bytes"),
            "arena_bytes": lambda: self._of_firmware("arena_bytes"),
            "model_bytes": self._model_bytes,
            "inference_ms": self._inference_ms,
            "energy_uj": lambda: _figure(self._profile.get("energy_uj"), "estimated"),
            "accuracy": lambda: _figure(self._int8.get("accuracy"), "host", self._int8.get("ci95")),
            "worst_recall": self._worst_recall,
            "worst_group": self._worst_group,
            "fairness_gap": self._fairness_gap,
            "auc": self._auc,
            "mean_error": lambda: _figure(self._int8.get("mean"), "host", self._int8.get("mean_ci95")),
            "false_accepts_per_hour": self._false_accepts_per_hour,
        }
        return readers[name]()

    def can_have(self, name: str) -> bool:
        """Whether there may be such a figure of the run's task; what `evaluate` gives is known after it ran.

        Args:
            name: a key of `Budgets` whose figure is missing.
        """
        if name == "false_accepts_per_hour":
            return self.manifest.features is not None
        if name in ("worst_group", "fairness_gap"):
            return not self.quality or "accuracy" in self._int8
        return name not in ("accuracy", "worst_recall", "auc", "mean_error") or not self.quality

    def _model_bytes(self) -> Figure | None:
        artifact = self.manifest.artifacts.get(board_model(self.manifest))
        return None if artifact is None else Figure(artifact.bytes, "host")

    def _inference_ms(self) -> Figure | None:
        on_board = self._profile.get("on_board")
        if isinstance(on_board, dict):
            return _figure(on_board.get("time_ms"), "on the board")
        return _figure(self._profile.get("time_ms"), "estimated")

    def _auc(self) -> Figure | None:
        found = self._int8.get("auc")
        found = self.quality.get("auc") if found is None else found
        return _figure(found, "host", self._int8.get("auc_ci95"))

    def _worst_recall(self) -> Figure | None:
        recall = self._int8.get("recall")
        known = [each for each in recall.values() if each is not None] if isinstance(recall, dict) else []
        return _figure(min(known, default=None), "host")

    def _worst_group(self) -> Figure | None:
        groups = [
            group
            for attribute in self.quality.get("fairness") or ()
            for group in attribute["groups"]
            if group["n"] >= attribute["minimum_n"] and group["group"] != NOT_LISTED
        ]
        worst = min(groups, key=lambda group: group["accuracy"], default=None)
        return None if worst is None else _figure(worst["accuracy"], "host", worst["ci95"])

    def _fairness_gap(self) -> Figure | None:
        gaps = [a for a in self.quality.get("fairness") or () if a["gap"] is not None]
        widest = max(gaps, key=lambda attribute: attribute["gap"], default=None)
        return None if widest is None else _figure(widest["gap"], "host", widest["gap_ci95"])

    def _false_accepts_per_hour(self) -> Figure | None:
        found = self._stream.get("false_accepts") or {}
        return _figure(found.get("per_hour"), "host", found.get("ci95"))

    @property
    def _int8(self) -> Document:
        found = self.quality.get("int8")
        return found if isinstance(found, dict) else {}

    def _of_firmware(self, name: str) -> Figure | None:
        elf = f"firmware/{self.board}/firmware.elf"
        sizes = self.manifest.firmware.get(self.board)
        if sizes is None or not self.run.is_fresh(self.manifest, elf):
            return None
        return _figure(sizes.get(name), "linked")

    def _fresh_json(self, name: str) -> Document:
        if not self.run.is_fresh(self.manifest, name):
            return {}
        return self.run.read_json(self.manifest, name)


def _figure(value: Any, evidence: str, ci95: Any = None) -> Figure | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return Figure(float(value), evidence, (ci95[0], ci95[1]) if ci95 else None)
