"""What no option of any command takes: nothing at all, and numbers that are none."""

from __future__ import annotations

import itertools
import math
import re
from typing import Any

from typer.core import TyperCommand

from tinyml_cli.errors import TinymlError

_EMPTY = re.compile(r"--[a-z-]+=\Z")
# An empty description is one.
_MAY_BE_EMPTY = "--set-description"
_LARGEST = 2**63 - 1


class StrictCommand(TyperCommand):
    """A command whose options are refused when empty, infinite, not a number, or beyond 64 bits.

    An unset variable of a shell script (`--data "$DATA"`) would otherwise name the current folder, and
    without the quotes (`--words $WORDS --json`) the next option would be the value.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        parameters: list[Any] = self.params
        for parameter in parameters:
            _describe(parameter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parses; see the class for what is refused."""
        for previous, given in zip(["", *args], args, strict=False):
            if given and not _EMPTY.match(given):
                continue
            option = given.rstrip("=") or previous
            name = f"`{option}`" if option.startswith("-") else "An argument"
            if option != _MAY_BE_EMPTY:
                raise _refused(ctx, f"{name} is empty", "Give it a value, or omit it.")
        for option, given in itertools.pairwise(args):
            if option == "--":
                break
            if self._takes_a_value(option) and given in ctx.help_option_names + self._options():
                raise _refused(ctx, f"`{option}` requires an argument, and `{given}` is an option")
        try:
            rest: list[str] = super().parse_args(ctx, args)
        except Exception as error:
            # An option without its value is reported without the command that it is of.
            if hasattr(error, "format_message") and getattr(error, "ctx", ctx) is None:
                error.ctx = ctx  # type: ignore[attr-defined]
            raise
        parameters: list[Any] = self.params
        for parameter in parameters:
            value = ctx.params.get(parameter.name)
            if isinstance(value, float) and not math.isfinite(value):
                name = parameter.get_error_hint().replace("'", "`")
                raise _refused(ctx, f"{name} must be a finite number, not {value}")
            if isinstance(value, int) and abs(value) > _LARGEST:
                raise _refused(ctx, f"The number {str(value)[:12]}… is too large")
        return rest

    def _options(self) -> list[str]:
        parameters: list[Any] = self.params
        return [
            name for p in parameters if p.param_type_name == "option" for name in (*p.opts, *p.secondary_opts)
        ]

    def _takes_a_value(self, name: str) -> bool:
        parameters: list[Any] = self.params
        return any(name in p.opts and p.param_type_name == "option" and not p.is_flag for p in parameters)


def _describe(parameter: Any) -> None:
    """Has the help say `<int 1–100>` where Typer says `<int range>` and, at the end, `[1<=x<=100]`.

    Also `<str>` for `<list[str]>`, and `[RUN] CLIP` for `{[RUN] CLIP}...`.
    """
    kind = parameter.type_descriptor
    if parameter.param_type_name == "argument":
        name = parameter.metavar or parameter.name.upper()
        parameter.metavar = name if parameter.required or parameter.metavar else f"[{name}]"
        parameter.get_usage_pieces = lambda ctx: [parameter.metavar]
        parameter.display_type = lambda ctx: ""
    elif kind.is_ranged:
        text = f"<{kind.ranged_type_name} {_range(parameter.min, parameter.max)}>"
        parameter.display_type = lambda ctx: text
        parameter._get_number_range_help_str = lambda: None
    elif kind.is_list:
        parameter.display_type = lambda ctx: "<str>"


def _range(least: float | None, most: float | None) -> str:
    if most is None:
        return f"≥ {least:,}"
    return f"≤ {most:,}" if least is None else f"{least:,}–{most:,}"


def _refused(ctx: Any, what: str, next_step: str = "") -> TinymlError:
    return TinymlError(what, ctx.command_path, next_step or f"See `{ctx.command_path} --help`.")
