"""The command `tinyml`: names of commands, loaded on demand; one place where errors end."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import typer
from typer.core import TyperGroup

from tinyml_cli import __version__
from tinyml_cli.commands.strict import StrictCommand
from tinyml_cli.console import console
from tinyml_cli.errors import EXIT_BAD_INPUT, EXIT_FAILURE, EXIT_INTERRUPTED, EXIT_OK, TinymlError

_PACKAGE = "tinyml_cli.commands"

# In the order of the pipeline, which is also the order of --help. A module that has such a table of its own,
# instead of a function `command`, is a group of commands; its docstring is the group's help.
COMMANDS = {
    "pipeline": "pipeline",
    "data": "data",
    "train": "train",
    "tune": "tune",
    "quantize": "quantize",
    "prune": "prune",
    "cluster": "cluster",
    "distill": "distill",
    "convert": "convert",
    "export-c-array": "export_c_array",
    "build": "build",
    "evaluate": "evaluate",
    "explain": "explain",
    "card": "card",
    "compare": "compare",
    "inspect": "inspect",
    "profile": "profile",
    "bench": "bench",
    "flash": "flash",
    "monitor": "monitor",
    "drift": "drift",
    "doctor": "doctor",
    "boards": "boards",
}


_HELP_NAMES = {"help_option_names": ["-h", "--help"]}


def _lazy_group(package: str, table: dict[str, str], other: str | None = None) -> type[TyperGroup]:
    """A group that imports the module of a command only when that command is asked for.

    Args:
        package: where the modules lie.
        table: command -> module.
        other: the module of every command that is not in the table; None: there is no other.
    """

    class LazyGroup(TyperGroup):
        def list_commands(self, ctx: Any) -> list[str]:
            return list(table)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            module = table.get(cmd_name, other)
            return None if module is None else _load(cmd_name, f"{package}.{module}")

    return LazyGroup


def _load(name: str, place: str) -> Any:
    module = importlib.import_module(place)
    if not hasattr(module, "COMMANDS"):
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(name, cls=StrictCommand)(module.command)
        return typer.main.get_command(app)
    group = typer.Typer(
        name=name,
        cls=_lazy_group(place, module.COMMANDS, getattr(module, "OTHER", None)),
        add_completion=False,
        rich_markup_mode=None,
        no_args_is_help=True,
        context_settings=_HELP_NAMES,
        help=module.__doc__,
    )
    group.callback()(lambda: None)
    return typer.main.get_command(group)


def command_paths() -> list[str]:
    """Every command as it is typed, groups before their members: ["pipeline", "data", "data download", …]."""
    paths = []
    for name, place in COMMANDS.items():
        module = importlib.import_module(f"{_PACKAGE}.{place}")
        paths += [name, *(f"{name} {member}" for member in getattr(module, "COMMANDS", ()))]
    return paths


app = typer.Typer(
    cls=_lazy_group(_PACKAGE, COMMANDS),
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings=_HELP_NAMES,
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
    console.error(TinymlError(_sentence(error), path, f"See `{path} --help`."))
    return EXIT_BAD_INPUT


def _sentence(error: Any) -> str:
    """What a usage error says, with our words for a value that an option does not take."""
    cause, parameter = error.__cause__, getattr(error, "param", None)
    if not hasattr(cause, "errors") or parameter is None:
        return str(error.format_message())
    from tinyml_cli.validation import option_problem

    info = getattr(getattr(parameter, "type_descriptor", None), "parameter_info", None)
    name = parameter.get_error_hint().replace("'", "`")
    return option_problem(cause, name, getattr(info, "min", None), getattr(info, "max", None))


if __name__ == "__main__":
    main()
