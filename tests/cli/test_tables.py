"""Tables: at any width every word of every cell is there, and no line is wider than the terminal."""

from __future__ import annotations

import ast
import io
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.conftest import Tinyml
from tests.sources import trees
from tinyml_cli import tables
from tinyml_cli.console import console

# How long drawing takes says nothing: the machine may be busy with something else.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
LETTERS = st.characters(codec="utf-8", exclude_categories=("C", "Z", "M"))
CELLS = st.one_of(
    st.integers(-(10**9), 10**9),
    st.floats(allow_nan=False),
    st.lists(st.text(LETTERS, min_size=1, max_size=30), max_size=12).map(" ".join),
    st.sampled_from(["74.1 %", "-", "–", "silence", "runs/kws-yes-no/report/report.html", "はい いいえ"]),
)


@st.composite
def drawn_tables(draw: st.DrawFn) -> tuple[list[str], list[list[object]]]:
    count = draw(st.integers(1, 14))
    heads = draw(st.lists(st.text(LETTERS, max_size=16), min_size=count, max_size=count))
    row = st.lists(CELLS, min_size=count, max_size=count)
    return heads, draw(st.lists(row, max_size=6))


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


@PATIENT
@given(drawn_tables(), st.integers(40, 130))
def test_every_table_fits_and_loses_nothing(table: tuple[list[str], list[list[object]]], width: int) -> None:
    heads, rows = table
    text = tables.render("A title of several words", heads, rows, width)
    assert all(cell_len(line) <= width for line in text.split("\n")), text
    letters = sorted(squeezed(text))
    for row in rows:
        for cell in row:
            if isinstance(cell, str):
                for letter in set(squeezed(cell)):
                    assert letters.count(letter) >= squeezed(cell).count(letter)


@PATIENT
@given(st.lists(st.text(LETTERS, min_size=1, max_size=20), min_size=2, max_size=40), st.integers(40, 100))
def test_words_are_only_broken_where_they_are_long(words: list[str], width: int) -> None:
    text = tables.render("", ["a", "b"], [["first", " ".join(words)]], width)
    assert text.split()[-len(words) :] == words


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("labels", [2, 4, 12, 35])
def test_confusion_of_any_number_of_labels(width: int, labels: int) -> None:
    names = [f"label{index}" for index in range(labels)]
    heads = ["Label", "n", "float32", "int8", "precision", "AUC", *names]
    rows = [[name, 120, "0.933", "0.930", "0.911", "0.998", *range(labels)] for name in names]
    text = tables.render("Recall", heads, rows, width)
    assert all(len(line) <= width for line in text.split("\n"))
    assert "…" not in text
    assert {*names} <= set(text.split())


def test_a_number_keeps_its_unit() -> None:
    rows = [
        [f"a name of several words, number {n}", "15 kB", "97.4 %", "60 min", "many words " * 9]
        for n in "123"
    ]
    text = tables.render("", ["Name", "Size", "Share", "Age", "Text"], rows, 60)
    assert all(text.count(figure) == 3 for figure in ("15 kB", "97.4 %", "60 min"))


def test_a_terminal_is_not_steered_by_a_name() -> None:
    assert "\x1b" not in tables.render("", ["name"], [["a\x1b[2Jb"]], 80)


def test_a_pipe_has_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert tables.width_of(io.StringIO()) == 80
    monkeypatch.setenv("COLUMNS", "120")
    assert tables.width_of(io.StringIO()) == 120


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("command", [["boards"], ["doctor"], ["recipes"], ["data", "download"]])
def test_tables_of_commands(tinyml: Tinyml, tmp_path: Path, command: list[str], width: int) -> None:
    answer = tinyml(*command, cwd=tmp_path, code=None, env={"COLUMNS": str(width)})
    text = answer.out
    assert text, answer.err
    assert all(cell_len(line) <= width for line in text.splitlines()), text
    assert "…" not in text


_COSTS = {
    "bytes": 18_792,
    "gzip_bytes": 15_100,
    "macs": 400_000,
    "flash_bytes": 178_000,
    "ram_bytes": 40_100,
    "arena_bytes": 9000,
    "instructions": 12_345_678,
    "why_not": "",
}
_QUALITY = {"measure": "accuracy", "value": 0.948, "ci95": (0.93, 0.961)}


@pytest.mark.parametrize("width", [80, 120])
def test_tables_of_outcomes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], width: int
) -> None:
    from tinyml_cli.comparison import text as comparison
    from tinyml_cli.compression import stage
    from tinyml_cli.evaluation.of_labels import show_labels
    from tinyml_cli.outcomes.comparisons import (
        Compared,
        ComparedRow,
        Compressed,
        FinishedTrial,
        MeasuredModel,
        Tuned,
    )
    from tinyml_cli.outcomes.evaluations import Classified, EvaluatedLabels
    from tinyml_cli.tuning import outcome as tuning

    labels = ["silence", "unknown", "yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"]
    judged = Classified(
        accuracy=0.9,
        ci95=(0.8, 0.95),
        recall=dict.fromkeys(labels, 0.933),
        precision=dict.fromkeys(labels, 0.911),
        confusion=[[105] * len(labels)] * len(labels),
    )
    evaluated = EvaluatedLabels.model_construct(labels=labels, float32=judged, int8=judged, curves={})
    compared = ComparedRow(
        **_COSTS,
        **_QUALITY,
        name="kws-yes-no-up-down int8",
        kind="int8",
        path="model.tflite",
        sha256="0" * 64,
        n=105,
        front=True,
        difference=-0.003,
        p=0.453,
        within_chance=True,
    )
    trial = FinishedTrial.model_construct(
        name="trial 12",
        value=0.948,
        front=True,
        time_ms=77.7,
        instructions=12_345_678,
        flash_bytes=1,
        ram_bytes=1,
    )
    measured = MeasuredModel(**_COSTS, **_QUALITY, n=105)
    monkeypatch.setenv("COLUMNS", str(width))
    reference = "kws-yes-no float32"
    comparison.show(Compared.model_construct(reference=reference, models=[compared] * 6, notes=[]))
    tuning.show(Tuned.model_construct(trials=[trial] * 3))
    stage.show(Compressed.model_construct(before=measured, after=measured))
    show_labels(evaluated, ("precision", "AUC"))
    text = capsys.readouterr().out
    assert all(cell_len(line) <= width for line in text.splitlines()), text
    assert "…" not in text
    verdict = ["-0.3", "points,", "within", "chance", "(p", "=", "0.453)"]
    assert {"12,345,678", "0.930–0.961", "0.933", *verdict, *labels} <= set(text.split())


def test_there_is_one_table_function() -> None:
    """Rich's own tables cut cells: only the live views, which redraw an area, may use them."""
    allowed = {"live.py", "live_view.py", "view.py"}
    for path, tree in trees(r"rich\.table"):
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "rich.table":
                assert path.name in allowed, path


def test_the_console_keeps_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    console.quiet = True
    console.table("t", ["a"], [["b"]])
    console.quiet = False
    console.table("t", ["a"], [["b"]])
    assert capsys.readouterr().out == "t\na\n-\nb\n\n"
