"""The way of models from data to boards."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tinyml_cli.outcomes.base import Outcome


class LineageNode(Outcome):
    """A thing on the way."""

    id: str
    kind: Literal["data", "run", "variant", "version", "board"]
    title: str
    details: list[str] = Field(description="what is known of it, a line each")


class LineageEdge(Outcome):
    """What led to what."""

    source: str = Field(description="id of a node")
    target: str = Field(description="id of a node")
    what: str = Field(description="empty, weights or exported")


class Lineage(Outcome):
    """The graph, without circles."""

    nodes: list[LineageNode]
    edges: list[LineageEdge]
    picture: str | None = Field(description="the SVG that was written; null without --out")
