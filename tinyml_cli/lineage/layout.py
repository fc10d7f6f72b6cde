"""Places the nodes of a lineage in columns, and writes it as SVG and as a tree for the terminal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tinyml_cli import checks
from tinyml_cli.outcomes.lineages import Lineage, LineageEdge, LineageNode
from tinyml_cli.pages.templates import html

_ORDER = ("data", "run", "variant", "version", "board")
_CHARACTER, _LINE, _PADDING = 7.2, 16, 10
_CURVE, _LEVEL, _GAP_Y, _MARGIN = 44, 12, 18, 16

_Place = tuple[int, int]  # column, row


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


@dataclass(frozen=True)
class DrawnEdge:
    """An edge: the SVG path from box to box, and its label's middle, in pixels."""

    path: str
    what: str
    x: float
    y: float


@dataclass(frozen=True)
class LineageLayout:
    """What the picture shows; width and height in pixels."""

    nodes: list[PlacedNode]
    edges: list[DrawnEdge]
    width: float
    height: float


def svg(lineage: Lineage) -> str:
    """The graph as an SVG document; equal graphs give equal text."""
    return html(
        "tinyml_cli.lineage:lineage.svg",
        drawing=draw(lineage),
        title_y=_PADDING + _LINE - 4,
        padding=_PADDING,
        drawn_by=checks.DRAWN_BY,
    )


def draw(lineage: Lineage) -> LineageLayout:
    """Places boxes in columns and rows, and leads edges between them.

    As in Sugiyama, Tagawa and Toda (1981), an edge that skips a column gets a place of its own in it, a lane,
    so that no edge runs behind a box. Before a column, each edge curves to the height at which it enters it,
    and goes on level: there it has its label.
    """
    places, lanes = _places(lineage)
    ends = defaultdict(list)
    for edge in lineage.edges:
        ends[edge.target].append(edge)
    grid = _Columns(lineage, places, lanes, ends)
    nodes = {node.id: grid.box(node, places[node.id]) for node in lineage.nodes}
    edges = []
    for target, entering in ends.items():
        ways = {edge.source: [places[edge.source], *lanes[edge.source, target]] for edge in entering}
        entering.sort(key=lambda edge: (ways[edge.source][-1][1], edge.source))
        for n, edge in enumerate(entering):
            share = nodes[target].height / len(entering)
            y = nodes[target].y + (n + 0.5) * share  # each edge enters at a height of its own
            edges.append(grid.edge(edge.what, ways[edge.source], places[target][0], y))
    return LineageLayout(list(nodes.values()), edges, grid.width, grid.height)


class _Columns:
    """Where columns and rows begin, in pixels."""

    def __init__(
        self,
        lineage: Lineage,
        places: dict[str, _Place],
        lanes: dict[tuple[str, str], list[_Place]],
        ends: dict[str, list[LineageEdge]],
    ) -> None:
        self._widths: dict[int, float] = {}
        self._heights = {node.id: _height(node, len(ends[node.id])) for node in lineage.nodes}
        rows = {row: 0.0 for way in lanes.values() for _, row in way}
        for node in lineage.nodes:
            column, row = places[node.id]
            self._widths[column] = max(self._widths.get(column, 0), _width(node))
            rows[row] = max(rows.get(row, 0), self._heights[node.id])
        self._levels = dict.fromkeys(self._widths, float(_LEVEL))
        for edge in lineage.edges:
            column = places[edge.target][0]
            label = len(edge.what) * _CHARACTER + 2 * _LEVEL if edge.what else 0
            self._levels[column] = max(self._levels[column], label)
        self._starts, self._middles = {}, {}
        x = y = float(_MARGIN)
        for n, column in enumerate(sorted(self._widths)):
            x += _CURVE + self._levels[column] if n else 0
            self._starts[column] = x
            x += self._widths[column]
        for row in sorted(rows):
            self._middles[row] = y + rows[row] / 2
            y += rows[row] + _GAP_Y
        self.width, self.height = x + _MARGIN, y - _GAP_Y + _MARGIN

    def box(self, node: LineageNode, place: _Place) -> PlacedNode:
        column, row = place
        height = self._heights[node.id]
        top = self._middles[row] - height / 2
        return PlacedNode(node, self._starts[column], top, self._widths[column], height)

    def edge(self, what: str, way: list[_Place], to: int, end_y: float) -> DrawnEdge:
        """An edge from the first place of its way, through its lanes, into a column."""
        x, y = self._end(way[0][0]), self._middles[way[0][1]]
        path = f"M{x:.1f},{y:.1f}"
        steps = [(column, self._middles[row], self._end(column)) for column, row in way[1:]]
        for column, next_y, next_x in [*steps, (to, end_y, self._starts[to])]:
            start = self._starts[column] - self._levels[column]
            middle = (x + start) / 2
            path += f" C{middle:.1f},{y:.1f} {middle:.1f},{next_y:.1f} {start:.1f},{next_y:.1f} H{next_x:.1f}"
            x, y = next_x, next_y
        return DrawnEdge(path, what, self._starts[to] - self._levels[to] / 2, end_y)

    def _end(self, column: int) -> float:
        return self._starts[column] + self._widths[column]


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


def _places(lineage: Lineage) -> tuple[dict[str, _Place], dict[tuple[str, str], list[_Place]]]:
    """The place of each node, and those of each edge in the columns that it skips.

    In the order of a walk from the data on: a new row for the end of each way; a node stands beside the first
    that it led to.
    """
    columns = _columns(lineage)
    used = sorted(set(columns.values()))
    places: dict[str, _Place] = {}
    lanes: dict[tuple[str, str], list[_Place]] = {}
    free = 0

    def walk(at: str) -> None:
        nonlocal free
        places[at] = (columns[at], free)
        is_end = True
        for target, _ in _targets(lineage, at):
            skipped = [column for column in used if columns[at] < column < columns[target]]
            lanes[at, target] = [(column, free) for column in skipped]
            if target not in places:
                walk(target)
            elif skipped:
                free += 1
            else:
                continue
            is_end = False
        if is_end:
            free += 1

    for root in _roots(lineage):
        walk(root)
    return places, lanes


def _width(node: LineageNode) -> float:
    letters = max(map(len, [f"{node.kind} {node.title}", *node.details]))
    return letters * _CHARACTER + 2 * _PADDING


def _height(node: LineageNode, entering: int) -> float:
    text = (1 + len(node.details)) * _LINE + 2 * _PADDING - 4
    return max(text, entering * _LINE)
