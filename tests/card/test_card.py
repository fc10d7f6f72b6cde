from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Tinyml
from tests.outcomes import check as check_outcome
from tinyml_cli.card import answers as card_answers
from tinyml_cli.card import text as card_text
from tinyml_cli.card.answers import QUESTIONS
from tinyml_cli.card.carbon import CarbonAssumptions, estimate
from tinyml_cli.card.card import write_card
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.evaluate import evaluate
from tinyml_cli.evaluation.frame import METRICS
from tinyml_cli.evaluation.options import EvaluationOptions
from tinyml_cli.manifest_sections import Data
from tinyml_cli.run import MODEL_INT8, Run


def answer(path: Path, name: str, text: str) -> None:
    """Writes an answer as a person does, in an editor."""
    lines = path.read_text(encoding="utf-8")
    before, rest = lines.split(f"<!-- tinyml:answer {name} -->\n", 1)
    _, after = rest.split("\n<!-- tinyml:end -->", 1)
    path.write_text(
        f"{before}<!-- tinyml:answer {name} -->\n{text}\n<!-- tinyml:end -->{after}", encoding="utf-8"
    )


def test_carbon_by_hand() -> None:
    # An hour at 65 W is 0.065 kWh; at 480 g a kWh 31.2 g.
    outcome = estimate(3600, CarbonAssumptions())
    assert outcome is not None
    assert outcome.energy_kwh == pytest.approx(0.065)
    assert outcome.grams_co2e == pytest.approx(31.2)
    assert outcome.level == "estimated"
    other = estimate(3600, CarbonAssumptions(watts=130, grams_per_kwh=50, seconds=1800))
    assert other is not None
    assert other.grams_co2e == pytest.approx(3.25)
    assert estimate(None, CarbonAssumptions()) is None


def test_a_card_of_a_model_that_was_not_evaluated(converted_run: Run) -> None:
    outcome = write_card(converted_run)
    text = Path(outcome.markdown).read_text(encoding="utf-8")
    check_outcome("card", outcome.as_dict())
    assert outcome.open == list(QUESTIONS)
    assert text.count("TODO(human)") == len(QUESTIONS)
    assert "run `tinyml evaluate`" in text
    assert "run `tinyml profile`" in text
    assert "Not estimated" in text
    assert converted_run.manifest().artifacts[MODEL_INT8].sha256 in text
    assert "accuracy" not in text, "nothing is known about quality"
    assert json.loads(Path(outcome.json_).read_text(encoding="utf-8")) == outcome.card.as_dict()


def test_the_languages_are_named(converted_run: Run) -> None:
    spoken = Data(source="synthetic", split_by="voice", languages=["de", "fr"])
    converted_run.save(converted_run.manifest().model_copy(update={"data": spoken}))
    assert "Spoken in: de, fr." in Path(write_card(converted_run).markdown).read_text(encoding="utf-8")


def test_figures_are_those_of_the_evaluation(converted_run: Run) -> None:
    figures = evaluate(converted_run, options=EvaluationOptions(noise=False))
    outcome = write_card(converted_run, assumptions=CarbonAssumptions(seconds=3600))
    text = Path(outcome.markdown).read_text(encoding="utf-8")
    assert f"**{100 * figures.int8.accuracy:.1f} %**" in text
    assert f"n = {figures.n}" in text
    assert "31 g CO2e" in text
    assert outcome.card.quality is not None
    assert outcome.card.quality["int8"]["confusion"] == figures.int8.confusion


def test_a_stale_evaluation_is_not_quoted(converted_run: Run) -> None:
    evaluate(converted_run, options=EvaluationOptions(noise=False))
    path = converted_run.file(METRICS)
    path.write_text(path.read_text(encoding="utf-8").replace("0.9", "1.0"), encoding="utf-8")
    assert write_card(converted_run).card.quality is None


@pytest.mark.parametrize("figure", ["many", -1, [1]])
def test_a_profile_that_was_edited_is_not_quoted(converted_run: Run, figure: object) -> None:
    sha256 = converted_run.manifest().artifacts[MODEL_INT8].sha256
    path = converted_run.file("report/profile.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"model_sha256": sha256, "board": "sim", "instructions": 5}))
    latency = write_card(converted_run).card.latency
    assert latency is not None and latency.instructions == 5
    path.write_text(json.dumps({"model_sha256": sha256, "board": "sim", "instructions": figure}))
    assert write_card(converted_run).card.latency is None


def test_answers_stay_when_the_card_is_written_again(converted_run: Run) -> None:
    path = Path(write_card(converted_run).markdown)
    words = "A doorbell.\n\n* for kitchens\n* läuft mit Batterie | oder Netz"
    answer(path, "intended-use", words)
    answer(path, "privacy", "TODO(human): ask legal; draft: nothing is kept")
    evaluate(converted_run, options=EvaluationOptions(noise=False))
    outcome = write_card(converted_run)
    text = path.read_text(encoding="utf-8")
    assert words in text
    assert "ask legal; draft" in text
    assert "int8 accuracy" in text
    assert outcome.card.answers["intended-use"] == words
    assert outcome.open == [name for name in QUESTIONS if name != "intended-use"]
    write_card(converted_run)
    assert path.read_text(encoding="utf-8") == text, "writing again changes nothing"


def test_answers_written_on_windows_stay(converted_run: Run) -> None:
    path = Path(write_card(converted_run).markdown)
    answer(path, "contact", "Ann")
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert write_card(converted_run).card.answers["contact"] == "Ann"


def test_answers_to_questions_of_another_version_stay(converted_run: Run) -> None:
    outcome = write_card(converted_run)
    path = Path(outcome.markdown)
    older = card_text.render(outcome.card, {"old-question": "Kept"})
    path.write_text(card_answers.stamped(older), encoding="utf-8")
    assert write_card(converted_run).card.answers["old-question"] == "Kept"
    assert "Kept" in path.read_text(encoding="utf-8")


def test_text_outside_of_the_answers_is_never_overwritten(converted_run: Run) -> None:
    path = Path(write_card(converted_run).markdown)
    edited = path.read_text(encoding="utf-8").replace("## Limits\n", "## Limits\n\nMy own remark.\n")
    path.write_text(edited, encoding="utf-8")
    with pytest.raises(TinymlError, match="edited outside its answers"):
        write_card(converted_run)
    assert path.read_text(encoding="utf-8") == edited


@pytest.mark.parametrize("name", ["card.md", "card.json"])
def test_other_files_are_never_overwritten(converted_run: Run, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text('{"mine": 1}', encoding="utf-8")
    with pytest.raises(TinymlError, match="nothing was changed"):
        write_card(converted_run, tmp_path)
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == [name]
    assert path.read_text(encoding="utf-8") == '{"mine": 1}'


def test_a_bare_model_has_a_card(tmp_path: Path, converted_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from tinyml_cli.stages.adopt import open_run

    monkeypatch.setenv("TINYML_RUNS", str(tmp_path / "runs"))
    text = Path(write_card(open_run(converted_run.file(MODEL_INT8))).markdown).read_text(encoding="utf-8")
    assert "The training data is unknown" in text


@pytest.mark.parametrize("name", ["card.html", "card.PDF", "answers.txt"])
def test_a_card_is_markdown(tinyml: Tinyml, tmp_path: Path, name: str) -> None:
    answer = tinyml("card", "run", "--out", name, cwd=tmp_path, code=2)
    assert "A card is Markdown" in answer.err
    assert not list(tmp_path.iterdir())
