"""The command `tinyml`: names of commands, loaded on demand; one place where errors end."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from tinyml_cli import __version__
from tinyml_cli.console import console
from tinyml_cli.errors import EXIT_BAD_INPUT, EXIT_FAILURE, EXIT_INTERRUPTED, EXIT_OK, TinymlError

# In the order of the pipeline, which is also the order of --help.
COMMANDS = {
    "pipeline": "pipeline",
    "train": "train",
    "quantize": "quantize",
    "convert": "convert",
    "export-c-array": "export_c_array",
    "build": "build",
    "evaluate": "evaluate",
    "profile": "profile",
    "bench": "bench",
    "flash": "flash",
    "monitor": "monitor",
    "doctor": "doctor",
    "boards": "boards",
}


class _LazyGroup(TyperGroup):
    """Imports the module of a command only when that command is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"tinyml_cli.commands.{COMMANDS[cmd_name]}")
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(cmd_name)(module.command)
        return typer.main.get_command(app)


app = typer.Typer(
    cls=_LazyGroup,
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
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


def main() -> None:
    """Runs the command line; every known failure ends as one paragraph and exit code 2."""
    # Known before the options are parsed, so that a wrong option is reported as JSON too.
    console.json = "--json" in sys.argv[1:]
    sys.exit(_run())


def _run() -> int:
    try:
        code = app(standalone_mode=False)
    except TinymlError as error:
        console.error(error)
        return EXIT_BAD_INPUT
    except KeyboardInterrupt:
        console.warn("interrupted; what was finished is kept, and the same command can be run again")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_FAILURE
    except Exception as error:
        return _usage_error(error)
    return code if isinstance(code, int) else EXIT_OK


def _usage_error(error: Exception) -> int:
    """Turns typer's usage errors into ours; anything else is a defect and keeps its traceback."""
    if isinstance(error, typer.Abort):
        return EXIT_INTERRUPTED
    if not hasattr(error, "format_message"):
        raise error
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "tinyml"
    console.error(TinymlError(error.format_message(), path, f"See `{path} --help`."))
    return EXIT_BAD_INPUT


if __name__ == "__main__":
    main()
