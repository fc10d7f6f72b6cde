"""The doctor's whole report."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli.build.target import BuildTarget
from tinyml_cli.doctor import computer
from tinyml_cli.doctor.finding import DoctorCheck


def mend() -> list[str]:
    """Installs what this computer lacks and may be installed for the user; returns what is left to be done.

    Raises:
        TinymlError: an installation failed.
    """
    return computer.mend(computer.examine())


def examine(run: str | None, target: BuildTarget | None, attachment: Path | None = None) -> list[DoctorCheck]:
    """Looks at this computer and, where one is named, at a board.

    Args:
        attachment: a new file to write all of it to, for a report of a problem.

    Raises:
        TinymlError: there is no such run, or the attachment cannot be written.
    """
    from tinyml_cli.doctor import attachment as attached
    from tinyml_cli.run import Run

    if attachment is not None:
        attached.check(attachment, target)
    opened = None if run is None and target is None else Run.open(run)
    findings = computer.examine()
    if target is None or opened is None:
        return findings
    from tinyml_cli.doctor import board as on_board

    findings += on_board.examine(opened, target)
    if attachment is not None:
        attached.write(attachment, findings, target, opened)
    return findings
