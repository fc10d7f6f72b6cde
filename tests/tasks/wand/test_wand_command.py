"""tinyml train wand, from nothing to an int8 model that was judged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Tinyml
from tests.outcomes import check as check_outcome
from tinyml_cli.run import Run
from tinyml_cli.tasks.wand import hand
from tinyml_cli.tasks.wand.strokes import LabelledStroke, to_points, write_strokes

pytest.importorskip("tensorflow", reason="extra `train` is not installed")

SMALL = ("stroke.generated_per_label=60", "training.epochs=6", "training.epoch_examples=640")
QUICK = [part for key in SMALL for part in ("--set", key)]


def test_a_wand_is_trained_converted_and_judged(tinyml: Tinyml, tmp_path: Path) -> None:
    trained = tinyml("train", "wand", "--labels", "0,1", "--run", "w", *QUICK, "--json", cwd=tmp_path)
    check_outcome("train", trained.json)
    assert trained.json["n_test"] > 0
    tinyml("quantize", "w", cwd=tmp_path)
    converted = tinyml("convert", "w", "--json", cwd=tmp_path).json
    assert converted["int8"]["bytes"] < 31_000
    judged = tinyml("evaluate", "w", "--json", cwd=tmp_path).json
    check_outcome("convert", converted)
    check_outcome("evaluate", judged)
    assert judged["labels"] == ["unknown", "0", "1"]
    assert judged["int8"]["accuracy"] > 0.6
    point = judged["at_threshold"]["int8"]
    assert point["n_unknown"] + point["n_gestures"] == judged["n"]
    reference = Run.open(str(tmp_path / "w")).manifest().reference
    assert reference is not None and {"score 1", "feature ink"} <= set(reference.columns)
    report = (tmp_path / "w" / "report" / "report.html").read_text(encoding="utf-8")
    assert "With the threshold" in report
    entries = [{"label": label, "strokePoints": [{"x": 0, "y": 0}, {"x": 1, "y": 1}]} for label in "01"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a.json").write_text(json.dumps({"strokes": entries}))
    (tmp_path / "mine" / "b.json").write_text('{"strokes": [')
    (tmp_path / "mine" / "c.pdf").write_bytes(b"x")
    other = tinyml("evaluate", "w", "--data", "mine", "--json", cwd=tmp_path).json
    assert other["n"] == 2 and sum(other["left_out"].values()) == 2
    card = _card(tinyml, tmp_path)
    assert "Generated strokes, split by" in card and "classified as a gesture" in card
    assert "validation strokes, which never trained the model" in report
    refused = tinyml("fairness", "w", "--write-groups", "g.csv", cwd=tmp_path, code=2)
    assert "does not know whom its strokes come from" in refused.err
    write_people(tmp_path / "people")
    (tmp_path / "g.csv").write_text("person,hand\nann,left\nbob,right\ncy,left\ndee,right\n")
    asked = ("fairness", "w", "--data", "people", "--groups", "g.csv", "--apply", "single", "--json")
    found = tinyml(*asked, cwd=tmp_path).json
    check_outcome("fairness", found)
    assert "those of half the writers" in found["used"]
    assert [row["n"] for row in found["attributes"][0]["in_use"]["groups"]] == [12, 12]
    manifest = Run.open(str(tmp_path / "w")).manifest()
    assert manifest.gesture is not None and manifest.gesture.threshold == found["applied"]["threshold"]
    assert "evaluate" not in manifest.metrics, "its figures were those of the old threshold"
    assert "Not evaluated since" in _card(tinyml, tmp_path)


def _card(tinyml: Tinyml, home: Path) -> str:
    tinyml("card", "w", cwd=home)
    return (home / "w" / "report" / "card.md").read_text(encoding="utf-8")


def write_people(folder: Path) -> None:
    """Four people, who draw each figure six times."""
    folder.mkdir()
    for number, person in enumerate(("ann", "bob", "cy", "dee")):
        drawn = []
        for figure in range(12):
            rng = np.random.default_rng([number, figure])
            points = to_points(hand.draw("01"[figure % 2], hand.random_writer(rng), rng))
            drawn.append(LabelledStroke(points, "01"[figure % 2], person, person))
        write_strokes(folder / f"{person}.json", drawn)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--labels", "unknown"), "not a valid gesture name"),
        (("--labels", "0,0"), "twice"),
        (("--labels", "dragon"), "data record strokes --gesture dragon"),
        (("--data", "nowhere"), "nowhere"),
        (("--input", "voice"), "input"),
    ],
)
def test_what_cannot_be_trained_is_said(
    tinyml: Tinyml, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    answer = tinyml("train", "wand", *arguments, "--run", "w", "--json", cwd=tmp_path, code=2)
    assert said in str(answer.json["error"])
