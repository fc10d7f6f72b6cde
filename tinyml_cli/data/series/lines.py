"""The lines of a table without comments and without what sketches, monitors and JSON add to them."""

from __future__ import annotations

import json
import re
from collections import Counter

from tinyml_cli.data.series.dialect import NUMERIC_SHARE, PROBED_LINES, probe
from tinyml_cli.wording import counted

_COMMENT = ("#", "%", "//")
_SEPARATOR_LINE = re.compile(r"^sep=(.)$", re.IGNORECASE)
_MONITOR_CLOCK = re.compile(r"^(\d\d:\d\d:\d\d\.\d{3}) -> ")
_SINGLE_QUOTED = re.compile(r"'([^'\"]*)'(?=\s*(?:[,;\t|]|$))")
_NAMED = re.compile(r"([^\W\d][^:=,;\t]{0,40}?)[ ]?[:=][ ]?([-+]?[\d.][\d.eE+-]*)")


def lines_of(text: str) -> tuple[list[tuple[int, str]], list[str]]:
    """Numbered lines without comments and what sketches and monitors add; blank ones are empty strings."""
    result: list[tuple[int, str]] = []
    comments = 0
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        stripped = line.strip(" \r\n")
        if stripped.startswith(_COMMENT):
            names = stripped.lstrip("#%/ ")
            # `# t_ms,ax,ay,az` above the numbers is a header, as numpy.savetxt writes it.
            if not result and any(mark in names for mark in ",;\t") and "=" not in names:
                result.append((number, names))
                continue
            comments += 1
            continue
        if not result and _SEPARATOR_LINE.match(stripped.strip('"')):
            continue
        if stripped[:1] == "'" == stripped[-1:]:
            stripped = _SINGLE_QUOTED.sub(r'"\1"', stripped)
        clock = _MONITOR_CLOCK.match(stripped) if " -> " in stripped else None
        if clock is not None:
            stripped = stripped[clock.end() :].strip()
        result.append((number, stripped))
    result = _unnamed(_of_json(result))
    return result, [f"{counted(comments, 'comment line')} skipped"] if comments else []


def _of_json(lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Objects in JSON, one a line, as a header and rows; `{"acc": {"x": 1}}` is a column `acc x`."""
    filled = [line for _, line in lines if line]
    if not filled or any(line[0] != "{" for line in probe(filled)):
        return lines
    names: list[str] = []
    rows = []
    for number, line in lines:
        try:
            cells = {
                f"{name} {inner}".strip(): cell
                for name, value in json.loads(line).items()
                for inner, cell in (value.items() if isinstance(value, dict) else [("", value)])
            }
        except (ValueError, RecursionError, AttributeError):
            rows.append((number, line))  # reading it as a row says what is wrong
            continue
        names = names or list(cells)
        rows.append((number, "\t".join(str(cells.get(name, "")).replace("\t", " ") for name in names)))
    return [(0, "\t".join(names)), *rows] if names else lines


def _unnamed(lines: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """`ax:0.1,ay:0.2` of Arduino's plotter as a header and rows."""
    filled = [line for _, line in lines if line][:PROBED_LINES]
    if sum(":" in line or "=" in line for line in filled) < NUMERIC_SHARE * len(filled):
        return lines
    named = [[] if _NAMED.sub("", line).strip(" ,;\t") else _NAMED.findall(line) for line in filled]
    counts = Counter(len(pairs) for pairs in named if pairs)
    if not counts or counts.most_common(1)[0][1] < NUMERIC_SHARE * len(filled):
        return lines
    pairs = next(pairs for pairs in named if len(pairs) == counts.most_common(1)[0][0])
    names = [name.strip() for name, _ in pairs]
    if len(set(names)) != len(names):
        return lines
    result = [(0, ",".join(names))]
    for number, line in lines:
        pairs = _NAMED.findall(line)
        result.append((number, ",".join(value for _, value in pairs) if pairs else line))
    return result
