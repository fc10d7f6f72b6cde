"""Names and values as MLflow takes them."""

from __future__ import annotations

import posixpath
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml_cli.tracking.figures import metrics_of, name_of, params_of


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=1, max_size=300))
def test_every_text_is_a_name_for_mlflow(text: str) -> None:
    """The rules of mlflow.utils.validation: these characters, no path that leads out, 250 at most."""
    name = name_of(text)
    assert re.fullmatch(r"[/\w.\- :]+", name, re.ASCII) and len(name) <= 250
    assert posixpath.normpath(name) == name and not name.startswith(("/", "..")) and name != "."


@settings(max_examples=40, deadline=None)
@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_two_labels_keep_two_names(one: str, two: str) -> None:
    marked = re.compile(r"_(u[0-9a-f]{4,}_)?|//|(\A|/)\.{0,2}(/|\Z)")
    if one != two and not marked.search(one) and not marked.search(two):
        assert name_of(one) != name_of(two)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("int8.recall.yes", "int8.recall.yes"),
        ("हाँ", "_u0939__u093e__u0901_"),
        ("a//b", "a/_/b"),
        ("..", "_u002e__u002e_"),
    ],
)
def test_plain_names_stay(text: str, name: str) -> None:
    assert name_of(text) == name


def test_parameters_are_all_leaves_with_a_value() -> None:
    recipe = {
        "task": "kws",
        "words": ["yes", "no"],
        "model": {"width": 0.5, "dropout": None},
        "shuffle": True,
    }
    assert params_of(recipe) == {
        "task": "kws",
        "words": '["yes", "no"]',
        "model.width": "0.5",
        "shuffle": "true",
    }
    assert len(params_of({"notes": "x" * 10_000})["notes"]) == 6000


def test_metrics_are_numbers_and_intervals() -> None:
    outcome = {
        "run": "runs/a",
        "metrics": {"accuracy": 0.9, "ci95": (0.8, 0.95), "better": True, "loss": float("nan")},
        "layers": [{"sqnr_db": 30.0}],
        "confusion": [[1, 2], [3, 4]],
    }
    assert metrics_of(outcome) == {"accuracy": 0.9, "ci95.low": 0.8, "ci95.high": 0.95, "better": 1.0}
