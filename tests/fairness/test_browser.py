"""The panel in Chromium: its script shows what Python computes, by mouse and keyboard, at any width."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.fairness.examples import DrawnDecision
from tests.pages.test_escaping import PAGES
from tinyml_cli.evaluation.fairness_panel import filled
from tinyml_cli.fairness import find, membership
from tinyml_cli.outcomes.fairness import GroupRates, MistakeCosts, Rule, Solution

pytestmark = pytest.mark.slow

BUTTONS = {
    "single": "Single threshold",
    "demographic-parity": "Demographic parity",
    "equal-opportunity": "Equal opportunity",
    "equal-accuracy": "Equal accuracy",
    "least-cost": "Least cost per group",
}
COSTS = [MistakeCosts(), MistakeCosts(miss=5, false_accept=1, wrong_label=2.5)]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program)
        yield browser
        browser.close()


@pytest.fixture
def decision() -> DrawnDecision:
    return DrawnDecision()


@pytest.fixture
def page(chromium: Any, decision: DrawnDecision, tmp_path: Path) -> Iterator[Any]:
    file = tmp_path / "report.html"
    file.write_text(filled(PAGES["kws"]("run-7"), decision), encoding="utf-8")
    opened = chromium.new_page(viewport={"width": 1200, "height": 900})
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.goto(file.as_uri())
    yield opened
    assert wrong == []
    opened.close()


def shown(page: Any) -> list[list[str]]:
    """Both tables: name, rates with their intervals, cost; then counts."""
    script = """() => [...document.querySelectorAll('#fairness tbody')].map(body =>
        [...body.rows].map(row => [...row.cells].map(cell => cell.innerText.replace(/\\s/g, ' '))))"""
    first, second = page.evaluate(script)
    return [[*rates, *counts[1:]] for rates, counts in zip(first, second, strict=True)]


def tenths(share: float) -> str:
    """As a script rounds: halves up, where Python takes the even digit."""
    return str(Decimal(100 * share).quantize(Decimal("0.1"), ROUND_HALF_UP))


def expected(row: GroupRates) -> list[str]:
    def rate(share: float | None, limits: tuple[float, float]) -> str:
        if share is None:
            return "–"
        return f"{tenths(share)} % {tenths(limits[0])}–{tenths(limits[1])}"

    return [
        row.group,
        str(row.n),
        rate(row.accepted_share, row.accepted_ci95),
        rate(row.recall, row.recall_ci95),
        rate(row.false_accept_rate, row.false_accept_ci95),
        rate(row.accuracy, row.accuracy_ci95),
        f"{round(row.cost, 3):g}",
        *map(str, (row.right, row.wrong_label, row.missed, row.false_accepts, row.rejected)),
    ]


def table_of(solution: Solution) -> list[list[str]]:
    sums = (solution.overall, solution.everything)
    return [expected(row) for row in (*solution.groups, *sums) if row is not None]


def set_costs(page: Any, costs: MistakeCosts, tolerance: float) -> None:
    page.fill("#fair-miss", f"{costs.miss:g}")
    page.fill("#fair-false", f"{costs.false_accept:g}")
    page.fill("#fair-wrong", f"{costs.wrong_label:g}")
    page.fill("#fair-tolerance", f"{100 * tolerance:g}")


def levels(page: Any) -> list[int]:
    return page.evaluate(
        "() => [...document.querySelectorAll('#fair-sliders input')].map(e => Number(e.value))"
    )


def solve(decision: DrawnDecision, costs: MistakeCosts, tolerance: float) -> list[Rule]:
    (member,) = membership.known(decision.choosing, decision.test, "clips")
    return find.attribute(decision, member, costs, tolerance).rules


def index_of(decision: DrawnDecision, value: float) -> int:
    return int(abs(decision.thresholds.values - value).argmin())


def test_a_slider_moves_and_every_number_follows(page: Any, decision: DrawnDecision) -> None:
    (member,) = membership.known(decision.choosing, decision.test, "clips")
    counts = find.GroupCounts.of(decision, member)
    for level in (decision.thresholds.current, 0, 97, 255):
        page.locator("#fair-level-0").fill(str(level))
        together = find.summed(counts.test, (level,) * len(counts.test))
        parts = (*zip(member.names, counts.test, strict=True), ("all items", counts.tested))
        rows = [each.rates(name, level, MistakeCosts()) for name, each in parts]
        rows.insert(-1, together.rates("all groups", 0, MistakeCosts()))
        assert shown(page) == [expected(row) for row in rows]
    page.locator("#fair-level-0").focus()
    page.keyboard.press("ArrowLeft")
    assert levels(page) == [254]
    assert page.locator("#fair-level-0").get_attribute("aria-valuetext").startswith("score 0.9")
    page.keyboard.press("Home")
    assert levels(page) == [0] and page.locator("#fair-sliders output").inner_text() == "0.001"


@pytest.mark.parametrize("costs", COSTS)
@pytest.mark.parametrize("tolerance", [0.0, 0.05])
def test_rules_are_those_of_python(
    page: Any, decision: DrawnDecision, costs: MistakeCosts, tolerance: float
) -> None:
    set_costs(page, costs, tolerance)
    for rule in solve(decision, costs, tolerance):
        for solution in (rule.one_threshold, rule.per_group):
            if solution is None:
                continue
            page.set_checked("#fair-one", solution.deployable)
            page.get_by_role("button", name=BUTTONS[rule.rule], exact=True).click()
            assert page.locator(f"[data-rule={rule.rule}]").get_attribute("aria-pressed") == "true"
            wanted = [index_of(decision, value) for value in solution.thresholds.values()]
            assert levels(page) == (wanted[:1] if solution.deployable else wanted), rule.rule
            assert shown(page) == table_of(solution)
            status = page.locator("#fair-status").inner_text().replace("\xa0", " ")
            if solution.chosen_gap is not None and solution.gap is not None:
                assert f"{tenths(solution.chosen_gap)} points where it was chosen" in status
                assert f"{tenths(solution.gap)} points of the test clips" in status
                assert ("the smallest there is" in status) == (not solution.met)


def test_a_cost_changes_the_thresholds_of_the_rule(page: Any, decision: DrawnDecision) -> None:
    page.locator("[data-rule=single]").click()
    page.fill("#fair-miss", "20")
    single = solve(decision, MistakeCosts(miss=20), 0.05)[0].one_threshold
    assert single is not None
    assert levels(page) == [index_of(decision, next(iter(single.thresholds.values())))]
    assert shown(page) == table_of(single)


def test_a_neighbour_has_another_decision(page: Any) -> None:
    for level in (120, 180):
        page.locator("#fair-level-0").fill(str(level))
        for number in (0, 7):
            page.select_option("#fair-example", str(number))
            first, second = (
                card.inner_text() for card in page.locator("#fair-pair article b:last-of-type").all()
            )
            assert first != second
    page.locator("#fair-level-0").fill("0")
    page.locator("#fair-swap").click()
    assert page.locator("#fair-pair article").count() == 2


def test_no_other_script_and_no_request_gets_through(page: Any) -> None:
    sent: list[str] = []
    for event in ("requestfinished", "response"):
        page.on(event, lambda request: sent.append(request.url))
    page.evaluate("window.refused = []; addEventListener('securitypolicyviolation', e => "
                  "refused.push(e.effectiveDirective))")  # fmt: skip
    fetched = page.evaluate("fetch('https://example.com/x').then(() => 'sent', error => error.name)")
    assert fetched == "TypeError"
    page.evaluate("""() => {
        for (const [tag, key] of [['img', 'src'], ['script', 'src'], ['iframe', 'src']]) {
            const element = document.createElement(tag);
            element[key] = 'https://example.com/' + tag;
            document.body.append(element);
        }
        const inline = document.createElement('script');
        inline.textContent = 'window.ran = true';
        document.body.append(inline);
    }""")
    page.wait_for_function("refused.length >= 5")
    refused = page.evaluate("refused")
    assert {"connect-src", "img-src", "script-src-elem", "frame-src"} <= set(refused)
    assert page.evaluate("window.ran") is None
    assert sent == []


@pytest.mark.parametrize("width", [390, 1200])
def test_nothing_sticks_out(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.set_checked("#fair-one", False)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for box in page.locator("#fairness button, #fairness input, #fairness select").all():
        where = box.bounding_box()
        assert where is None or (where["x"] >= 0 and where["x"] + where["width"] <= width)
