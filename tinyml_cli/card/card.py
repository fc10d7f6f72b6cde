"""`tinyml card`: a model card as Markdown and JSON that keeps what people wrote into it."""

from __future__ import annotations

import json
from pathlib import Path

from tinyml_cli import checks
from tinyml_cli.card import answers as card_answers
from tinyml_cli.card import text as card_text
from tinyml_cli.card.carbon import CarbonAssumptions
from tinyml_cli.card.facts import gather
from tinyml_cli.documents import UnreadableError, load_json
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic
from tinyml_cli.outcomes.cards import Card, CardDocument
from tinyml_cli.run import Run

DEFAULT = "report/card.md"


def write_card(run: Run, out: Path | None = None, assumptions: CarbonAssumptions | None = None) -> Card:
    """Writes a run's card, and the same facts as JSON next to it.

    Args:
        run: with an int8 model; an evaluation and a profile add figures.
        out: a file ending in .md, or a folder for card.md; report/card.md in the run by default.
        assumptions: of the carbon estimate.

    Raises:
        TinymlError: no model, or an existing file that is not a card or was edited outside its answers.
    """
    path = _target(run, out)
    checks.output_file(path)
    with run.writing_to(path):
        return _write_card(run, path, assumptions or CarbonAssumptions())


def _write_card(run: Run, path: Path, assumptions: CarbonAssumptions) -> Card:
    companion = path.with_suffix(".json")
    answers = card_answers.read(path)
    _check_companion(companion)
    facts = gather(run, assumptions)
    document = CardDocument.extending(
        facts,
        questions=card_answers.QUESTIONS,
        answers=dict.fromkeys(card_answers.QUESTIONS) | answers,
    )
    write_atomic(path, card_answers.stamped(card_text.render(facts, answers)))
    write_atomic(companion, json.dumps(document.as_dict(), indent=2, ensure_ascii=False) + "\n")
    unanswered = card_answers.open_questions(answers)
    return Card(markdown=str(path), json=str(companion), open=unanswered, card=document)


def _target(run: Run, out: Path | None) -> Path:
    if out is None:
        return run.file(DEFAULT)
    return out if out.suffix.lower() in (".md", ".markdown") else out / "card.md"


def _check_companion(path: Path) -> None:
    """Refuses to overwrite a JSON file that is not a card's."""
    if not path.exists():
        return
    try:
        known = "tinyml_card" in load_json(path)
    except (UnreadableError, TypeError):
        known = False
    if not known:
        raise TinymlError(
            "The file is not the JSON of a card; nothing was changed",
            str(path),
            "Choose another name with --out.",
        )
