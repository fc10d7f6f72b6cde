"""Reports: one frame for all tasks, in the words of each, and nothing that needs a network."""

from __future__ import annotations

import re

import pytest

from tests.pages import figures
from tests.pages.test_escaping import PAGES
from tinyml_cli.tasks.vww.report import low_light_note

TASKS = [task for task in PAGES if task != "compare"]


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_the_same_frame(task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    text = PAGES[task]("run-7")
    for part in ("<h1>run-7</h1>", "1970-01-02", f"<dd>{task}</dd>", "Summary", "Provenance"):
        assert part in text
    assert "0" * 64 in text, "the whole hash of a model"
    assert re.search(r"95 %: [\d.]+–[\d.]+( %)?, n = \d+", text), "a figure with its interval and n"
    assert text == PAGES[task]("run-7"), "equal figures of one day give equal bytes"


@pytest.mark.parametrize("task", PAGES)
def test_a_page_loads_nothing_and_runs_nothing(task: str) -> None:
    text = PAGES[task]("run-7")
    assert "default-src 'none'" in text
    assert not re.search(r"https?:|url\(|@import|<script|<link|<iframe", text)


@pytest.mark.parametrize("task", PAGES)
def test_pictures_and_tables_can_be_read_without_eyes_or_a_mouse(task: str) -> None:
    text = PAGES[task]("run-7")
    assert '<html lang="en">' in text
    assert all(re.search(r'alt="[^"]+"', tag) for tag in re.findall(r"<img[^>]*>", text))
    assert all(re.search(r'aria-label="[^"]+"', tag) for tag in re.findall(r"<(?:svg|audio)[^>]*>", text))
    assert all('tabindex="0"' in tag for tag in re.findall(r'<div class="scroll"[^>]*>', text))


@pytest.mark.parametrize(("task", "many"), [("vww", "images"), ("wand", "strokes"), ("anomaly", "windows")])
def test_other_tasks_than_kws_judge_no_clips(task: str, many: str) -> None:
    text = PAGES[task]("run-7")
    assert f"{many}</dd>" in text
    assert not re.search(r"\bclips?\b", text.split("</style>")[1])


def test_dots_of_a_comparison_carry_their_names() -> None:
    assert '<text class="name"' in PAGES["compare"]("run-7")
    assert ">run-7 int8</text>" in PAGES["compare"]("run-7")


def test_an_accuracy_that_rises_in_the_dark_is_explained() -> None:
    rows = figures.seen("person").low_light
    note = low_light_note(rows, ["unknown", "person"])
    assert "50.0 % to 60.0 %" in note and "recall 90.0 % to 30.0 %" in note
    assert low_light_note(rows[:1] * 2, ["unknown", "person"]) == ""
