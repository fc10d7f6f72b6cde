"""Small line charts as inline SVG; the page's style sheet gives colours, in light and dark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

Point = tuple[float, float]
Tick = tuple[float, str]

_WIDTH, _HEIGHT = 460.0, 340.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 56.0, 24.0, 10.0, 46.0
COLOURS = 8  # classes c0 … c7 of the style sheet


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
        self._parts: list[str] = []
        self._draw_axes(x_ticks, y_ticks, x_label, y_label)

    def line(self, points: Sequence[Point], style: str) -> None:
        """A line through points; `style` is a class of the style sheet."""
        places = " ".join(f"{self._x(x):.1f},{self._y(y):.1f}" for x, y in points)
        self._parts.append(f'<polyline class="line {style}" points="{places}"/>')

    def band(self, points: Sequence[tuple[float, float, float]], style: str) -> None:
        """A filled area between the lines (x, low) and (x, high)."""
        edge = [(x, low) for x, low, _ in points] + [(x, high) for x, _, high in reversed(points)]
        places = " ".join(f"{self._x(x):.1f},{self._y(y):.1f}" for x, y in edge)
        self._parts.append(f'<polygon class="band {style}" points="{places}"/>')

    def dot(self, x: float, y: float, style: str, hint: str, radius: float = 4.0) -> None:
        """A dot that says `hint` when pointed at."""
        place = f'cx="{self._x(x):.1f}" cy="{self._y(y):.1f}" r="{radius:.1f}"'
        self._parts.append(f'<circle class="dot {style}" {place}><title>{escape(hint)}</title></circle>')

    def whisker(self, x: float, low: float, high: float, style: str) -> None:
        """An upright line from low to high."""
        at, top, bottom = f"{self._x(x):.1f}", f"{self._y(high):.1f}", f"{self._y(low):.1f}"
        self._parts.append(f'<line class="whisker {style}" x1="{at}" x2="{at}" y1="{top}" y2="{bottom}"/>')

    def render(self, description: str) -> str:
        """The <svg> element; `description` is for those who do not see it."""
        box = f'viewBox="0 0 {self._width:.0f} {_HEIGHT:.0f}"'
        return f'<svg {box} role="img" aria-label="{escape(description)}">{"".join(self._parts)}</svg>'

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
            self._parts.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{_TOP}" y2="{floor}"/>')
            self._text(at, floor + 17, text, "middle")
        for value, text in y_ticks:
            at = self._y(value)
            self._parts.append(f'<line class="grid" x1="{_LEFT}" x2="{right}" y1="{at:.1f}" y2="{at:.1f}"/>')
            self._text(_LEFT - 7, at + 4, text, "end")
        self._text((_LEFT + right) / 2, _HEIGHT - 8, x_label, "middle", "axis")
        middle = (_TOP + floor) / 2
        turned = f'transform="rotate(-90 14 {middle:.1f})"'
        self._text(14, middle, y_label, "middle", "axis", turned)

    def _text(self, x: float, y: float, text: str, anchor: str, style: str = "tick", more: str = "") -> None:
        place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {more}'
        self._parts.append(f'<text class="{style}" {place}>{escape(text)}</text>')


def _share(value: float, limits: tuple[float, float]) -> float:
    """Where a value lies between the ends of an axis; what lies outside is put on the end."""
    share = (value - limits[0]) / (limits[1] - limits[0])
    return min(max(share, 0.0), 1.0)
