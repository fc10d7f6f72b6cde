"""Pieces of HTML that report.html is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from tinyml_cli.evaluation.report_style import STYLE

Figures = Mapping[str, Any]

# The page may load nothing: not even a browser that is told to by a damaged label would.
_POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"


def page(kicker: str, title: str, lead: str, body: str, about: str = "") -> str:
    """A whole page that needs nothing else.

    Args:
        kicker: the command that wrote it.
        title: its heading.
        lead: a sentence below, as plain text.
        body: sections, as HTML.
        about: what the page shows, for the title of the window.
    """
    window = f"{title}: {about}" if about else title
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="color-scheme" content="light dark">
<title>{escape(window)}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<header><p class="kicker">{escape(kicker)}</p><h1>{escape(title)}</h1><p>{escape(lead)}.</p></header>
{body}
</main>
</body>
</html>
"""


def section(title: str, body: str, text: str = "") -> str:
    """A box with a heading, an explanation (HTML) and what it explains."""
    lead = f'<p class="lead">{text}</p>' if text else ""
    return f"<section><h2>{escape(title)}</h2>{lead}{body}</section>\n"


def percent(share: float | None) -> str:
    """One decimal; a dash for None."""
    return "–" if share is None else f"{100 * share:.1f} %"


def interval(limits: Sequence[float]) -> str:
    """A range of shares."""
    return f"{100 * limits[0]:.1f}–{100 * limits[1]:.1f} %"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], style: str = "") -> str:
    """Rows of HTML; cells after the first are figures."""
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join(
        f'<tr><th scope="row">{row[0]}</th>{"".join(f"<td>{cell}</td>" for cell in row[1:])}</tr>'
        for row in rows
    )
    return (
        f'<div class="scroll"><table class="{style}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def tile(value: str, name: str, detail: str) -> str:
    """One figure, its name and a remark."""
    return f'<div class="tile"><b>{value}</b><span>{escape(name)}</span><small>{detail}</small></div>'


def level(text: str) -> str:
    """How a figure was come by, as a badge."""
    return f'<span class="level">{escape(text)}</span>'
