"""Options of the commands that have words spoken or recorded."""

from __future__ import annotations

from typing import Annotated

import typer


def _codes() -> list[str]:
    """For completion; none without espeak-ng."""
    from tinyml_cli.errors import TinymlError
    from tinyml_cli.speech import languages

    try:
        return list(languages.catalogue())
    except TinymlError:
        return []


Language = Annotated[
    str | None,
    typer.Option(
        "--language",
        metavar="CODE",
        autocompletion=_codes,
        help="Languages that the words are spoken in, comma-separated codes such as de or de,fr; "
        "by the words' script, else en.",
    ),
]
Pronounce = Annotated[
    list[str] | None,
    typer.Option(
        "--pronounce",
        metavar="WORD=SPELLING",
        help="Correct how synthetic voices read a word; CODE:SPELLING for one language; repeatable.",
    ),
]
PromptLanguage = Annotated[
    str | None,
    typer.Option(
        "--language",
        metavar="CODE",
        autocompletion=_codes,
        help="Show how the words are said in these languages, comma-separated codes such as ja.",
    ),
]
