"""The panel's own numbers, without a browser; test_browser.py compares what its script makes of them."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import numpy as np
import pytest

from tests.fairness.examples import PIXEL, DrawnDecision
from tests.pages.test_escaping import PAGES, PAYLOADS
from tinyml_cli.evaluation.fairness_panel import filled
from tinyml_cli.fairness import membership, neighbours, panel
from tinyml_cli.fairness.counts import ThresholdCounts
from tinyml_cli.fairness.decision import Example
from tinyml_cli.fairness.judged import JudgedItems
from tinyml_cli.outcomes.fairness import MistakeCosts
from tinyml_cli.pages.templates import script_hash


def data_of(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="fair-data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def rendered(decision: DrawnDecision) -> str:
    members = membership.known(decision.choosing, decision.test, "clips")
    return str(panel.render(decision, members, MistakeCosts(), 0.05))


def decoded(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), kind).astype(np.int64)


@pytest.mark.parametrize("which", ["choosing", "test"])
def test_the_page_carries_every_item(which: str) -> None:
    decision = DrawnDecision()
    data, items = data_of(rendered(decision)), getattr(decision, which)
    levels, outcomes = (
        decoded(data[which]["levels"], "<u2") - 1,
        decoded(data[which]["outcomes"], "u1"),
    )
    assert np.array_equal(levels, items.levels) and np.array_equal(outcomes, items.outcomes)
    attribute = data["attributes"][0]
    names = np.array([*attribute["groups"], *[""] * 253])[decoded(attribute[which], "u1")]
    assert np.array_equal(names, items.sources)
    carried = JudgedItems(levels, outcomes, names, names, names)
    for name in "abc":
        mine, theirs = (each.rows(names == name) for each in (items, carried))
        for level in (0, 128, 180):
            rates = [
                ThresholdCounts.of(each, 256).rates(name, level, MistakeCosts()) for each in (mine, theirs)
            ]
            assert rates[0] == rates[1]


def test_a_page_carries_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel, "MOST_ITEMS", 50)
    monkeypatch.setattr(panel, "MOST_MEDIA", 5 * len(PIXEL) + 20)
    decision = DrawnDecision()
    page = rendered(decision)
    data = data_of(page)
    assert len(decoded(data["test"]["levels"], "<u2")) == 50
    assert len(data["examples"]) == 5
    for example in data["examples"]:
        row = int(example["picture"].partition("#")[2])
        assert data["labels"][example["truth"]] == decision.test.truth[row], "what is shown is that item"
        assert example["source"] == decision.test.sources[row]
    assert "carries 50 and 50 of them" in page


def test_one_script_may_run_and_nothing_may_be_loaded() -> None:
    page = filled(PAGES["kws"]("run-7"), DrawnDecision())
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy
    assert "default-src 'none'" in policy[1]
    assert f"script-src '{script_hash(panel.SCRIPT)}'" in policy[1]
    scripts = re.search(r'<script type="module">(.*?)</script>', page, re.DOTALL)
    assert scripts
    digest = base64.b64encode(hashlib.sha256(scripts[1].encode()).digest()).decode()
    assert script_hash(panel.SCRIPT) == f"sha256-{digest}"
    assert not re.search(r"https?:|fetch\(|XMLHttpRequest|innerHTML|eval\(", page)


def test_names_stay_text() -> None:
    names = [f"{payload}{number}" for number, payload in enumerate(PAYLOADS)]
    page = filled(PAGES["kws"]("run-7"), DrawnDecision(groups=names))
    assert page.count("<script") == 2 and page.count("</script") == 2
    groups = data_of(page)["attributes"][0]["groups"]
    assert len(groups) == len(names) and all(group.encode() for group in groups)


def test_a_task_without_a_threshold_has_no_panel() -> None:
    page = PAGES["hello"]("run-7")
    assert filled(page, None) == page


def test_neighbours_are_the_nearest_with_another_decision() -> None:
    decision, level = DrawnDecision(), 160
    items, inputs = decision.test, decision.inputs(np.arange(400))
    rows = neighbours.chosen(items, decision.inputs, level, 40)
    assert len(rows) == len(set(rows)) == 40
    away = neighbours.distances(inputs)
    decisions = np.where(items.levels >= level, items.answers, "")
    away[decisions[:, None] == decisions[None, :]] = np.inf
    first, second = rows[:2]
    assert away[first, second] == away.min()
    order = neighbours.nearest_first(inputs[rows])
    assert [row[0] for row in order] == list(range(40))


def test_items_that_cannot_be_shown_have_no_neighbours() -> None:
    decision = DrawnDecision()
    decision.example = lambda row: Example()  # type: ignore[method-assign]
    page = rendered(decision)
    assert data_of(page)["examples"] == [] and "What would change" not in page
