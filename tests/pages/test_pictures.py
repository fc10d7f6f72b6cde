"""Pictures: text as it is written, in letters that a font has, and no warnings."""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.pages.test_escaping import PAYLOADS
from tinyml_cli.evaluation.plots import confusion_png
from tinyml_cli.outcomes.evaluations import Mistake
from tinyml_cli.pages import pictures
from tinyml_cli.pages.contact_sheet import draw
from tinyml_cli.statistics.metrics import Classification


@pytest.fixture
def _only_the_base(monkeypatch: pytest.MonkeyPatch) -> None:
    """No font but matplotlib's own."""
    base = pictures._fonts()[0]
    assert base[0] == "DejaVu Sans"
    monkeypatch.setattr(pictures, "_fonts", lambda: (base,))
    pictures._chosen.cache_clear()


@pytest.mark.usefixtures("_only_the_base")
def test_letters_that_no_font_has_are_spelled_or_escaped() -> None:
    families, missing = pictures._chosen(frozenset("はい 你 ok"))
    assert families == ("DejaVu Sans",)
    assert pictures._drawable("はい", missing) == "hai"
    assert pictures._drawable("你 ok", missing) == "\\u4f60 ok"
    pictures._chosen.cache_clear()


@pytest.mark.parametrize("name", [*PAYLOADS, "$", "$x^2$", "$\\frac{1}{2", "한국어", "\U0010fffd"])
def test_any_label_can_be_drawn_without_a_warning(name: str, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = Classification((name, "b"), np.array([[1, 0], [0, 1]]))
        confusion_png(tmp_path / "confusion.png", result, name)
        mistake = Mistake(
            label=name, answer=name, score=0.5, true_score=0.1, index=0, word=name, speaker=name
        )
        sheet = draw([mistake], np.zeros((1, 8, 8, 1), np.uint8))
    for content in ((tmp_path / "confusion.png").read_bytes(), sheet):
        with Image.open(BytesIO(content)) as image:
            image.verify()


def test_dollars_are_drawn_as_dollars_and_powers_of_ten_as_powers() -> None:
    figure = pictures.new(3, 2)
    axes = figure.subplots()
    axes.plot([1, 1e6], [0, 1])
    axes.set_xscale("log")
    axes.set_yticks([0, 1], ["$a$", "b"])
    pictures.png(figure, 50)
    assert [label.get_text() for label in axes.get_yticklabels()] == [r"\$a\$", "b"]
    assert any("10^{" in label.get_text() and label.get_parse_math() for label in axes.get_xticklabels())


def test_equal_figures_give_equal_bytes() -> None:
    assert len({pictures.png(pictures.new(2, 1), 40) for _ in range(2)}) == 1


def test_a_title_of_a_long_name_keeps_its_figures() -> None:
    figure = pictures.new(4, 3)
    title = figure.suptitle(f"{'run' * 200}, int8: 75.0%, n = 20")
    pictures.png(figure, 50)
    assert title.get_text().startswith("runrun") and title.get_text().endswith("int8: 75.0%, n = 20")
    assert len(title.get_text()) < 60
