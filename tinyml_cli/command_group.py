"""Groups of commands: loaded on demand, listed by what people do, with suggestions for what is mistyped."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import inspect
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import typer
from typer.core import TyperGroup

from tinyml_cli import registry
from tinyml_cli.commands.strict import StrictCommand
from tinyml_cli.errors import TinymlError, did_you_mean

HELP_NAMES = {"help_option_names": ["-h", "--help"]}

Sections = Mapping[str, Mapping[str, str]]

_OTHERS = "From other packages"


def lazy_group(
    package: str, sections: Sections, other: str | None = None, default: str | None = None
) -> type[TyperGroup]:
    """A group that imports the module of a command only when that command is asked for.

    Args:
        package: where the modules lie.
        sections: heading of the help -> command -> module, in the order of the help.
        other: the module of every command that is in no section, for the tasks of other packages; None: there
            is no other.
        default: the command that runs where none is named; None: the group prints its help.
    """
    table = {name: module for section in sections.values() for name, module in section.items()}

    class LazyGroup(TyperGroup):
        def list_commands(self, ctx: Any) -> list[str]:
            return [*table, *(registry.installed() if other else ())]

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            module = table.get(cmd_name, other)
            if module is None:
                return None
            about = None if cmd_name in table else registry.installed().get(cmd_name)
            return load(cmd_name, f"{package}.{module}", about)

        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            if not ctx.resilient_parsing:
                if default and not _names_a_command(args):
                    args = [default, *args]
                if not args:
                    typer.echo(ctx.get_help())
                    ctx.exit()
            return super().parse_args(ctx, args)

        def resolve_command(self, ctx: Any, args: list[str]) -> Any:
            if args[0] in table or other or ctx.resilient_parsing or args[0].startswith("-"):
                return super().resolve_command(ctx, args)
            raise _no_command(ctx.command_path, args[0], package, sections)

        def format_commands(self, ctx: Any, formatter: Any) -> None:
            listed = _listed(package, sections, other)
            indent = max(len(name) for rows in listed.values() for name in rows)
            for heading, rows in listed.items():
                with formatter.section(heading):
                    formatter.write_dl([(name.ljust(indent), text) for name, text in rows.items()])

        def shell_complete(self, ctx: Any, incomplete: str) -> Any:
            from typer._click.shell_completion import CompletionItem

            return [
                CompletionItem(name, help=text)
                for rows in _listed(package, sections, other).values()
                for name, text in rows.items()
                if name.startswith(incomplete)
            ]

    return LazyGroup


@functools.cache
def load(name: str, place: str, about: str | None = None) -> Any:
    """The command or group of a module, by its place; `about` comes first in a command's help.

    A module with a table `COMMANDS` (command -> module) is a group, and its docstring the group's help;
    `DEFAULT` is the command that runs where none is named. A module with `OTHER` is a group with a command
    for each task that has a module of its name there and, for tasks of other packages, in the one that OTHER
    names; "" where only some tasks have the command.
    """
    module = importlib.import_module(place)
    table = _table(module)
    if table is None:
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(name, cls=StrictCommand)(module.command)
        command: Any = typer.main.get_command(app)
        if about:
            command.help = f"{about}\n\n{command.help}"
        return command
    group = typer.Typer(
        name=name,
        cls=lazy_group(
            place,
            {"Commands": table},
            getattr(module, "OTHER", None) or None,
            getattr(module, "DEFAULT", None),
        ),
        add_completion=False,
        rich_markup_mode=None,
        context_settings=HELP_NAMES,
        help=module.__doc__,
    )
    group.callback()(lambda: None)
    return typer.main.get_command(group)


def members(place: str) -> Mapping[str, str]:
    """The commands of a group by the group's place; none for a command."""
    return _table(importlib.import_module(place)) or {}


def _table(module: ModuleType) -> Mapping[str, str] | None:
    """Command -> module of a group; None for a module that is a command."""
    if hasattr(module, "OTHER"):
        place = module.__name__
        return {task: task for task in registry.built_in() if importlib.util.find_spec(f"{place}.{task}")}
    return getattr(module, "COMMANDS", None)


def _listed(package: str, sections: Sections, other: str | None) -> Mapping[str, Mapping[str, str]]:
    """Heading -> command -> what it does, of a group; last the tasks of other packages, where it has them."""
    listed = {
        heading: {name: summary(f"{package}.{module}") for name, module in section.items()}
        for heading, section in sections.items()
    }
    further = registry.installed() if other else {}
    return listed | {_OTHERS: further} if further else listed


def walk(package: str, table: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Every command of a table as it is typed, and its place; a group comes before its members."""
    for name, module in table.items():
        place = f"{package}.{module}"
        yield name, place
        for member, inner in walk(place, members(place)):
            yield f"{name} {member}", inner


def _names_a_command(args: list[str]) -> bool:
    return bool(args) and (not args[0].startswith("-") or args[0] in HELP_NAMES["help_option_names"])


def summary(place: str) -> str:
    """The first paragraph of a command's or group's help, whole, without building the command."""
    module = importlib.import_module(place)
    text = (module.command.__doc__ if _table(module) is None else module.__doc__) or ""
    return " ".join(inspect.cleandoc(text).split("\n\n")[0].split())


def _no_command(path: str, name: str, package: str, sections: Sections) -> TinymlError:
    inside = path.partition(" ")[2]
    table = {name: module for section in sections.values() for name, module in section.items()}
    # `tinyml record`, say: the command of a group without the group.
    nested = [
        f"`{group} {name}`" for group, module in table.items() if name in members(f"{package}.{module}")
    ]
    section = next((list(s) for heading, s in sections.items() if heading.lower() == name.lower()), [])
    if nested:
        hint = f"Did you mean {' or '.join(nested)}?"
    elif section:
        hint = f"Commands for this: {', '.join(section)}."
    else:
        hint = did_you_mean(name, table, inside).strip() or f"See `{path} --help`."
    return TinymlError(f"No command `{f'{inside} {name}'.strip()}`", "", hint)
