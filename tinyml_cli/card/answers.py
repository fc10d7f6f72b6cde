"""People's answers in a model card, which are kept when the card is written again."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from tinyml_cli.errors import TinymlError

TODO = "TODO(human)"

QUESTIONS = {
    "intended-use": "What product is this model for, who uses it, and where?",
    "not-for": "What must it not be used for?",
    "data-rights": "Under which licence, and with whose consent, may the training data be used for this?",
    "people": "Whose voices, faces or movements are in the training and test data, and who is missing?",
    "errors": "What happens on a false detection or a miss? Who bears the consequences?",
    "privacy": "What does the device store or transmit, and how do people around it know?",
    "licence": "Under which licence is the model distributed?",
    "contact": "Who is responsible for the model, and how are problems reported?",
}

_EARLIER_QUESTIONS = {
    "people": "Whose voices are in the training and test data, and who is missing?",
    "errors": "What happens when it detects a word nobody said, or misses one? Who bears the consequences?",
    "privacy": "What audio is stored or transmitted, and how do people around the device know?",
}

_BLOCK = re.compile(r"<!-- tinyml:answer ([\w-]+) -->\n(.*?)\n?<!-- tinyml:end -->", re.DOTALL)
_STAMP = re.compile(r"\n<!-- tinyml:stamp ([0-9a-f]{64}) -->\n*\Z")


def block(name: str, answers: dict[str, str]) -> str:
    """The place of one answer in the Markdown: the answer, or the question marked as open."""
    text = answers.get(name) or _open(name)
    return f"<!-- tinyml:answer {name} -->\n{text}\n<!-- tinyml:end -->"


def stamped(text: str) -> str:
    """The card with a last line that reveals changes outside the answers."""
    return f"{text.rstrip()}\n\n<!-- tinyml:stamp {_digest(text)} -->\n"


def read(path: Path) -> dict[str, str]:
    """The answers in an existing card, by name; open questions are left out. Empty if there is no file.

    Raises:
        TinymlError: the file is not a card, or was changed outside the answers.
    """
    if not path.exists():
        return {}
    try:
        text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as error:
        raise TinymlError(f"Cannot read the card: {error}", str(path), "Choose another --out.") from error
    stamp = _STAMP.search(text)
    if stamp is None:
        raise TinymlError(
            "The file was not written by `tinyml card`; nothing was changed",
            str(path),
            "Choose another file with --out.",
        )
    if stamp[1] != _digest(text[: stamp.start()]):
        raise TinymlError(
            "The card was edited outside its answers; nothing was changed",
            str(path),
            "Move your text between `tinyml:answer` and `tinyml:end`, or choose another file with --out.",
        )
    answers = {name: answer.strip("\n") for name, answer in _BLOCK.findall(text)}
    return {name: answer for name, answer in answers.items() if answer.strip() and not _is_open(name, answer)}


def open_questions(answers: dict[str, str]) -> list[str]:
    """Names of questions without an answer, or whose answer still says TODO(human)."""
    return [name for name in QUESTIONS if TODO in answers.get(name, TODO)]


def _is_open(name: str, answer: str) -> bool:
    return answer in (_open(name), f"{TODO}: {_EARLIER_QUESTIONS.get(name)}")


def _open(name: str) -> str:
    return f"{TODO}: {QUESTIONS.get(name, '')}".rstrip()


def _digest(text: str) -> str:
    """SHA-256 of the text without answers and trailing white space."""
    blank = _BLOCK.sub(lambda match: f"<!-- {match[1]} -->", text)
    return hashlib.sha256(blank.rstrip().encode()).hexdigest()
