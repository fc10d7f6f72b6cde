"""Users' text where people read it: in the terminal, pages, cards and pictures."""

from __future__ import annotations

import re
import unicodedata

# Marks inside words of Persian, Hindi and others, which are not printable to Python but harmless.
JOINERS = "\u200c\u200d"
_INSIDE_WORDS = frozenset("_' -")
# Marks that change the direction of the text around them: a label could reorder what stands beside it.
_DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def visible(text: str) -> str:
    """Text with everything that no reader would see written as an escape: `\\x1b`, `\\u202e`, `\\udc80`.

    Line feeds and tabs stay. The result can always be encoded as UTF-8.
    """
    if text.isprintable():
        return text
    return "".join(_escape(letter) if _is_hidden(letter) else letter for letter in text)


def printable(text: str) -> str:
    """Text without what could steer a terminal: other characters that are not printable become U+FFFD."""
    if is_printable(text):
        return text
    return "".join(c if is_printable(c) else "\ufffd" for c in text)


def is_printable(text: str) -> bool:
    """Whether nothing in the text could steer a terminal."""
    return text.isprintable() or all(c.isprintable() or c in JOINERS for c in text)


def is_spoken(text: str) -> bool:
    """Whether a text has only what words are written with: letters, digits, vowel signs and the like,
    spaces, hyphens, underscores and apostrophes.
    """
    return all(
        c.isalnum()
        or c in _INSIDE_WORDS
        or unicodedata.category(c).startswith("M")
        or (c in JOINERS and not text.isascii())
        for c in text
    )


def one_line(text: str) -> str:
    """`visible` text without line feeds."""
    return visible(" ".join(text.splitlines()) if "\n" in text or "\r" in text else text)


def prose(text: str) -> str:
    """A message of the terminal as a sentence of a page: a name between backticks gets quotation marks."""
    return re.sub(r"`([^`]+)`", r"“\1”", text)


def _is_hidden(letter: str) -> bool:
    return (
        unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") and letter not in "\n\t"
    ) or letter in _DIRECTIONS


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
