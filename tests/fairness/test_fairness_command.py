from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.conftest import Tinyml
from tests.fairness.test_panel import data_of
from tinyml_cli import tables
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.evaluate import evaluate
from tinyml_cli.evaluation.fairness import FairnessOptions, fairness, write_groups
from tinyml_cli.evaluation.frame import REPORT
from tinyml_cli.fairness import text as fairness_text
from tinyml_cli.outcomes.fairness import GroupRates, Rule, Solution
from tinyml_cli.run import MANIFEST, Run

NAMES = [f"g{number}" for number in range(7)]


def write(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


@pytest.fixture
def groups(tmp_path: Path) -> Path:
    """By accent: three speakers of seven are `far`; by hand, where one is of no group."""
    rows = [[name, "far" if number < 3 else "near", "right"] for number, name in enumerate(NAMES)]
    rows[1][2] = rows[2][2] = "left"
    rows[6][2] = ""
    return write(tmp_path / "groups.csv", [["speaker", "accent", "hand"], *rows])


def test_rules_for_a_users_groups(converted_run: Run, groups: Path) -> None:
    found = fairness(converted_run, options=FairnessOptions(groups=groups, attribute="accent"))
    (accent,) = found.attributes
    assert "half the speakers" in found.used or "held-out" in found.used
    assert [row.group for row in accent.in_use.groups] == ["far", "near"]
    assert accent.in_use.everything is not None
    assert sum(row.n for row in accent.in_use.groups) == accent.in_use.overall.n < accent.in_use.everything.n
    assert "belong to no group" in accent.note
    assert [rule.rule for rule in accent.rules] == [
        "single", "demographic-parity", "equal-opportunity", "equal-accuracy", "least-cost",
    ]  # fmt: skip
    for rule in accent.rules:
        assert (rule.one_threshold is None) == (rule.rule == "least-cost")
        assert (rule.per_group is None) == (rule.rule == "single")
        for solution in (rule.one_threshold, rule.per_group):
            if solution is not None:
                assert len(set(solution.thresholds.values())) == 1 or not solution.deployable
                assert solution.met == (solution.chosen_gap is None or solution.chosen_gap <= 0.05 + 1e-9)


def test_a_threshold_is_applied_and_what_follows_is_stale(converted_run: Run, groups: Path) -> None:
    from tinyml_cli.engines.export import export
    from tinyml_cli.engines.freshness import needs_export

    export(converted_run, "tflm")
    manifest = converted_run.manifest()
    manifest.recognizer.threshold = 0.99
    manifest.metrics["stream"] = {"old": 1}
    converted_run.save(manifest)
    evaluate(converted_run)
    options = FairnessOptions(groups=groups, attribute="accent", apply="equal-opportunity")
    found = fairness(converted_run, options=options)
    assert found.applied is not None and found.threshold == 0.99 == found.applied.before
    after = converted_run.manifest()
    rule = next(each for each in found.attributes[0].rules if each.rule == "equal-opportunity")
    assert rule.one_threshold is not None
    assert {after.recognizer.threshold} == set(rule.one_threshold.thresholds.values())
    assert after.metrics["fairness"]["rule"] == "equal-opportunity" and "stream" not in after.metrics
    assert needs_export(converted_run, after, "tflm")
    again = fairness(converted_run, options=FairnessOptions(groups=groups, attribute="accent"))
    chosen = next(each for each in again.attributes[0].rules if each.rule == "equal-opportunity")
    assert again.attributes[0].in_use.groups == chosen.one_threshold.groups, (
        "the board's threshold is that one"
    )
    assert again.threshold == after.recognizer.threshold


def test_the_report_shows_the_groups(converted_run: Run, groups: Path) -> None:
    evaluate(converted_run)
    path = converted_run.file(REPORT)
    before = data_of(path.read_text(encoding="utf-8"))
    assert [each["name"] for each in before["attributes"]] == ["speaker"], "what the run knows"
    assert fairness(converted_run, options=FairnessOptions(groups=groups)).report == str(path)
    after = data_of(path.read_text(encoding="utf-8"))
    assert [each["name"] for each in after["attributes"]] == ["accent", "hand"]
    converted_run.require(converted_run.manifest(), REPORT)


def test_names_to_fill_in(converted_run: Run, tmp_path: Path) -> None:
    file = tmp_path / "names.csv"
    assert write_groups(converted_run, None, None, file).sources == 7
    rows = list(csv.reader(file.open(encoding="utf-8")))
    assert rows == [["item", "group"], *([name, ""] for name in NAMES)]


BAD = [
    ("", r"contains no groups"),
    ("speaker\n", r"The only column is `speaker`: one of groups is missing"),
    ("speaker,accent\n", r"contains no groups"),
    ("speaker,accent,accent\ng0,a,b\n", r"`accent` names two columns"),
    ("speaker,accent,\ng0,a,b\n", r"Column 3 has no name"),
    ("speaker,accent\ng0,a\ng0,b\n", r"lists the speaker `g0` twice"),
    ("speaker,accent\ng0,a\ng1\n", r"Line 3 has 1 column; 2 are needed"),
    (
        "speaker,accent\nG0,a\nG1,b\n",
        r"7 of 7 sources of items have no group: g0, g1.*g6; in the file, but not in the run: G0, G1",
    ),
    ("voice;kind\n" + "\n".join(f"{name};all" for name in NAMES[1:]), r"1 of 7 sources .* no group: g0"),
    (
        "voice,group\n" + "\n".join(f"{name},all" for name in NAMES),
        r"`group` has 1 group among the test",
    ),
    (
        "item\tgroup\n" + "\n".join(f"{name}\t" for name in NAMES),
        r"`group` has 0 groups among the test",
    ),
]


@pytest.mark.parametrize(("content", "message"), BAD)
def test_groups_that_cannot_be_used_are_refused(
    converted_run: Run, tmp_path: Path, content: str, message: str
) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(content, encoding="utf-8")
    before = converted_run.file(MANIFEST).read_bytes()
    with pytest.raises(TinymlError, match=message) as caught:
        fairness(converted_run, options=FairnessOptions(groups=file, apply="equal-opportunity"))
    assert str(file) in caught.value.where
    assert converted_run.file(MANIFEST).read_bytes() == before


def test_a_group_of_one_item_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.fairness.examples import DrawnDecision

    decision = DrawnDecision(groups=("a", "b"))
    sources = decision.test.sources.astype("<U9")
    sources[3] = "alone"
    decision.test = decision.test.rows(slice(None))
    object.__setattr__(decision.test, "sources", sources)
    table = {"group": {"a": "one", "b": "two", "alone": "three"}}
    with pytest.raises(TinymlError, match=r"1 group of `group` with a single one of the test clips: three"):
        decision.groups_of(table, Path("groups.csv"))
    decision.groups_of(table, Path("groups.csv"), strict=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attribute": "age"}, r"The file has no attribute `age`.*Choose from: accent, hand"),
        ({"apply": "equal-accuracy"}, r"groups by accent, hand.*--attribute"),
        ({"attribute": "accent", "apply": "least-cost"}, r"no single threshold.*one for each group"),
    ],
)
def test_what_no_board_can_have_is_refused(
    converted_run: Run, groups: Path, options: dict, message: str
) -> None:
    before = converted_run.file(MANIFEST).read_bytes()
    with pytest.raises(TinymlError, match=message):
        fairness(converted_run, options=FairnessOptions(groups=groups, **options))
    assert converted_run.file(MANIFEST).read_bytes() == before


