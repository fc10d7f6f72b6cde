"""Gates that compare a version with the champion: not worse on the same test items, nor in fairness."""

from __future__ import annotations

from collections.abc import Iterator

from tinyml_cli.comparison import judge
from tinyml_cli.comparison.subjects import ComparedModel
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation import answer_book
from tinyml_cli.outcomes.projects import GateResult
from tinyml_cli.project.figures import Figure, RunFigures
from tinyml_cli.project.gates import gate, number
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.statistics import bootstrap, mcnemar

_MEASURES = (("accuracy", True), ("auc", True), ("mean_error", False))


def against(champion: Run, candidate: Run, board: str) -> list[GateResult]:
    """The gates `champion` and, where groups were evaluated, `fairness`.

    Args:
        champion: the run of the version that is in the product.
        candidate: the run of the version that is to take its place.
        board: as in `RunFigures`.
    """
    before, after = RunFigures(champion, board), RunFigures(candidate, board)
    if champion.manifest().labels != candidate.manifest().labels:
        reason = "its labels are not the champion's, so their answers cannot be compared"
        return [gate("champion", "fail", reason=reason)]
    return [_not_worse(before, after), *_fairness(before, after)]


def on_new_items(champion: Run, candidate: Run, board: str) -> Iterator[GateResult]:
    """The gate `new data`: not worse on the test items that the champion was never asked; none without them.

    Args:
        champion, candidate, board: as in `against`; the candidate's data can still be read.
    """
    before, after = RunFigures(champion, board), RunFigures(candidate, board)
    asked, right = _right(before) or {}, _right(after) or {}
    new = right.keys() - asked.keys()
    if not new or champion.manifest().labels != candidate.manifest().labels:
        return
    try:
        answers = _asked_now(before, after)
    except TinymlError as error:
        yield gate("new data", "not measured", reason=f"the champion cannot be asked: {error.what}")
        return
    pair = mcnemar.paired({key: answers[key] for key in new & answers.keys()}, right)
    yield _of_pair("new data", pair)


def _not_worse(before: RunFigures, after: RunFigures) -> GateResult:
    if after.quality.get("int8") is None:
        return gate(
            "champion", "not measured", reason="it was not evaluated; run `tinyml evaluate`, add it again"
        )
    if after.quality.get("points"):
        return _by_points(before, after)
    return _by_answers(before, after) or _by_intervals(before, after)


def _by_answers(before: RunFigures, after: RunFigures) -> GateResult | None:
    """McNemar's exact test on the items that both were asked; None for a task without single answers."""
    candidate = _right(after)
    if candidate is None:
        return None
    champion = _right(before) or {}
    if not champion.keys() & candidate.keys():
        try:
            champion = _asked_now(before, after)
        except TinymlError as error:
            reason = f"the champion was tested on other items, and cannot be asked these: {error.what}"
            return gate("champion", "not measured", reason=reason)
    return _of_pair("champion", mcnemar.paired(champion, candidate))


def _of_pair(name: str, pair: mcnemar.Paired | None) -> GateResult:
    """Not significantly worse than the champion, by McNemar's test."""
    if pair is None:
        return gate(name, "not measured", reason="no test item is common to it and the champion")
    difference = (pair.only_second - pair.only_first) / pair.n
    worse = difference < 0 and not pair.within_chance
    reason = (
        f"of {pair.n} items, only the champion got {pair.only_first} right and only this one "
        f"{pair.only_second}: p = {pair.p:.2g}"
    )
    return gate(name, "fail" if worse else "pass", Figure(difference, "host"), 0, reason if worse else "")


def _right(figures: RunFigures) -> dict[str, bool] | None:
    """Item -> whether the int8 model's answer was right; None where single answers are not kept."""
    book = answer_book.load(figures.run)
    sha256 = figures.manifest.artifacts[MODEL_INT8].sha256
    return book.right(sha256) if book is not None and sha256 in book.answers else None


def _asked_now(before: RunFigures, after: RunFigures) -> dict[str, bool]:
    """The champion's answers to the candidate's test items.

    Raises:
        TinymlError: the items cannot be read any more.
    """
    models = []
    for name, figures, run in (("candidate", after, after.run), ("champion", before, None)):
        path = figures.run.require(figures.manifest, MODEL_INT8)
        sha256 = figures.manifest.artifacts[MODEL_INT8].sha256
        models.append(ComparedModel(name, "int8", path, path.read_bytes(), sha256, run))
    found = judge.judge(models, None, None).get("champion")
    return {} if found is None or found.right is None else found.right


def _by_points(before: RunFigures, after: RunFigures) -> GateResult:
    """A paired bootstrap of the distance from a curve."""
    errors = [
        {repr(point["x"]): abs(point["int8"] - point["truth"]) for point in figures.quality.get("points", ())}
        for figures in (before, after)
    ]
    found = bootstrap.mean_difference(*errors)
    if found is None:
        return gate("champion", "not measured", reason="the champion was tested at other points")
    worse = found.ci95[0] > 0
    reason = f"its mean error is {number(found.difference)} above the champion's at the same {found.n} points"
    figure = Figure(found.difference, "host", found.ci95)
    return gate("champion", "fail" if worse else "pass", figure, 0, reason if worse else "")


def _by_intervals(before: RunFigures, after: RunFigures) -> GateResult:
    """Whether the 95 % intervals of the first common measure lie apart."""
    for name, more_is_better in _MEASURES:
        old, new = before.of_budget(name), after.of_budget(name)
        if old is None or new is None or old.ci95 is None or new.ci95 is None:
            continue
        worse = new.ci95[1] < old.ci95[0] if more_is_better else new.ci95[0] > old.ci95[1]
        reason = (
            f"{name} {number(new.value)} against the champion's {number(old.value)}: the intervals lie apart"
        )
        figure = Figure(new.value - old.value, new.evidence)
        return gate("champion", "fail" if worse else "pass", figure, 0, reason if worse else "")
    return gate("champion", "not measured", reason="it and the champion have no measure in common")


def _fairness(before: RunFigures, after: RunFigures) -> Iterator[GateResult]:
    """The gap between groups of people is not wider than the champion's, as far as can be told."""
    old, new = before.of_budget("fairness_gap"), after.of_budget("fairness_gap")
    if old is None:
        return
    if new is None:
        reason = "the champion was evaluated by groups, this one was not: `tinyml evaluate --groups`"
        yield gate("fairness", "not measured", limit=old.value, reason=reason)
        return
    wider = (new.ci95[0] if new.ci95 else new.value) > old.value
    reason = f"the gap between groups is {number(new.value)}, the champion's {number(old.value)}"
    yield gate("fairness", "fail" if wider else "pass", new, old.value, reason if wider else "")
