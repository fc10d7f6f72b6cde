"""What jobs and inference are about: runs of the served folder, and uploads."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyml_cli.boards.boards import board_names
from tinyml_cli.errors import TinymlError, did_you_mean
from tinyml_cli.http_api import places
from tinyml_cli.http_api.refusals import NotThereError
from tinyml_cli.run import Run, board_model
from tinyml_cli.run_folder import LATEST
from tinyml_cli.serve.orders import JobOrder
from tinyml_cli.serve.uploads import MODEL_SUFFIXES, Uploads

RANDOM = "random"


@dataclass(frozen=True)
class JobSources:
    """Where they lie.

    Attributes:
        runs: the served folder, absolute and without links.
        uploads: what clients sent.
    """

    runs: Path
    uploads: Uploads

    def names(self) -> list[str]:
        """Runs with a model for a board, or that may get one."""
        found = (path.parent for path in self.runs.glob("*/manifest.json"))
        return sorted(path.name for path in found if path.name[0] != "." and path.name != LATEST)

    def run(self, name: str) -> Run:
        """A served run.

        Raises:
            NotThereError: there is none of that name.
        """
        path = places.inside(self.runs, name)
        if path.parent != self.runs or not (path / "manifest.json").is_file() or name == LATEST:
            hint = did_you_mean(name, self.names())
            raise NotThereError(f"There is no run `{name[:80]}`", "run", f"{hint}GET /v1/models lists them.")
        return Run(path)

    def check(self, order: JobOrder) -> None:
        """Refuses before it is queued what could never be done.

        Raises:
            TinymlError: no run and no model, or both; a run or board that does not exist; what a kind lacks.
        """
        if bool(order.run) == bool(order.model):
            raise TinymlError(
                "A job needs a run or a model, and not both",
                "run",
                "Name a run of the server with ?run=NAME, or send a .tflite or .keras file as the body.",
            )
        if order.run:
            run = self.run(order.run)
            manifest = run.manifest()
            run.require(manifest, board_model(manifest))
        elif self.uploads.find(order.model).suffix not in MODEL_SUFFIXES:
            raise TinymlError("The upload is no model", "model", "Upload a .tflite or .keras file.")
        if order.board not in board_names():
            raise NotThereError(
                f"There is no board `{order.board[:80]}`", "board", f"Boards: {', '.join(board_names())}."
            )
        if order.calibration != RANDOM:
            self.uploads.find(order.calibration)
        if (order.kind == "infer") != bool(order.inputs):
            raise TinymlError(
                "Inputs belong to kind infer, and it needs them",
                "inputs",
                "Upload a .npz or .npy: POST /v1/files?name=inputs.npz; then add &inputs=ID.",
            )
        if order.inputs:
            self.uploads.find(order.inputs)

    def paths(self, order: JobOrder, attempt: Path) -> dict[str, Any]:
        """Where a worker finds what its job is about; an uploaded model under the name that it had.

        Raises:
            TinymlError: it is gone.
        """
        model = self.run(order.run).path if order.run else self._copied(order, attempt)
        given = order.calibration
        return {
            "model": str(model),
            "calibration": given if given == RANDOM else str(self.uploads.find(given)),
            "inputs": str(self.uploads.find(order.inputs)) if order.inputs else None,
        }

    def _copied(self, order: JobOrder, attempt: Path) -> Path:
        stored = self.uploads.find(order.model)
        stem = "".join(letter if letter.isalnum() else "_" for letter in Path(order.name).stem)[:40]
        copy = attempt / f"{stem or 'model'}{stored.suffix}"
        shutil.copy(stored, copy)
        return copy
