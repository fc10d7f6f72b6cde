"""`tinyml data check`: from a folder to a table, a picture and a verdict."""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path

from tinyml_cli.console import console
from tinyml_cli.data import inventory
from tinyml_cli.datasets import checks, quarantine
from tinyml_cli.datasets.checks import CheckSettings, DataReport
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import writing_folder
from tinyml_cli.next_step import next_step
from tinyml_cli.outcomes.data import Checked, CheckedLabel, DataFinding
from tinyml_cli.wording import counted

_EXAMPLES_SHOWN = 3


def check_folder(
    root: Path, settings: CheckSettings, fix: bool, picture: Path | None, kind: str | None = None
) -> Checked:
    """Checks a data folder, draws it, and moves bad files away where that is wanted.

    Args:
        root: holds a folder per label, or is a file with a time series.
        settings: what is going to be trained.
        fix: move bad files into the quarantine beside the folder.
        picture: where to draw; None is `NAME-check.png` in the current folder.
        kind: a key of checks.KINDS; None: what most files are.

    Returns:
        What --json prints; `ok` is false while bad files lie in the folder.

    Raises:
        TinymlError: an unusable folder, one that another process writes to, or files that cannot be moved.
    """
    if fix and root.is_file():
        raise TinymlError("--fix works on folders", str(root), "Fix the file itself, or record it again.")
    with writing_folder(root) if fix else contextlib.nullcontext():
        report = checks.check(root, settings, kind)
        drawn = _draw(report, root, picture)
        moved = quarantine.move_away(root, report.to_move) if fix else 0
    bad, meanings = report.bad_files, report.kind.findings
    checked = Checked(
        folder=str(root),
        kind=report.kind.name,
        n=len(report.items),
        reading=report.reading or None,
        counts=dict(Counter(finding.kind for finding in report.findings)),
        findings=[
            DataFinding(
                kind=each.kind,
                severity=meanings[each.kind][0],
                place=each.place.as_posix(),
                detail=each.detail,
            )
            for each in report.findings
        ],
        left_out=inventory.counts(report.left_out),
        bad_files=len(bad),
        moved=moved,
        quarantine=str(quarantine.quarantine_of(root)) if moved else None,
        picture=None if drawn is None else str(drawn),
        ok=fix or not bad,
    )
    return checked.model_copy(update={report.kind.people: report.people, report.kind.labels: _labels(report)})


def show(outcome: Checked) -> None:
    """The report for people."""
    kind = checks.kind_of(Path(outcome.folder), outcome.kind)
    figures = {label: each.as_dict() for label, each in outcome.of_labels.items()}
    columns = list(next(iter(figures.values()), {}))
    rows = [(label, *each.values()) for label, each in figures.items()]
    console.table(outcome.folder, (kind.labels.removesuffix("s"), *columns), rows)
    if outcome.counts:
        found = [
            (kind.findings[name][0], name, n, kind.findings[name][1], _examples(outcome, name))
            for name, n in outcome.counts.items()
        ]
        console.table("Findings", ("", "kind", "n", "meaning", "for example"), found)
    if outcome.reading:
        console.info(f"Read as {outcome.reading}")
    if outcome.left_out and "other_file" not in outcome.counts:
        console.table("Skipped", ("files", "why"), [(n, reason) for reason, n in outcome.left_out.items()])


def verdict(outcome: Checked) -> str:
    """One sentence for the end."""
    root, n, bad, moved = Path(outcome.folder), outcome.n, outcome.bad_files, outcome.moved
    kind = checks.kind_of(root, outcome.kind)
    drawn = f"\nPicture: {outcome.picture}" if outcome.picture else ""
    if moved:
        parts = "" if moved == bad else f" with {counted(moved, 'file')} in all"
        return (
            f"Moved {bad:,} of {counted(n, 'file')}{parts} to {outcome.quarantine}; to undo: "
            f"{next_step('data', 'check', root, '--undo')}{drawn}"
        )
    if bad and root.is_file():
        return f"The file is bad.{drawn}"
    if bad:
        fix = next_step("data", "check", root, "--fix")
        return f"Bad: {bad:,} of {counted(n, 'file')}. To move them away: {fix}{drawn}"
    people = outcome.people or outcome.speakers
    whose = f" of {counted(people, kind.people.removesuffix('s'))}" if people else ""
    return f"{counted(n, kind.files.removesuffix('s'))}{whose}: nothing bad.{drawn}"


def _labels(report: DataReport) -> dict[str, CheckedLabel]:
    kind = report.kind
    has_length = any(item.seconds for item in report.items)
    found = {}
    for label, figures in report.labels().items():
        of_kind = {kind.files: figures.files, kind.people: figures.people}
        length = {"seconds": figures.seconds} if has_length else {}
        found[label] = CheckedLabel(bad=figures.bad).model_copy(update={**of_kind, **length})
    return found


def _examples(outcome: Checked, kind: str) -> str:
    found = [each for each in outcome.findings if each.kind == kind]
    places = [f"{each.place} ({each.detail})" if each.detail else each.place for each in found]
    more = f", … {len(places) - _EXAMPLES_SHOWN} more" if len(places) > _EXAMPLES_SHOWN else ""
    return ", ".join(places[:_EXAMPLES_SHOWN]) + more


def _draw(report: DataReport, root: Path, picture: Path | None) -> Path | None:
    from tinyml_cli.datasets.check_picture import draw

    path = picture or Path(f"{root.resolve().stem if root.is_file() else root.resolve().name}-check.png")
    try:
        draw(report, path)
    except TinymlError as error:
        if picture is not None:
            raise
        console.warn(f"no picture: {error}")
        return None
    return path
