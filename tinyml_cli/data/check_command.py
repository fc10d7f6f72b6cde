"""`tinyml data check`: from a folder to a table, a picture and a verdict."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from tinyml_cli.console import console
from tinyml_cli.data import checks, quarantine
from tinyml_cli.data.checks import KINDS, Report
from tinyml_cli.errors import TinymlError

_EXAMPLES_SHOWN = 3


def check_folder(
    root: Path, sample_rate_hz: int, clip_ms: int, fix: bool, picture: Path | None
) -> dict[str, Any]:
    """Checks a data folder, draws it, and moves bad files away where that is wanted.

    Args:
        root: holds a folder per word.
        sample_rate_hz: the rate that is trained at.
        clip_ms: the length that is trained on.
        fix: move bad files into the quarantine beside the folder.
        picture: where to draw; None is `NAME-check.png` in the current folder.

    Returns:
        The document of --json; `ok` is false while bad files lie in the folder.

    Raises:
        TinymlError: an unusable folder, or files that cannot be moved.
    """
    report = checks.check(root, sample_rate_hz, clip_ms)
    bad = report.bad_files
    drawn = _draw(report, root, picture)
    moved = quarantine.move_away(root, bad) if fix else 0
    return {
        "folder": str(root),
        "n": len(report.clips),
        "speakers": len({clip.speaker for clip in report.clips if not clip.word.startswith("_")}),
        "words": _words(report),
        "counts": dict(Counter(finding.kind for finding in report.findings)),
        "findings": [
            {"kind": f.kind, "severity": f.severity, "place": f.place.as_posix(), "detail": f.detail}
            for f in report.findings
        ],
        "bad_files": len(bad),
        "moved": moved,
        "quarantine": str(quarantine.quarantine_of(root)) if moved else None,
        "picture": None if drawn is None else str(drawn),
        "ok": len(bad) == moved,
    }


def show(document: dict[str, Any]) -> None:
    """The report for people."""
    rows = [
        (word, facts["clips"], facts["speakers"], facts["seconds"], facts["bad"])
        for word, facts in document["words"].items()
    ]
    console.table(str(document["folder"]), ("word", "clips", "speakers", "seconds", "bad"), rows)
    if document["counts"]:
        found = [
            (KINDS[kind][0], kind, n, KINDS[kind][1], _examples(document, kind))
            for kind, n in document["counts"].items()
        ]
        console.table("Findings", ("", "kind", "n", "meaning", "for example"), found)


def verdict(document: dict[str, Any]) -> str:
    """One sentence for the end."""
    root, n, bad, moved = (document[key] for key in ("folder", "n", "bad_files", "moved"))
    drawn = f" Picture: {document['picture']}" if document["picture"] else ""
    if moved:
        return (
            f"Moved {moved:,} of {n:,} files to {document['quarantine']}; "
            f"back with: tinyml data check {root} --undo.{drawn}"
        )
    if bad:
        return f"{bad:,} of {n:,} files are bad. To move them away: tinyml data check {root} --fix.{drawn}"
    return f"{n:,} files of {document['speakers']:,} speakers: nothing bad.{drawn}"


def _words(report: Report) -> dict[str, dict[str, Any]]:
    bad = report.bad_files
    words: dict[str, dict[str, Any]] = {}
    for name in sorted({clip.word for clip in report.clips}):
        clips = [clip for clip in report.clips if clip.word == name]
        words[name] = {
            "clips": len(clips),
            "speakers": len({clip.speaker for clip in clips}),
            "seconds": round(sum(clip.seconds for clip in clips), 1),
            "bad": sum(clip.path in bad for clip in clips),
        }
    return words


def _examples(document: dict[str, Any], kind: str) -> str:
    places = [
        f"{f['place']} ({f['detail']})" if f["detail"] else f["place"]
        for f in document["findings"]
        if f["kind"] == kind
    ]
    more = f", … {len(places) - _EXAMPLES_SHOWN} more" if len(places) > _EXAMPLES_SHOWN else ""
    return ", ".join(places[:_EXAMPLES_SHOWN]) + more


def _draw(report: Report, root: Path, picture: Path | None) -> Path | None:
    from tinyml_cli.data.check_picture import draw

    path = picture or Path(f"{root.resolve().name}-check.png")
    try:
        draw(report.clips, frozenset(report.bad_files), path)
    except TinymlError as error:
        if picture is not None:
            raise
        console.warn(f"no picture: {error}")
        return None
    return path
