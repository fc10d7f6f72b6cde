"""Models side by side: the right figures, the right pairing, an honest verdict."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.pattern_task import LABELS, PatternTask, as_input, patterns
from tinyml_cli.build.target import build_target
from tinyml_cli.comparison import pareto
from tinyml_cli.comparison.compare import CompareOptions, compare
from tinyml_cli.comparison.cost import cost_of
from tinyml_cli.comparison.judge import Quality
from tinyml_cli.comparison.likeness import difference_of_items
from tinyml_cli.comparison.subjects import find
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation import answer_book
from tinyml_cli.evaluation.evaluate import evaluate
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8, Run
from tinyml_cli.statistics import mcnemar
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.anatomy import gzip_bytes

FAST = CompareOptions(on_board=False)


@pytest.mark.parametrize(
    ("b", "c", "p"),
    [(0, 0, 1.0), (1, 0, 1.0), (0, 5, 0.0625), (0, 6, 0.03125), (3, 12, 0.03515625), (7, 7, 1.0)],
)
def test_mcnemar_is_the_exact_binomial_test(b: int, c: int, p: float) -> None:
    """By hand: 2 * sum(C(n, i), i <= min) / 2^n, such as 2 * (1 + 15 + 105 + 455) / 32768 for 3 and 12."""
    assert mcnemar.exact_p(b, c) == pytest.approx(p)


def test_models_are_paired_by_item_and_not_by_place() -> None:
    first = {"a": True, "b": True, "c": False, "only here": True}
    second = {"c": True, "b": False, "a": True, "only there": False}
    result = mcnemar.paired(first, second)
    assert result is not None
    assert (result.n, result.only_first, result.only_second) == (3, 1, 1)
    assert result.within_chance
    assert mcnemar.paired({"a": True}, {"b": True}) is None


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=12))
def test_the_front_is_what_nothing_dominates(points: list[tuple[int, int]]) -> None:
    marks = pareto.front([(float(a), float(b)) for a, b in points])
    assert any(marks)
    for (a, b), on_front in zip(points, marks, strict=True):
        beaten = any((c <= a and d <= b) and (c, d) != (a, b) for c, d in points)
        assert on_front is not beaten


def test_unknown_figures_are_never_on_the_front() -> None:
    assert pareto.front([None, (1.0, 2.0)]) == [False, True]


def test_float_and_int8_of_one_run(converted_run: Run) -> None:
    document = compare([str(converted_run.path)], FAST)

    features, labels = patterns(120, 2000)
    outputs = interpret.run_float(converted_run.file(MODEL_FLOAT32).read_bytes(), as_input(features))
    exact, rounded = document.models
    assert (exact.kind, rounded.kind) == ("float32", "int8")
    assert exact.value == (outputs.argmax(axis=1) == labels).mean()
    assert rounded.bytes == converted_run.file(MODEL_INT8).stat().st_size
    assert rounded.gzip_bytes == gzip_bytes(converted_run.file(MODEL_INT8).read_bytes()) < rounded.bytes
    assert rounded.n == 120
    (pair,) = document.pairs
    assert pair.n == 120
    assert pair.within_chance, "int8 of an easy task hardly differs"
    assert document.reference == exact.name
    assert rounded.front, "smaller and no worse: nothing can dominate it in bytes"


def test_answers_of_evaluate_are_used_again(converted_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = evaluate(converted_run)
    monkeypatch.setattr("tinyml_cli.comparison.judge.classes", lambda *_: pytest.fail("asked again"))
    document = compare([str(converted_run.path)], FAST)
    values = {row.kind: row.value for row in document.models}
    assert values == {"float32": outcome.float32.accuracy, "int8": outcome.int8.accuracy}


def test_answers_to_another_set_are_not_mixed_in(converted_run: Run) -> None:
    evaluate(converted_run)
    book = answer_book.load(converted_run)
    assert book is not None
    other = answer_book.AnswerBook("elsewhere|", book.keys[:3], book.labels[:3], {"0" * 64: book.labels[:3]})
    other.save(converted_run)
    assert compare([str(converted_run.path)], FAST).models[0].n == 120
    renewed = answer_book.load(converted_run)
    assert renewed is not None
    assert "0" * 64 not in renewed.answers


def test_a_damaged_book_is_made_anew(converted_run: Run) -> None:
    evaluate(converted_run)
    path = converted_run.file(answer_book.ANSWERS)
    path.write_bytes(path.read_bytes()[:100])
    assert compare([str(converted_run.path)], FAST).models[0].n == 120


def test_a_broken_model_is_told_apart(converted_run: Run, tmp_path: Path) -> None:
    """A model whose answers are shifted by one class is worse beyond chance."""
    broken = Run(Path(shutil.copytree(converted_run.path, tmp_path / "runs" / "broken")))
    evaluate(broken)
    book = answer_book.load(broken)
    assert book is not None
    wrong = {sha256: (answers + 1) % len(LABELS) for sha256, answers in book.answers.items()}
    answer_book.AnswerBook(book.source, book.keys, book.labels, wrong).save(broken)
    document = compare([str(converted_run.path), str(broken.path)], FAST)
    rows = {row.name: row for row in document.models}
    assert rows["patterns int8"].within_chance
    assert rows["broken int8"].within_chance is False
    assert rows["broken int8"].difference < -0.8


def _copy(run: Run, tmp_path: Path, name: str) -> Run:
    return Run(Path(shutil.copytree(run.path, tmp_path / "runs" / name)))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"task": "wand"}, "for the task patterns, `other` for wand"),
        ({"labels": ["a", "b"]}, "`other` has a, b"),
    ],
)
def test_unlike_runs_are_refused(
    converted_run: Run, tmp_path: Path, change: dict[str, object], says: str
) -> None:
    other = _copy(converted_run, tmp_path, "other")
    other.save(other.manifest().model_copy(update=change))
    with pytest.raises(TinymlError, match=says):
        compare([str(converted_run.path), str(other.path)], FAST)


@pytest.mark.parametrize(
    ("kept", "renamed", "says"),
    [
        (slice(0, 100), "", "evaluated on 100 test items and patterns float32 on 120; 100 are shared"),
        pytest.param(slice(None), "x", "none are shared: no McNemar test", marks=pytest.mark.slow),
    ],
)
def test_other_test_items_are_said(
    converted_run: Run, tmp_path: Path, kept: slice, renamed: str, says: str
) -> None:
    other = _copy(converted_run, tmp_path, "other")
    evaluate(other)
    book = answer_book.load(other)
    assert book is not None
    keys = np.array([renamed + key for key in book.keys[kept]])
    answers = {sha256: values[kept] for sha256, values in book.answers.items()}
    answer_book.AnswerBook(book.source, keys, book.labels[kept], answers).save(other)
    document = compare([str(converted_run.path), str(other.path)], FAST)
    assert [says in note for note in document.notes] == [True, True]
    assert compare([str(converted_run.path)], FAST).notes == []


def test_a_measure_without_single_answers_says_why_it_is_not_tested() -> None:
    auc = Quality("auc", 0.9, None, 10, None)
    assert "not each answer" in difference_of_items("b", auc, "a", auc)


def test_a_lone_file_is_judged_on_the_runs_test_set(converted_run: Run, tmp_path: Path) -> None:
    lone = tmp_path / "lone.tflite"
    shutil.copy(converted_run.file(MODEL_INT8), lone)
    rows = {row.name: row for row in compare([str(converted_run.path), str(lone)], FAST).models}
    assert rows["lone"].value == rows["patterns int8"].value
    assert rows["lone"].p is not None


def test_a_lone_file_has_its_costs_beside_a_run_that_cannot_judge_it(
    converted_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(PatternTask, "compares_clips", False)
    lone = tmp_path / "lone.tflite"
    shutil.copy(converted_run.file(MODEL_INT8), lone)
    rows = {row.name: row for row in compare([str(converted_run.path), str(lone)], FAST).models}
    assert rows["lone"].value is None
    assert rows["patterns int8"].value is not None
    assert rows["lone"].bytes == rows["patterns int8"].bytes
    assert "no accuracy for lone" in capsys.readouterr().err


def test_a_file_of_a_run_beside_it_stays_the_runs(converted_run: Run) -> None:
    run, file = str(converted_run.path), str(converted_run.file(MODEL_INT8))
    names = [model.name for model in find([run])]
    assert [model.name for model in find([run, file])] == names
    assert sorted(model.name for model in find([file, run])) == sorted(names)
    assert all(model.run is not None for model in find([file, run]))


def test_lone_files_alone_have_sizes_and_no_quality(converted_run: Run, tmp_path: Path) -> None:
    lone = tmp_path / "lone.tflite"
    shutil.copy(converted_run.file(MODEL_INT8), lone)
    document = compare([str(lone)], FAST)
    assert document.models[0].value is None
    assert document.models[0].macs > 0
    assert not document.models[0].front
    with pytest.raises(TinymlError, match="--out"):
        compare([str(lone)], CompareOptions(on_board=False, html=True))


def test_a_run_that_cannot_be_written_is_compared_all_the_same(
    converted_run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    access = os.access
    monkeypatch.setattr("os.access", lambda path, mode: not mode & os.W_OK and access(path, mode))
    document = compare([str(converted_run.path)], FAST)
    assert document.picture is None and document.models
    assert "not saved" in capsys.readouterr().err
    with pytest.raises(TinymlError, match="No permission to write"):
        compare([str(converted_run.path)], replace(FAST, html=True))


def test_picture_and_page_are_whole_and_repeatable(converted_run: Run, tmp_path: Path) -> None:
    contents = []
    for _ in range(2):
        out = tmp_path / "out"
        document = compare([str(converted_run.path)], CompareOptions(on_board=False, html=True, out=out))
        contents.append(
            [(out / name).read_bytes() for name in ("compare.png", "compare.html", "compare.json")]
        )
    assert contents[0] == contents[1]
    with Image.open(document.picture) as picture:
        assert min(picture.size) > 300
    page = contents[0][1].decode()
    assert "patterns int8" in page
    assert "http" not in page.replace("http-equiv", "")
    assert json.loads(contents[0][2])["pairs"] == [pair.as_dict() for pair in document.pairs]


def test_a_hostile_name_stays_text(converted_run: Run, tmp_path: Path) -> None:
    lone = tmp_path / "<script>alert(1)<"
    lone.mkdir()
    file = lone / "<b>x.tflite"
    shutil.copy(converted_run.file(MODEL_INT8), file)
    out = tmp_path / "out"
    compare([str(converted_run.path), str(file)], CompareOptions(on_board=False, html=True, out=out))
    assert "<b>x" not in (out / "compare.html").read_text(encoding="utf-8")


def test_an_unknown_reference_names_the_models(converted_run: Run) -> None:
    with pytest.raises(TinymlError, match="patterns int8"):
        compare([str(converted_run.path)], CompareOptions(on_board=False, against="qat"))


def test_a_stale_flatbuffer_is_refused(converted_run: Run) -> None:
    path = converted_run.file(MODEL_INT8)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(TinymlError, match="tinyml convert"):
        compare([str(converted_run.path)], FAST)


def test_float_models_have_no_firmware_and_say_why(converted_run: Run) -> None:
    cost = cost_of(converted_run.file(MODEL_FLOAT32).read_bytes(), "float", on_board=True)
    assert cost.instructions is None
    assert "float32" in cost.why_not


@pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="no QEMU here")
@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="no Arm compiler here")
@pytest.mark.slow
def test_instructions_are_those_of_profile(
    converted_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tinyml_cli.profile.profile import profile
    from tinyml_cli.stages.adopt import open_run

    monkeypatch.setenv("TINYML_RUNS", str(tmp_path / "adopted"))
    cost = cost_of(converted_run.file(MODEL_INT8).read_bytes(), "int8", on_board=True)
    run = open_run(converted_run.file(MODEL_INT8))
    assert cost.instructions == profile(run, build_target("sim")).instructions
    assert cost.flash_bytes is not None
    assert cost.flash_bytes > cost.bytes / 2


def test_keys_follow_the_sound_and_not_the_front_end() -> None:
    from tinyml_cli.data.evaluation_set import EvaluationSet

    rng = np.random.default_rng(0)
    audio = rng.integers(-99, 99, (4, 30)).astype(np.int16)
    audio[3] = audio[0]
    sets = [
        EvaluationSet(
            audio,
            rng.integers(0, 9, (4, n, 2)).astype(np.uint16),
            np.array([0, 1, 2, 0]),
            np.array(["a"] * 4),
            "",
        )
        for n in (3, 5)
    ]
    keys = [answer_book.item_keys(each) for each in sets]
    np.testing.assert_array_equal(*keys)
    assert len(set(keys[0])) == 4, "equal items still have keys of their own"
