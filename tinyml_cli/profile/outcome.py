"""The output of a profile: `report/profile.json` and `report/profile.png`, and the command's result."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from tinyml_cli.documents import UnreadableError, load_json
from tinyml_cli.files import write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.profiles import (
    BudgetLine,
    CascadeSaving,
    EngineComparison,
    Profiled,
    ProfileFigures,
)
from tinyml_cli.profile.budget import LimitVerdict
from tinyml_cli.run import MODEL_INT8, Run, writes

PROFILE = "report/profile.json"
_PICTURE = "report/profile.png"


@writes
def record(
    run: Run,
    report: ProfileFigures,
    verdicts: list[LimitVerdict],
    cascade: CascadeSaving | None = None,
    comparison: EngineComparison | None = None,
) -> Profiled:
    """Writes the report into the run; returns the outcome.

    Args:
        cascade: what `tinyml_cli.profile.cascade` estimates, where another run was given.
        comparison: what `tinyml_cli.profile.compare` found, where two engines were given.

    Raises:
        TinymlError: the run's folder cannot be written.
    """
    picture = None
    if report.cycles:
        from tinyml_cli.profile.picture import draw

        draw(run.file(_PICTURE), report)
        picture = str(run.file(_PICTURE))
    outcome = Profiled.extending(
        report,
        budget=[BudgetLine(**asdict(verdict)) for verdict in verdicts],
        picture=picture,
    )
    if cascade is not None:
        outcome = outcome.model_copy(update={"cascade": cascade})
    if comparison is not None:
        outcome = outcome.model_copy(update={"comparison": comparison})
    write_atomic(run.file(PROFILE), json.dumps(outcome.as_dict(), indent=2) + "\n")
    return outcome


def of_this_model(run: Run, manifest: Manifest) -> dict[str, Any] | None:
    """The last profile of the run's int8 model; None where there is none, or it is of another model.

    It is no artifact: `profile` takes runs that it may not write to. One edited by hand is as good as none.
    """
    try:
        found: dict[str, Any] = load_json(run.file(PROFILE))
        is_of_it = found["model_sha256"] == manifest.artifacts[MODEL_INT8].sha256
    except (UnreadableError, KeyError, TypeError):
        return None
    return found if is_of_it else None


def sentence(outcome: Profiled, verdicts: list[LimitVerdict]) -> str:
    """The last words: what is over the budget, and where the picture lies."""
    lines = [f"Over budget: {verdict}" for verdict in verdicts if verdict.over]
    lines += [f"Within budget: {verdict}" for verdict in verdicts if not verdict.over]
    if outcome.picture:
        lines.append(f"Picture: {outcome.picture}")
    return "\n".join(lines)
