"""Places the nodes of a lineage in columns, and writes it as SVG and as a tree for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tinyml_cli import checks
from tinyml_cli.outcomes.lineages import Lineage, LineageNode
from tinyml_cli.pages.templates import html

_ORDER = ("data", "run", "variant", "version", "board")
_CHARACTER, _LINE, _PADDING = 7.2, 16, 10
_GAP_X, _GAP_Y, _MARGIN = 56, 18, 16


@dataclass(frozen=True)
class PlacedNode:
    """A node and its box, in pixels."""

    node: LineageNode
    x: float
    y: float
    width: float
    height: float

    @property
    def lines(self) -> list[tuple[float, str]]:
        """(y, text) of what is written in the box below its title."""
        return [
            (self.y + _PADDING + _LINE * (index + 2) - 4, text)
            for index, text in enumerate(self.node.details)
        ]


def svg(lineage: Lineage) -> str:
    """The graph as an SVG document; equal graphs give equal text."""
    placed = place(lineage)
    curves = [_curve(placed[edge.source], placed[edge.target], edge.what) for edge in lineage.edges]
    width = max((each.x + each.width for each in placed.values()), default=0) + _MARGIN
    height = max((each.y + each.height for each in placed.values()), default=0) + _MARGIN
    return html(
        "tinyml_cli.lineage:lineage.svg",
        nodes=list(placed.values()),
        curves=curves,
        width=width,
        height=height,
        title_y=_PADDING + _LINE - 4,
        padding=_PADDING,
        drawn_by=checks.DRAWN_BY,
    )


def place(lineage: Lineage) -> dict[str, PlacedNode]:
    """Id -> box. A column for each step of the way, rows in the order of a walk from the data on."""
    columns, rows = _columns(lineage), _rows(lineage)
    widths: dict[int, float] = {}
    for node in lineage.nodes:
        widths[columns[node.id]] = max(widths.get(columns[node.id], 0), _width(node))
    starts, x = {}, float(_MARGIN)
    for column in sorted(widths):
        starts[column] = x
        x += widths[column] + _GAP_X
    tallest = max((_height(node) for node in lineage.nodes), default=0)
    return {
        node.id: PlacedNode(
            node,
            starts[columns[node.id]],
            _MARGIN + rows[node.id] * (tallest + _GAP_Y),
            widths[columns[node.id]],
            _height(node),
        )
        for node in lineage.nodes
    }


def tree(lineage: Lineage) -> str:
    """The graph as a tree of text; what several things led to is written out once."""
    told: set[str] = set()
    return "\n".join(line for root in _roots(lineage) for line in _branch(lineage, root, "", "", "", told))


def _branch(lineage: Lineage, at: str, what: str, first: str, rest: str, told: set[str]) -> Iterator[str]:
    node = next(each for each in lineage.nodes if each.id == at)
    known = ", ".join(node.details)
    passed_on = {"": "", "weights": " (its weights)"}.get(what, f" ({what})")
    again = " (see above)" if at in told and _targets(lineage, at) else ""
    yield f"{first}{node.kind} {node.title}{f': {known}' if known else ''}{passed_on}{again}"
    if at in told:
        return
    told.add(at)
    below = _targets(lineage, at)
    for index, (target, passed) in enumerate(below):
        is_last = index == len(below) - 1
        branch, stem = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
        yield from _branch(lineage, target, passed, rest + branch, rest + stem, told)


def _targets(lineage: Lineage, at: str) -> list[tuple[str, str]]:
    return [(edge.target, edge.what) for edge in lineage.edges if edge.source == at]


def _roots(lineage: Lineage) -> list[str]:
    reached = {edge.target for edge in lineage.edges}
    return [node.id for node in lineage.nodes if node.id not in reached]


def _columns(lineage: Lineage) -> dict[str, int]:
    """As far right as its kind says, and right of all that led to it."""
    columns = {node.id: _ORDER.index(node.kind) for node in lineage.nodes}
    for _ in lineage.nodes:  # the longest way has no more steps than there are nodes
        before = dict(columns)
        for edge in lineage.edges:
            columns[edge.target] = max(columns[edge.target], columns[edge.source] + 1)
        if columns == before:
            break
    return columns


def _rows(lineage: Lineage) -> dict[str, int]:
    """A new row for the end of each way; a node stands beside the first that it led to."""
    rows: dict[str, int] = {}
    free = 0

    def walk(at: str) -> None:
        nonlocal free
        rows[at] = free
        below = [target for target, _ in _targets(lineage, at) if target not in rows]
        for target in below:
            if target not in rows:
                walk(target)
        if not below:
            free += 1

    for root in _roots(lineage):
        walk(root)
    return rows


def _width(node: LineageNode) -> float:
    letters = max(map(len, [f"{node.kind} {node.title}", *node.details]))
    return letters * _CHARACTER + 2 * _PADDING


def _height(node: LineageNode) -> float:
    return (1 + len(node.details)) * _LINE + 2 * _PADDING - 4


def _curve(source: PlacedNode, target: PlacedNode, what: str) -> dict[str, object]:
    x, y = source.x + source.width, source.y + source.height / 2
    end_x, end_y = target.x, target.y + target.height / 2
    middle = (x + end_x) / 2
    path = f"M{x:.1f},{y:.1f} C{middle:.1f},{y:.1f} {middle:.1f},{end_y:.1f} {end_x:.1f},{end_y:.1f}"
    return {"path": path, "what": what, "x": middle, "y": (y + end_y) / 2 - 4}