def test_the_command_prints_json(tinyml: Tinyml, converted_run: Run, groups: Path) -> None:
    arguments = ("fairness", converted_run.path, "--groups", groups, "--miss-cost", "3", "--json")
    found = tinyml(*arguments, cwd=groups.parent).json
    assert found["costs"] == {"miss": 3.0, "false_accept": 1.0, "wrong_label": 1.0}
    assert [each["attribute"] for each in found["attributes"]] == ["accent", "hand"]
    assert json.dumps(found)
    shown = tinyml("fairness", converted_run.path, "--groups", groups, cwd=groups.parent)
    assert found["report"] is None
    texts = (
        "By accent",
        "equal-opportunity",
        "At the threshold 0.7, by accent: accuracy",
        "For sliders: tinyml eval",
    )
    for text in texts:
        assert text in shown.out + shown.err


@pytest.mark.parametrize(
    "arguments",
    [("--apply", "kindness"), ("--groups", "nowhere.csv"), ("--tolerance", "2"), ("--miss-cost", "-1")],
)
def test_wrong_options_end_with_2(tinyml: Tinyml, tmp_path: Path, arguments: tuple[str, str]) -> None:
    failed = tinyml("fairness", "run", *arguments, cwd=tmp_path, code=2)
    assert len(failed.err.strip().splitlines()) == 1 and arguments[0] in failed.err


def test_eighty_columns_keep_groups_and_their_thresholds_together() -> None:
    rates = GroupRates.model_construct(accuracy=0.873)
    values = {f"speaker {number}": number / 7 for number in range(7)}
    shared = {
        "deployable": False,
        "met": False,
        "chosen_gap": 0.1,
        "gap": 0.234,
        "cost": 12.0,
        "overall": rates,
    }
    solution = Solution.model_construct(thresholds=values, **shared)
    rules = [
        Rule.model_construct(rule=name, equalises="accepted_share")
        for name in ("equal-opportunity", "single")
    ]
    rows = [fairness_text._line(rule, solution) for rule in rules]
    lines = tables.render("", fairness_text.RULE_COLUMNS, rows, 80).splitlines()
    assert max(map(len, lines)) <= 80
    for group, value in values.items():
        assert (
            sum(f"{group} {value:g} " in line or line.endswith(f"{group} {value:g}") for line in lines) == 2
        )
    assert sum("10.0%, 23.4%" in line for line in lines) == 2
