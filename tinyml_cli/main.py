"""The command `tinyml`: names of commands, loaded on demand; the one place where errors are reported."""

from __future__ import annotations

import io
import os
import re
import sys
from pathlib import Path
from typing import Any

import typer

from tinyml_cli import __version__, completion, interrupt, undo
from tinyml_cli.command_group import HELP_NAMES, lazy_group, walk
from tinyml_cli.console import console
from tinyml_cli.errors import (
    EXIT_BAD_INPUT,
    EXIT_DEFECT,
    EXIT_FAILURE,
    EXIT_INTERRUPTED,
    EXIT_OK,
    TinymlError,
    did_you_mean,
)
from tinyml_cli.next_step import one_command
from tinyml_cli.tracking import seam

_PACKAGE = "tinyml_cli.commands"

# What people do, in the order of --help. A module that has a table COMMANDS of its own, instead of a function
# `command`, is a group of commands; its docstring is the group's help.
SECTIONS = {
    "Project": {
        "init": "init",
        "check": "check",
        "registry": "registry",
        "retrain": "retrain",
        "lineage": "lineage",
        "footprint": "footprint",
        "tracking": "tracking",
    },
    "Whole pipeline": {"pipeline": "pipeline", "studio": "studio", "serve": "serve"},
    "Data": {"data": "data"},
    "Train": {
        "train": "train",
        "federate": "federate",
        "tune": "tune",
        "teach": "teach",
        "recipes": "recipes",
    },
    "Shrink": {
        "quantize": "quantize",
        "prune": "prune",
        "cluster": "cluster",
        "distill": "distill",
        "convert": "convert",
    },
    "Evaluate and inspect": {
        "evaluate": "evaluate",
        "evaluate-stream": "evaluate_stream",
        "explain": "explain",
        "attack": "attack",
        "fairness": "fairness",
        "compare": "compare",
        "inspect": "inspect",
        "profile": "profile",
        "bench": "bench",
        "card": "card",
    },
    "Deploy": {
        "export-c-array": "export_c_array",
        "export-library": "export_library",
        "build": "build",
        "flash": "flash",
        "boards": "boards",
        "keys": "keys",
        "container": "container",
    },
    "Watch": {
        "monitor": "monitor",
        "drift": "drift",
        "watch-drift": "watch_drift",
        "fleet": "fleet",
    },
    "Learn": {"learn": "learn", "course": "course"},
    "Housekeeping": {
        "runs": "runs",
        "doctor": "doctor",
        "completion": "completion",
        "schema": "schema",
    },
}


def command_paths() -> list[str]:
    """Every command as it is typed, groups before their members: ["pipeline", "data", "data download", …]."""
    return [path for section in SECTIONS.values() for path, _ in walk(_PACKAGE, section)]


app = typer.Typer(
    cls=lazy_group(_PACKAGE, SECTIONS),
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=HELP_NAMES,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tinyml {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_show_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """From words to a blinking board: train, quantise, deploy and watch TinyML models."""


def main(is_last: bool = False) -> None:
    """Runs the command line; every known failure ends as one paragraph and exit code 2.

    Args:
        is_last: nothing follows in this process, so signals are ignored from then on.
    """
    if completion.VARIABLE in os.environ:
        sys.exit(completion.answer(app))
    # Known before the options are parsed, so that a wrong option is reported as JSON too.
    console.json = "--json" in sys.argv[1:]
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names, and symbols that a terminal's code page lacks
            stream.reconfigure(errors="backslashreplace")
    try:
        with interrupt.listening(is_last), one_command():
            code = _run()
    except KeyboardInterrupt:  # between the command's end and the listening's
        code = interrupt.tell()
    if interrupt.is_stopped():
        interrupt.leave(code)
    sys.exit(code)


def _open_closed_streams() -> None:
    """Without stderr, Python prints errors to stdout, and the next file that is opened becomes file 2."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115


def _run() -> int:
    undo.forget()
    seam.forget()
    try:
        code = _called()
    except BaseException:
        undo.take_back()
        raise
    if code not in (EXIT_OK, EXIT_FAILURE):
        undo.take_back()
    seam.command_ended(code)
    return code


def _called() -> int:
    """Calls the command; its exit code, a known failure's too."""
    try:
        _check_text(sys.argv[1:])
        code = app(standalone_mode=False, prog_name="tinyml")
    except (KeyboardInterrupt, typer.Abort):  # Abort: the end of what was to be typed in
        return interrupt.tell()
    except Exception as error:
        # Children get Ctrl-C too: that one of them failed is no news then.
        return interrupt.tell() if interrupt.is_stopped() else _failed(error)
    if code == EXIT_INTERRUPTED:  # what typer makes of a KeyboardInterrupt
        return interrupt.tell()
    return interrupt.exit_code(code if isinstance(code, int) else EXIT_OK)


def _check_text(arguments: list[str]) -> None:
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            raise TinymlError(
                "A name is not UTF-8 text, so it cannot be stored in a report or manifest",
                ascii(argument),
                "Rename the file or folder.",
            ) from error


def _failed(error: Exception) -> int:
    if isinstance(error, TinymlError):
        console.error(error)
        return EXIT_BAD_INPUT
    if isinstance(error, BrokenPipeError):
        sys.stderr.close()
        return EXIT_FAILURE
    if isinstance(error, OSError):
        from tinyml_cli import system_errors

        if refused := system_errors.explain(error):
            console.error(refused)
            return EXIT_BAD_INPUT
    if isinstance(error, ImportError) and (error.name or "").partition(".")[0] in ("tensorflow", "keras"):
        console.error(
            TinymlError(
                f"This command needs TensorFlow ({error})",
                "tensorflow",
                "Run: pip install 'tinyml-cli[train]'",
            )
        )
        return EXIT_BAD_INPUT
    return _usage_error(error)


def _usage_error(error: Exception) -> int:
    """Turns typer's usage errors into ours; anything else is a defect and keeps its traceback."""
    if not hasattr(error, "format_message"):
        from tinyml_cli import defect

        console.error(defect.explain(error))
        return EXIT_DEFECT
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "tinyml"
    console.error(_as_ours(error, path))
    return EXIT_BAD_INPUT


def _as_ours(error: Any, path: str) -> TinymlError:
    option = getattr(error, "option_name", None)
    if option is None or not hasattr(error, "possibilities"):
        return TinymlError(_sentence(error).rstrip("."), path, f"See `{path} --help`.")
    from tinyml_cli import moved_commands

    if moved := moved_commands.answer(path, option, sys.argv[len(path.split()) :]):
        return moved
    hint = did_you_mean(option, error.possibilities or ()).strip() or f"See `{path} --help`."
    if path == "tinyml" and option in ("--json", "--quiet", "-q"):
        hint = f"Put it after the command: tinyml COMMAND {option}"
    return TinymlError(f"No option `{option}`", path, hint)


def _sentence(error: Any) -> str:
    """What a usage error says, with our words for a value that an option does not take."""
    cause, parameter = error.__cause__, getattr(error, "param", None)
    if not hasattr(cause, "errors") or parameter is None:
        return re.sub(r"'(--?[\w-]+)'", r"`\1`", str(error.format_message()))
    from tinyml_cli.validation import option_problem

    info = getattr(getattr(parameter, "type_descriptor", None), "parameter_info", None)
    name = parameter.get_error_hint().replace("'", "`")
    return option_problem(cause, name, getattr(info, "min", None), getattr(info, "max", None))


if __name__ == "__main__":
    main()
