"""Limits that a profile must keep: `flash=900k,ram=200k,ms=200`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from tinyml_cli.errors import TinymlError
from tinyml_cli.outcomes.profiles import ProfileFigures

_BYTES = {"": 1, "k": 1024, "m": 1024**2}
_COUNT = {"": 1, "k": 1000, "m": 1_000_000}
_PLAIN = {"": 1}


@dataclass(frozen=True)
class _Quantity:
    unit: str
    suffixes: dict[str, int]
    value: Callable[[ProfileFigures], float | None]


_QUANTITIES = {
    "flash": _Quantity("B", _BYTES, lambda r: r.memory.board_flash_bytes or r.memory.flash_bytes),
    "ram": _Quantity("B", _BYTES, lambda r: r.memory.board_ram_bytes or r.memory.ram_bytes),
    "arena": _Quantity("B", _BYTES, lambda r: r.memory.arena_bytes),
    "stack": _Quantity("B", _BYTES, lambda r: r.memory.stack_bytes),
    "ms": _Quantity("ms", _PLAIN, lambda r: r.on_board.time_ms if r.on_board else r.time_ms),
    "instructions": _Quantity("instructions", _COUNT, lambda r: r.instructions),
    "cycles": _Quantity("cycles", _COUNT, lambda r: r.cycles),
    "energy_uj": _Quantity("uJ", _PLAIN, lambda r: r.energy_uj),
}
_EXAMPLE = "Example: --budget flash=900k,ram=200k,ms=200"


@dataclass(frozen=True)
class Limit:
    """The most that a quantity may be, in its unit."""

    name: str
    most: float


@dataclass(frozen=True)
class LimitVerdict:
    """One limit, judged.

    Attributes:
        over: by how much the value exceeds the limit; 0 when it is kept.
    """

    name: str
    unit: str
    most: float
    value: float
    over: float

    def __str__(self) -> str:
        said = (
            f"{self.name} is {_number(self.value)} {self.unit}, the budget {_number(self.most)} {self.unit}"
        )
        return f"{said}: {_number(self.over)} {self.unit} over" if self.over else said


def parse_budget(text: str) -> list[Limit]:
    """Reads a budget. `k` and `m` are 1024 and 1024² for bytes, 1000 and 10⁶ for counts.

    Raises:
        TinymlError: an unknown name, a name given twice, or a value that is no positive number.
    """
    limits = [_limit(item.strip()) for item in text.split(",")]
    names = [limit.name for limit in limits]
    for name in names:
        if names.count(name) > 1:
            raise TinymlError(f"The budget lists `{name}` twice", "--budget", _EXAMPLE)
    return limits


def _limit(item: str) -> Limit:
    name, separator, value = item.partition("=")
    quantity = _QUANTITIES.get(name)
    if not separator or quantity is None:
        raise TinymlError(
            f"`{item[:40]}` is not a budget limit",
            "--budget",
            f"{_EXAMPLE}; names: {', '.join(_QUANTITIES)}.",
        )
    match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,9})?)([a-z]?)", value.lower(), re.ASCII)
    if match is None or match[2] not in quantity.suffixes or float(match[1]) <= 0:
        suffixes = " or ".join(suffix for suffix in quantity.suffixes if suffix)
        raise TinymlError(
            f"`{value[:40]}` is not a valid limit for `{name}`",
            "--budget",
            f"Use a number greater than 0{f', with {suffixes}' if suffixes else ''}. {_EXAMPLE}",
        )
    return Limit(name, float(match[1]) * quantity.suffixes[match[2]])


def judge(report: ProfileFigures, limits: list[Limit]) -> list[LimitVerdict]:
    """Compares a report with limits.

    Raises:
        TinymlError: the report has no such figure (on `native`, most have none).
    """
    return [_judge(report, limit) for limit in limits]


def _judge(report: ProfileFigures, limit: Limit) -> LimitVerdict:
    quantity = _QUANTITIES[limit.name]
    value = quantity.value(report)
    if value is None:
        raise TinymlError(
            f"`{limit.name}` is not known on the board `{report.board}`",
            "--budget",
            "Profile on a Cortex-M board: --board sim.",
        )
    return LimitVerdict(limit.name, quantity.unit, limit.most, value, max(0.0, value - limit.most))


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() or value >= 10_000 else f"{value:.5g}"
