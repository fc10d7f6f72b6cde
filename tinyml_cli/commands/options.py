"""Options and arguments that several commands share, declared once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from tinyml_cli import checks, next_step
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError

MOST_SEED = 2**32 - 1


def given(check: Callable[..., None], *arguments: Any) -> Callable[..., Any]:
    """A callback that asks a check of `tinyml_cli.checks` about an option's value, before anything else.

    The option's name comes last: check(value, *arguments, "--option").
    """

    def ask(parameter: typer.CallbackParam, value: Any) -> Any:  # typer tells them by their types
        if value is not None:
            names = [name for name in parameter.opts if name.startswith("--")]
            check(value, *arguments, names[0] if names else str(parameter.name).upper())
        return value

    return ask


def one_of(what: str, *choices: str) -> Callable[..., Any]:
    """A callback that takes these names alone."""

    def ask(value: str, where: str) -> None:
        checks.choice(value, choices, where, what)

    return given(ask)


def _set_json(value: bool) -> bool:
    console.json = value
    return value


def _set_quiet(value: bool) -> bool:
    console.quiet = value
    return value


def _accept_partial(value: bool) -> bool:
    from tinyml_cli.run import Run

    Run.accepts_partial = value
    if value:
        next_step.accept_partial()
    return value


Json = Annotated[
    bool,
    typer.Option(
        "--json", callback=_set_json, is_eager=True, help="One JSON object on stdout, text on stderr."
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", callback=_set_quiet, is_eager=True, help="Print only results, warnings and errors."
    ),
]
RunArgument = Annotated[
    str | None,
    typer.Argument(metavar="[RUN]", help="A run directory, or a name in runs/; the latest run by default."),
]
RunOption = Annotated[
    Path | None,
    typer.Option(
        "--run",
        callback=given(checks.output_folder),
        help="The run directory; runs/<task>-<words> by default.",
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        callback=given(checks.data),
        help="A folder of recordings, one folder per word (Speech Commands layout).",
    ),
]
AnyDataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        callback=given(checks.data),
        help="Data in the form that the task trains on: for most tasks, a folder with one folder per label.",
    ),
]
AcceptPartial = Annotated[
    bool,
    typer.Option(
        "--accept-partial", callback=_accept_partial, help="Use a model whose training was interrupted."
    ),
]


def word_list(words: str | None, option: str) -> list[str] | None:
    """Splits `--words yes,no`; None stays None.

    Raises:
        TinymlError: nothing stands before, after or between commas, where a shell's variable was empty, say.
    """
    if words is None:
        return None
    entries = [word.strip() for word in words.split(",")]
    if not all(entries):
        raise TinymlError(f"`{words}` has an empty entry", option, "Remove the extra comma.")
    return entries
