"""Commands that were split: a command line as it was typed before is answered with that of today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tinyml_cli.command_group import load, members
from tinyml_cli.errors import TinymlError
from tinyml_cli.next_step import command_line

# Command -> what took over from it -> the option that tells so, the first that was given.
_SPLIT: Mapping[str, Mapping[str, Sequence[str]]] = {
    "data record": {
        "data record images": ["--camera"],
        "data record strokes": ["--gesture"],
        "data record words": ["--words"],
    },
    "evaluate": {
        "evaluate-stream": ["--stream", "--hours", "--max-fa-per-hour", "--truth", "--save-triggers"],
    },
}
# Options that no command has any more; none of them took a value.
_GONE = {"--camera"}


def answer(path: str, option: str, typed: Sequence[str]) -> TinymlError | None:
    """What to type today; None where `typed` is no older command line.

    Args:
        path: the command, such as `tinyml evaluate`.
        option: the first of `typed` that the command does not have.
        typed: the words of the command line after `path`.
    """
    old = path.partition(" ")[2]
    if old not in _SPLIT:
        return None
    new_commands = _SPLIT[old]
    options = {name: _options(name) for name in (old, *new_commands)}
    every = {name: each for table in reversed(options.values()) for name, each in table.items()}
    words = list(_read(typed, every))
    given = {name for name, _ in words}
    for new, signs in new_commands.items():
        sign = next((sign for sign in signs if sign in given), None)
        if sign is not None:
            # A mistyped option is none of these: the new command will say so.
            lost = (every.keys() | _GONE) - options[new].keys()
            kept = [part for name, parts in words if name not in lost for part in parts]
            without = ", ".join(sorted(given & lost - _GONE))
            return TinymlError(
                f"`{old} {sign}` is now `{new}`" + (f", which has no {without}" if without else ""),
                path,
                f"Run: {command_line('tinyml', *new.split(), *kept)}",
            )
    if option not in every or len(new_commands) < 2:
        return None
    names = ", ".join(f"tinyml {new}" for new in new_commands)
    return TinymlError(f"`{old}` is a group of commands now", path, f"Use one of: {names}.")


def _options(path: str) -> dict[str, Any]:
    """The options of a command, by each of their names; none for a group."""
    place = "tinyml_cli.commands"
    for word in path.split():
        place += f".{members(place).get(word, word.replace('-', '_'))}"
    parameters = load(path.rpartition(" ")[2], place).params
    return {
        name: each for each in parameters for name in (*each.opts, *each.secondary_opts) if name[0] == "-"
    }


def _read(typed: Sequence[str], options: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Each option with its value and each argument, which has no name."""
    rest = iter(typed)
    for word in rest:
        name, joined, _ = word.partition("=")
        if word == "--":
            yield "", [word, *rest]
        elif not word.startswith("-"):
            yield "", [word]
        elif name in options and not joined and not options[name].is_flag:
            yield name, [word, *(value for value in (next(rest, None),) if value is not None)]
        else:
            yield name, [word]
