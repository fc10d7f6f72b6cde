"""The package's own source, for tests of rules that no linter knows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "tinyml_cli"


def sources(pattern: str) -> Iterator[tuple[Path, str]]:
    """Modules whose text contains the regular expression `pattern`."""
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if re.search(pattern, text):
            yield path, text


def trees(pattern: str) -> Iterator[tuple[Path, ast.Module]]:
    """The same, parsed: that takes seconds for the whole package, hence the pattern."""
    for path, text in sources(pattern):
        yield path, ast.parse(text)
