"""A profile as text."""

from __future__ import annotations

import re

from tinyml_cli import tables
from tinyml_cli.outcomes.profiles import OperatorCost, ProfileFigures, ProgramMemory

_ALL_COLUMNS = 98
_LISTED_FUNCTIONS = 5
_LISTED_SYMBOLS = 8
_LABEL = 14


def render(report: ProfileFigures, width: int) -> str:
    """The whole report: operators, totals, functions, flash, in lines of at most `width` columns."""
    parts = [
        _head(report),
        _operators(report, width),
        _totals(report),
        _functions(report, width),
        _symbols(report, width),
    ]
    return "\n\n".join(part for part in parts if part)


def short(value: float | None) -> str:
    """A number in at most five characters: 812, 1.23K, 45.6M; "-" for None."""
    if value is None:
        return "-"
    scales = ((1.0, ""), (1e3, "K"), (1e6, "M"), (1e9, "G"))
    limit, suffix = next(((limit, name) for limit, name in scales if value / limit < 999.5), scales[-1])
    scaled = value / limit
    if not suffix and float(value).is_integer():
        return f"{value:.0f}"
    digits = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
    return f"{scaled:.{digits}f}{suffix}"


def readable(symbol: str) -> str:
    """A C++ symbol without its types: `_Z13parse_commandPcj` is parse_command. Others stay as they are.

    Source: Itanium C++ ABI, section 5.1 "External names".
    """
    match = re.match(r"_Z(?:L|NK?)?(?=\d)", symbol)
    rest, names = symbol[match.end() :] if match else "", []
    while length := re.match(r"L?(\d{1,3})", rest):
        start = length.end()
        names.append(rest[start : start + int(length[1])])
        rest = rest[start + int(length[1]) :]
    return "::".join(name for name in names if name != "_GLOBAL__N_1") or symbol


def _head(report: ProfileFigures) -> str:
    on = report.board
    if report.chip and report.chip != report.board:
        on += f" (clock and currents of {report.chip})"
    clock = f", {report.clock_hz / 1e6:g} MHz" if report.clock_hz else ""
    return f"{report.run} on {on}, engine {report.engine}{clock}"


def _operators(report: ProfileFigures, width: int) -> str:
    heads = ["operator", "output", "MACs", "weights", "activ.", "instr", "cycles", "ms", "share", "i/MAC",
             "+flash"]  # fmt: skip
    rows = [_operator(row) for row in report.operators]
    if report.outside and report.cycles:
        outside = report.outside
        rows.append(
            ["(between)", "", "", "", "", short(outside["instructions"]), short(outside["cycles"]), "",
             f"{outside['cycles'] / report.cycles:.1%}", "", short(outside["cycles_with_flash"])]
        )  # fmt: skip
    rows.append(
        ["total", "", short(report.macs), "", "", short(report.instructions), short(report.cycles),
         short(report.time_ms), "100%", short(_ratio(report.instructions, report.macs)),
         short(report.cycles_with_flash)]
    )  # fmt: skip
    # The last two, instructions for a multiply-accumulate and cycles with flash, need some room.
    shown = len(heads) if width >= _ALL_COLUMNS else len(heads) - 2
    return tables.render("", heads[:shown], [row[:shown] for row in rows], width)


def _operator(row: OperatorCost) -> list[str]:
    return [
        f"{row.index} {row.name}",
        "×".join(str(size) for size in row.shape[1:] or row.shape),
        short(row.macs) if row.macs else "",
        short(row.weight_bytes) if row.weight_bytes else "",
        short(row.activation_bytes),
        short(row.instructions),
        short(row.cycles),
        short(row.time_ms),
        "-" if row.share is None else f"{row.share:.1%}",
        short(row.instructions_per_mac) if row.instructions_per_mac is not None else "",
        short(row.cycles_with_flash),
    ]


def _totals(report: ProfileFigures) -> str:
    evidence = report.evidence
    between = ""
    if report.time_ms_range:
        between = " ({:,.1f} to {:,.1f})".format(*report.time_ms_range)
    lines = [_line("time", f"{report.time_ms:,.3f} ms{between}", evidence["time_ms"])]
    if report.on_board is not None:
        board = report.on_board
        error = "" if board.estimate_error is None else f"; the estimate is {board.estimate_error:+.1%} off"
        lines.append(
            _line("board's time", f"{board.time_ms:,.3f} ms", f"on the board, {board.engine}{error}")
        )
    if report.cycles is not None and report.cycles_range:
        low, high = report.cycles_range
        figures = f"{report.cycles:,} ({low:,} to {high:,})"
        lines.append(_line("cycles", figures, "estimated, see docs/profile.md"))
    if report.cycles_with_flash is not None and report.time_ms_with_flash is not None:
        figures = f"{report.cycles_with_flash:,} cycles, {report.time_ms_with_flash:,.1f} ms"
        lines.append(_line("with flash", figures, "estimated with the nRF52840's wait states"))
    if report.instructions is not None:
        lines.append(_line("instructions", f"{report.instructions:,}", evidence["instructions"]))
    if report.energy_uj is not None:
        lines.append(_line("energy", f"{report.energy_uj:,.1f} µJ", "estimated, processor only"))
    return "\n".join(lines + _memory(report.memory))


def _memory(memory: ProgramMemory) -> list[str]:
    lines = []
    if memory.flash_bytes is not None:
        parts = f"code {memory.code_bytes:,} + model {memory.model_bytes:,}"
        lines.append(_line("flash", f"{memory.flash_bytes:,} B = {parts}", "the linked program on sim"))
    if memory.ram_bytes is not None:
        lines.append(_line("static RAM", f"{memory.ram_bytes:,} B", "with arena and reserved stack"))
    if memory.board_flash_bytes is not None:
        figures = f"flash {memory.board_flash_bytes:,} B, RAM {memory.board_ram_bytes:,} B"
        lines.append(_line("on the board", figures, memory.board_evidence or ""))
    lines.append(_line("arena", f"{memory.arena_bytes:,} B", ""))
    if memory.stack_bytes is not None:
        used = f"{memory.stack_bytes:,} B of {memory.stack_reserved_bytes:,} B"
        lines.append(_line("stack", used, f"emulated; {memory.stack_inference_bytes:,} B in the inference"))
    return lines


def _functions(report: ProfileFigures, width: int) -> str:
    rows = [
        [readable(function.name), short(function.instructions), short(function.cycles),
         f"{function.cycles / (report.cycles or 1):.1%}"]
        for function in report.functions[:_LISTED_FUNCTIONS]
    ]  # fmt: skip
    return tables.render("", ["function", "instr", "cycles", "share"], rows, width) if rows else ""


def _symbols(report: ProfileFigures, width: int) -> str:
    rows = [[readable(symbol.name), f"{symbol.bytes:,}"] for symbol in report.symbols[:_LISTED_SYMBOLS]]
    return tables.render("", ["largest in flash", "bytes"], rows, width) if rows else ""


def _line(label: str, value: str, note: str) -> str:
    return f"{label:<{_LABEL}}{value}" + (f"   ({note})" if note else "")


def _ratio(numerator: int | None, denominator: int) -> float | None:
    return numerator / denominator if numerator is not None and denominator else None
