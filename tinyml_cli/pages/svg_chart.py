"""Small line charts as inline SVG; colours come from the page's style sheet, in light and dark."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markupsafe import Markup

from tinyml_cli.pages.templates import fragment

Point = tuple[float, float]
Tick = tuple[float, str]

_WIDTH, _HEIGHT = 460.0, 340.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 56.0, 24.0, 10.0, 46.0
# Of names beside dots, at 12 px: a letter's mean width, a line, and the gap between a dot and its name.
_LETTER, _LINE, _GAP, _LONGEST_NAME = 6.3, 13.0, 8.0, 26


def _same(value: float) -> float:
    return value


class Chart:
    """Axes and what is drawn on them.

    Args:
        x_ticks, y_ticks: positions and texts; the first and the last end the axis.
        x_label, y_label: what the axes show.
        scale: applied to both coordinates before they are drawn, for example a probit.
        square: whether both axes have the same length.
    """

    def __init__(
        self,
        x_ticks: Sequence[Tick],
        y_ticks: Sequence[Tick],
        x_label: str,
        y_label: str,
        scale: Callable[[float], float] = _same,
        square: bool = False,
    ) -> None:
        self._scale = scale
        self._width = _LEFT + _RIGHT + (_HEIGHT - _TOP - _BOTTOM) if square else _WIDTH
        self._x_range = scale(x_ticks[0][0]), scale(x_ticks[-1][0])
        self._y_range = scale(y_ticks[0][0]), scale(y_ticks[-1][0])
        self._shapes: list[dict[str, Any]] = []
        self._draw_axes(x_ticks, y_ticks, x_label, y_label)

    def line(self, points: Iterable[Point], style: str) -> None:
        """A line through points; `style` is a class of the style sheet."""
        self._add("polyline", f"line {style}", points=[(self._x(x), self._y(y)) for x, y in points])

    def band(self, points: Sequence[tuple[float, float, float]], style: str) -> None:
        """A filled area between the lines (x, low) and (x, high)."""
        edge = [(x, low) for x, low, _ in points] + [(x, high) for x, _, high in reversed(points)]
        self._add("polygon", f"band {style}", points=[(self._x(x), self._y(y)) for x, y in edge])

    def dot(self, x: float, y: float, style: str, hint: str, radius: float = 4.0) -> None:
        """A dot that says `hint` when pointed at."""
        self._add("dot", style, x=self._x(x), y=self._y(y), radius=radius, hint=hint)

    def whisker(self, x: float, low: float, high: float, style: str) -> None:
        """An upright line from low to high."""
        at = self._x(x)
        self._add("line", f"whisker {style}", x1=at, x2=at, y1=self._y(high), y2=self._y(low))

    def names(self, dots: Sequence[tuple[float, float, str]]) -> None:
        """Writes a name beside each dot (x, y, name), towards the middle, above those that it would cover."""
        middle = (_LEFT + self._width - _RIGHT) / 2
        placed: list[tuple[float, float, float]] = []
        for x, y, name in sorted(dots, key=lambda dot: dot[1]):
            text = shortened(name, _LONGEST_NAME)
            at, height = self._x(x), self._y(y) + _LINE / 3
            leftwards = at > middle
            width = _LETTER * len(text) + _GAP
            start, end = (at - width, at) if leftwards else (at, at + width)
            for from_x, to_x, taken in sorted(placed, key=lambda other: -other[2]):
                if start < to_x and end > from_x and abs(height - taken) < _LINE:
                    height = taken - _LINE
            placed.append((start, end, height))
            self._text(
                at + (-_GAP if leftwards else _GAP), height, text, "end" if leftwards else "start", "name"
            )

    def render(self, description: str) -> Markup:
        """The <svg> element; `description` is for those who do not see it."""
        return fragment(
            "chart.svg", width=self._width, height=_HEIGHT, shapes=self._shapes, description=description
        )

    def _x(self, value: float) -> float:
        return _LEFT + _share(self._scale(value), self._x_range) * (self._width - _LEFT - _RIGHT)

    def _y(self, value: float) -> float:
        return _HEIGHT - _BOTTOM - _share(self._scale(value), self._y_range) * (_HEIGHT - _TOP - _BOTTOM)

    def _draw_axes(
        self, x_ticks: Sequence[Tick], y_ticks: Sequence[Tick], x_label: str, y_label: str
    ) -> None:
        right, floor = self._width - _RIGHT, _HEIGHT - _BOTTOM
        for value, text in x_ticks:
            at = self._x(value)
            self._add("line", "grid", x1=at, x2=at, y1=_TOP, y2=floor)
            self._text(at, floor + 17, text, "middle")
        for value, text in y_ticks:
            at = self._y(value)
            self._add("line", "grid", x1=_LEFT, x2=right, y1=at, y2=at)
            self._text(_LEFT - 7, at + 4, text, "end")
        self._text((_LEFT + right) / 2, _HEIGHT - 8, x_label, "middle", "axis")
        self._text(14, (_TOP + floor) / 2, y_label, "middle", "axis", turned=True)

    def _text(
        self, x: float, y: float, text: str, anchor: str, style: str = "tick", turned: bool = False
    ) -> None:
        self._add("text", style, x=x, y=y, text=text, anchor=anchor, turned=turned)

    def _add(self, kind: str, style: str, **values: Any) -> None:
        self._shapes.append({"kind": kind, "style": style, **values})


def shortened(name: str, longest: int) -> str:
    """A name with its middle left out where it is longer than that: beginnings and ends tell runs apart."""
    if len(name) <= longest:
        return name
    head = (longest - 1) // 3
    return f"{name[:head]}…{name[len(name) - (longest - 1 - head) :]}"


def _share(value: float, limits: tuple[float, float]) -> float:
    """Where a value lies between the ends of an axis; what lies outside is put on the end."""
    share = (value - limits[0]) / (limits[1] - limits[0])
    return min(max(share, 0.0), 1.0)
