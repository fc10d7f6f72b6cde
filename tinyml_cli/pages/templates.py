"""HTML and Markdown from templates that escape every value by default.

Only a template's own text is markup; values are escaped. `Markup` marks text that has already been
rendered.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyml_cli.pages.colours import colour
from tinyml_cli.user_text import one_line, prose, visible

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

FOLDER = Path(__file__).resolve().parent / "templates"


def html(template: str, **values: Any) -> str:
    """A whole page; equal values give equal text.

    Args:
        template: a name in `pages/templates`, or `PACKAGE:NAME` for one in the folder `templates` of another
            package, which may extend and include those of `pages/templates` by their names.
        values: what the template shows.
    """
    return _html().get_template(template).render(**values)


def fragment(template: str, **values: Any) -> Markup:
    """A part of a page, for use as a value of another template."""
    from markupsafe import Markup

    return Markup(html(template, **values))  # escaped by its own template


def put(page: str, name: str, content: str) -> str:
    """A page with the content of its element <tinyml-NAME> replaced; as it is where it has none."""
    place = re.compile(f"(<tinyml-{name}>).*?(</tinyml-{name}>)", re.DOTALL)
    return place.sub(lambda found: f"{found[1]}{content}{found[2]}", page)


def script(name: str) -> Markup:
    """A script of `pages/templates`, for an element of its own, as `script_hash` allows it."""
    from markupsafe import Markup

    return Markup(_script(name))


def script_hash(name: str) -> str:
    """What a Content-Security-Policy calls this script, so that no other one runs."""
    digest = hashlib.sha256(_script(name).encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


def _script(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def markdown(template: str, **values: Any) -> str:
    """A document in GitHub's Markdown."""
    return _markdown().get_template(template).render(**values)


def percent(share: float | None) -> str:
    """One decimal; a dash for None."""
    return "–" if share is None else f"{100 * share:.1f} %"


def interval(limits: Sequence[float] | None) -> str:
    """A range of shares; a dash for None."""
    return "–" if limits is None else f"{100 * limits[0]:.1f}–{100 * limits[1]:.1f} %"


def count(value: int | None) -> str:
    """An integer with separators; a dash for None."""
    return "–" if value is None else f"{value:,}"


def fixed(value: float | None, digits: int = 3) -> str:
    """A number with so many decimals; a dash for None."""
    return "–" if value is None else f"{value:.{digits}f}"


@functools.cache
def _html() -> Environment:
    return _environment(lambda value: visible(value) if _is_text(value) else value)


@functools.cache
def _markdown() -> Environment:
    environment = _environment(
        lambda value: value if hasattr(value, "__html__") else escape_markdown(str(value))
    )
    environment.filters["code"] = code
    return environment


def _is_text(value: object) -> bool:
    """Whether it is text that has not been rendered yet."""
    return isinstance(value, str) and not hasattr(value, "__html__")


def _environment(finalize: Any) -> Environment:
    from jinja2 import Environment, FunctionLoader, PackageLoader, StrictUndefined

    def load(template: str) -> Any:
        package, _, name = template.rpartition(":")
        return PackageLoader(package or "tinyml_cli.pages").get_source(environment, name)

    environment = Environment(
        loader=FunctionLoader(load),
        autoescape=True,
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"percent": percent, "interval": interval, "count": count, "fixed": fixed}
    environment.filters |= {"colour": colour, "prose": prose, "script_hash": script_hash}
    return environment


# What CommonMark and GitHub's extensions give a meaning within a line; an underscore inside a word has none.
_INLINE = re.compile(r"[\\`*\[\]|~$@]|(?<=\])\(|(?<![^\W_])_|_(?![^\W_])|(?<=[Ww]{3})\.|:(?=[/\w])")
# What makes a line a heading, list, rule or table where it begins one.
_START = re.compile(r"^ ?(?:(?=#|[+=-](?:[ +=-]|$))|\d+(?=[.)](?: |$)))")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def escape_markdown(text: str) -> Markup:
    """Text that Markdown shows as it is, on one line, in running text and in cells of tables."""
    from markupsafe import Markup

    line = re.sub(r"\s+", " ", one_line(text))
    escaped = _START.sub(r"\g<0>\\", _INLINE.sub(r"\\\g<0>", line))
    return Markup(escaped.translate(_ENTITIES))


def code(text: str) -> Markup:
    """Text as code. Backslashes mean nothing there and a bar ends a cell, hence entities where it matters."""
    from markupsafe import Markup

    line = one_line(text)
    if line and not set(line) & set("`|<>&\\") and line == line.strip():
        return Markup(f"`{line}`")
    return Markup(f"<code>{escape_markdown(line)}</code>")
