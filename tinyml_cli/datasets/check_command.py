"""`tinyml data check`: from a folder to a table, a picture and a verdict."""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path
from typing import Any

from tinyml_cli.console import console
from tinyml_cli.data import inventory
from tinyml_cli.datasets import checks, quarantine
from tinyml_cli.datasets.checks import CheckSettings, DataReport
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import writing_folder
from tinyml_cli.next_step import next_step
from tinyml_cli.wording import counted

_EXAMPLES_SHOWN = 3


def check_folder(
    root: Path, settings: CheckSettings, fix: bool, picture: Path | None, kind: str | None = None
) -> dict[str, Any]:
    """Checks a data folder, draws it, and moves bad files away where that is wanted.

    Args:
        root: holds a folder per label, or is a file with a time series.
        settings: what is going to be trained.
        fix: move bad files into the quarantine beside the folder.
        picture: where to draw; None is `NAME-check.png` in the current folder.
        kind: a key of checks.KINDS; None: what most files are.

    Returns:
        The document of --json; `ok` is false while bad files lie in the folder.

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
    return {
        "folder": str(root),
        "kind": report.kind.name,
        "n": len(report.items),
        "reading": report.reading or None,
        report.kind.people: report.people,
        report.kind.labels: _labels(report),
        "counts": dict(Counter(finding.kind for finding in report.findings)),
        "findings": [
            {"kind": f.kind, "severity": meanings[f.kind][0], "place": f.place.as_posix(), "detail": f.detail}
            for f in report.findings
        ],
        "left_out": inventory.counts(report.left_out),
        "bad_files": len(bad),
        "moved": moved,
        "quarantine": str(quarantine.quarantine_of(root)) if moved else None,
        "picture": None if drawn is None else str(drawn),
        "ok": fix or not bad,
    }


def show(document: dict[str, Any]) -> None:
    """The report for people."""
    kind = checks.kind_of(Path(document["folder"]), document["kind"])
    labels = document[kind.labels]
    columns = list(next(iter(labels.values()), {}))
    rows = [(label, *figures.values()) for label, figures in labels.items()]
    console.table(str(document["folder"]), (kind.labels.removesuffix("s"), *columns), rows)
    if document["counts"]:
        found = [
            (kind.findings[name][0], name, n, kind.findings[name][1], _examples(document, name))
            for name, n in document["counts"].items()
        ]
        console.table("Findings", ("", "kind", "n", "meaning", "for example"), found)
    if document["reading"]:
        console.info(f"Read as {document['reading']}")
    if document["left_out"] and "other_file" not in document["counts"]:
        rows = [(n, reason) for reason, n in document["left_out"].items()]
        console.table("Skipped", ("files", "why"), rows)


def verdict(document: dict[str, Any]) -> str:
    """One sentence for the end."""
    root, n, bad, moved = (document[key] for key in ("folder", "n", "bad_files", "moved"))
    kind = checks.kind_of(Path(root), document["kind"])
    drawn = f"\nPicture: {document['picture']}" if document["picture"] else ""
    if moved:
        parts = "" if moved == bad else f" with {counted(moved, 'file')} in all"
        return (
            f"Moved {bad:,} of {counted(n, 'file')}{parts} to {document['quarantine']}; to undo: "
            f"{next_step('data', 'check', Path(root), '--undo')}{drawn}"
        )
    if bad and Path(root).is_file():
        return f"The file is bad.{drawn}"
    if bad:
        fix = next_step("data", "check", Path(root), "--fix")
        return f"Bad: {bad:,} of {counted(n, 'file')}. To move them away: {fix}{drawn}"
    people = document[kind.people]
    whose = f" of {counted(people, kind.people.removesuffix('s'))}" if people else ""
    return f"{counted(n, kind.files.removesuffix('s'))}{whose}: nothing bad.{drawn}"


def _labels(report: DataReport) -> dict[str, dict[str, Any]]:
    kind = report.kind
    has_length = any(item.seconds for item in report.items)
    return {
        label: {
            kind.files: figures.files,
            kind.people: figures.people,
            **({"seconds": figures.seconds} if has_length else {}),
            "bad": figures.bad,
        }
        for label, figures in report.labels().items()
    }


def _examples(document: dict[str, Any], kind: str) -> str:
    places = [
        f"{f['place']} ({f['detail']})" if f["detail"] else f["place"]
        for f in document["findings"]
        if f["kind"] == kind
    ]
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
