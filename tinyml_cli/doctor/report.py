"""The doctor's whole report."""

from __future__ import annotations

from tinyml_cli.build.target import BuildTarget
from tinyml_cli.doctor import computer
from tinyml_cli.doctor.finding import DoctorCheck


def examine(run: str | None, target: BuildTarget | None) -> list[DoctorCheck]:
    """Looks at this computer and, where one is named, at a board.

    Raises:
        TinymlError: there is no such run.
    """
    from tinyml_cli.run import Run

    opened = None if run is None and target is None else Run.open(run)
    findings = computer.examine()
    if target is None or opened is None:
        return findings
    from tinyml_cli.doctor import board as on_board

    return findings + on_board.examine(opened, target)
