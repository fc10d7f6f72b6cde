"""Numbers in sentences: "1 clip", "2 clips", by one helper."""

from __future__ import annotations

import ast
import re

from tests.sources import trees
from tinyml_cli.wording import counted

# After a number: units and verbs, not what is counted.
NOT_COUNTED = {
    "is",
    "was",
    "has",
    "does",
    "this",
    "ms",
    "bytes",
    "loss",
    "contains",
    "lists",
    "applies",
    "words",
}


def test_one_is_not_many() -> None:
    assert [counted(n, "clip") for n in (0, 1, 2, 1200)] == ["0 clips", "1 clip", "2 clips", "1,200 clips"]
    assert [counted(n, "copy", "copies") for n in (1, 2)] == ["1 copy", "2 copies"]


def test_lengths_are_counted_by_the_helper() -> None:
    """`{len(x)} clips` is wrong for one clip."""
    for path, tree in trees(r"\{(len|sum|int)\("):
        for text in ast.walk(tree):
            if not isinstance(text, ast.JoinedStr):
                continue
            for number, after in zip(text.values, text.values[1:], strict=False):
                if not isinstance(number, ast.FormattedValue) or not isinstance(after, ast.Constant):
                    continue
                word = re.match(r" (?:[a-z]+ )?([a-z]+s)\b", str(after.value))
                if word is None or word[1] in NOT_COUNTED:
                    continue
                value = ast.unparse(number.value)
                if not re.match(r"(len|sum|int)\(", value):
                    continue
                raise AssertionError(f"{path}:{text.lineno}: {{{value}}}{word[0]}")
