"""How the reader interpreted files, in one line for people and in figures for the manifest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tinyml_cli.wording import counted

_SHOWN_OTHERS = 4


@dataclass(frozen=True)
class Reading:
    """What was understood of recordings.

    Attributes:
        files: how many were read so.
        rate_hz: samples per second; None if not known.
        used_rate_hz: that they were brought to; None where it is their own.
        time: unit of the time column; empty where there is none.
        paced: the file says its rate, and has no need of a time column.
        acceleration: unit in the file; empty where there is none.
        rotation: likewise.
        own_units: acceleration is kept in a unit that is not known.
        no_rotation: there is acceleration alone.
        others: columns that are neither, kept as they are in the file.
        gaps: in time, cut.
        repeats: rows dropped.
        restarts: places where the clock begins anew.
        wraps: of the clock's counter.
        short: rows that stand alone between gaps, left out.
        bursts: files whose rows came in bursts.
        resampled: files whose rows were interpolated.
        remarks: anything else that was passed over.
    """

    files: int = 0
    rate_hz: float | None = None
    used_rate_hz: float | None = None
    time: str = ""
    paced: bool = False
    acceleration: str = ""
    rotation: str = ""
    own_units: bool = False
    no_rotation: bool = False
    others: tuple[str, ...] = ()
    gaps: int = 0
    repeats: int = 0
    restarts: int = 0
    wraps: int = 0
    short: int = 0
    bursts: int = 0
    resampled: int = 0
    remarks: list[str] = field(default_factory=list)

    @property
    def untimed(self) -> bool:
        """Whether nothing in the files says when they were measured."""
        return not self.time and not self.paced

    def text(self) -> str:
        """Such as `62.5 Hz, acceleration in g, rotation rad/s → deg/s, 3 gaps (split there)`."""
        rate = "rate unknown" if self.rate_hz is None else f"{self.rate_hz:.4g} Hz"
        if self.used_rate_hz is not None:
            rate = f"{rate} → {self.used_rate_hz:.4g} Hz"
        parts = [
            f"{rate} (time in {self.time})"
            if self.time
            else rate
            if self.paced
            else f"{rate} (not in the file)"
        ]
        if self.acceleration:
            parts.append(_converted("acceleration", self.acceleration, "g"))
        if self.own_units:
            parts.append("acceleration in the file's own unit")
        if self.rotation:
            parts.append(_converted("rotation", self.rotation, "deg/s"))
        if self.no_rotation:
            parts.append("no rotation")
        if self.others:
            more = f" and {len(self.others) - _SHOWN_OTHERS} more" * (len(self.others) > _SHOWN_OTHERS)
            parts.append(f"{', '.join(self.others[:_SHOWN_OTHERS])}{more} as in the file")
        for count, one, many in (
            (self.gaps, "gap (split there)", "gaps (split there)"),
            (self.repeats, "repeated row dropped", "repeated rows dropped"),
            (self.restarts, "clock restart", "clock restarts"),
            (self.wraps, "clock wrap undone", "clock wraps undone"),
            (self.short, "row between gaps skipped", "rows between gaps skipped"),
        ):
            if count:
                parts.append(counted(count, one, many))
        if self.bursts:
            parts.append("bursts spread out")
        if self.resampled:
            parts.append("resampled to even steps")
        return ", ".join(
            [*parts, *(f"{n} × {remark}" if n > 1 else remark for remark, n in Counter(self.remarks).items())]
        )


def summary(readings: Sequence[Reading]) -> str:
    """One line over all files; those that were read differently are told apart."""
    kinds: dict[tuple[object, ...], Reading] = {}
    for each in readings:
        rate = None if each.rate_hz is None else f"{each.rate_hz:.3g}"
        key = (rate, each.time, each.acceleration, each.rotation, each.own_units, each.others)
        kinds[key] = _sum(kinds[key], each) if key in kinds else each
    if len(kinds) == 1:
        return next(iter(kinds.values())).text()
    return "; ".join(f"{counted(each.files, 'file')}: {each.text()}" for each in kinds.values())


def _sum(one: Reading, other: Reading) -> Reading:
    figures = ("files", "gaps", "repeats", "restarts", "wraps", "short", "bursts", "resampled")
    return replace(
        one,
        **{name: getattr(one, name) + getattr(other, name) for name in figures},
        remarks=one.remarks + other.remarks,
    )


def _converted(what: str, unit: str, to: str) -> str:
    return f"{what} in {unit}" if unit == to else f"{what} {unit} → {to}"
