"""tinyml lineage: the graph, its picture, its tree."""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import outcomes
from tests.conftest import Tinyml
from tests.model_registry.conftest import MakeRun
from tinyml_cli.lineage import layout
from tinyml_cli.manifest_sections import Data
from tinyml_cli.model_registry.promote import promote
from tinyml_cli.model_registry.store import Store
from tinyml_cli.model_registry.versions import EXPORTED, add
from tinyml_cli.outcomes.lineages import Lineage, LineageEdge, LineageNode
from tinyml_cli.run import MODEL, RECIPE, Run


@pytest.fixture
def home(tmp_path: Path, store: Store, make_run: MakeRun) -> Path:
    """Data, two runs of which the second began with the first's weights, a variant, versions and a board."""
    first, second, lost = make_run("first"), make_run("second"), make_run("lost")
    for run in (first, second, lost):
        manifest = run.manifest()
        manifest.data = Data(source="folder", path="/far/data", split_by="speaker", snapshot="ab" * 32)
        run.file(MODEL).write_bytes(run.path.name.encode())
        run.record(manifest, MODEL, "tinyml train")
        manifest.firmware["sim"] = {"flash_bytes": 15_368}
        run.save(manifest)
    shutil.copyfile(first.file(MODEL), second.file("champion.keras"))
    second.file(RECIPE).write_text(f"task: kws\nstart_from: {second.file('champion.keras')}\n")
    variant = Run(Path(shutil.copytree(first.path, first.path / "variants" / "pruned")))
    manifest = variant.manifest()
    manifest.metrics["compression"] = [{"method": "prune", "sparsity": 0.5}]
    variant.save(manifest)
    for run in (second, lost):
        add(store, run, "lamp")
    promote(store, "lamp@1")
    shutil.rmtree(lost.path)
    return tmp_path


def test_the_whole_way_is_shown(tinyml: Tinyml, home: Path) -> None:
    found = tinyml("lineage", "--out", "l.svg", "--json", cwd=home).json
    outcomes.check("lineage", found)
    ways = {(edge["source"].split()[0], edge["target"].split()[0]) for edge in found["edges"]}
    assert ways == {
        *(("data", "run"), ("data", "lost"), ("run", "run"), ("run", "version")),
        *(("lost", "version"), ("version", "board"), ("run", "board")),
    }
    said = tinyml("lineage", cwd=home).out
    for text in ("run second", "(its weights)", "variant pruned: prune 0.5", "lamp@1: champion", "not here"):
        assert text in said, said
    picture = ElementTree.parse(home / "l.svg").getroot()
    assert len(picture.findall("{*}g")) == len(found["nodes"])


def test_one_run_brings_only_its_own(tinyml: Tinyml, home: Path) -> None:
    nodes = tinyml("lineage", "first", "--json", cwd=home).json["nodes"]
    assert {node["title"] for node in nodes} == {"data", "first", "pruned", "sim"}


def test_without_runs_or_with_a_wrong_place_there_is_an_error(
    tinyml: Tinyml, tmp_path: Path, home: Path
) -> None:
    (tmp_path / "empty").mkdir()
    for words in (["lineage"], ["convert"]):
        assert "There are no runs" in tinyml(*words, cwd=tmp_path / "empty", code=2).err
        assert "tinyml train kws" in tinyml(*words, cwd=tmp_path / "empty", code=2).err
    tinyml("init", "pump", "--task", "anomaly", cwd=tmp_path)
    for words in (["lineage"], ["check"], ["convert", "none"]):
        said = tinyml(*words, cwd=tmp_path / "pump", code=2).err
        assert "by the recipe here: make" in said and "kws" not in said
    assert "by the recipe here: make" in tinyml("runs", cwd=tmp_path / "pump").out
    assert ".svg" in tinyml("lineage", "--out", "l.png", cwd=home, code=2).err
    assert "registry" in tinyml("lineage", "--registry", "none", cwd=home, code=2).err
    (home / "runs" / "first" / "manifest.json").write_text("{}")
    assert "is left out" in tinyml("lineage", cwd=home).err


_KINDS = st.sampled_from(["data", "run", "variant", "version", "board"])
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@st.composite
def _graphs(draw: st.DrawFn) -> Lineage:
    kinds = draw(st.lists(_KINDS, min_size=1, max_size=8))
    nodes = [
        LineageNode(id=f"n{n}", kind=kind, title=draw(_TEXT), details=draw(st.lists(_TEXT, max_size=3)))
        for n, kind in enumerate(kinds)
    ]
    pairs = [pair for pair in itertools.combinations(range(len(nodes)), 2) if draw(st.booleans())]
    edges = [
        LineageEdge(source=f"n{a}", target=f"n{b}", what=draw(st.sampled_from(["", "w"]))) for a, b in pairs
    ]
    return Lineage(nodes=nodes, edges=edges, picture=None)


@settings(max_examples=20, deadline=None)
@given(_graphs())
def test_boxes_never_overlap_and_every_way_leads_right(graph: Lineage) -> None:
    placed = {each.node.id: each for each in layout.draw(graph).nodes}
    for one, two in itertools.combinations(placed.values(), 2):
        beside = one.x + one.width < two.x or two.x + two.width < one.x
        above = one.y + one.height < two.y or two.y + two.height < one.y
        assert beside or above
    assert all(placed[e.source].x + placed[e.source].width < placed[e.target].x for e in graph.edges)
    ElementTree.fromstring(layout.svg(graph))
    told = layout.tree(graph)
    assert all(f"{node.kind} " in told for node in graph.nodes)


@settings(max_examples=30, deadline=None)
@given(_graphs())
def test_edges_touch_no_box_but_their_own_and_no_label(graph: Lineage) -> None:
    drawing = layout.draw(graph)
    labels = [(e.x, e.y, len(e.what) * 7.2 / 2) for e in drawing.edges if e.what]
    for edge in drawing.edges:
        for x, y in _points(edge.path):
            assert 0 <= x <= drawing.width and 0 <= y <= drawing.height
            assert not any(
                b.x + 0.1 < x < b.x + b.width - 0.1 and b.y - 1 < y < b.y + b.height + 1
                for b in drawing.nodes
            )
            assert not any(
                abs(x - at) < half and abs(y - middle) < 7.5 and (edge.x, edge.y) != (at, middle)
                for at, middle, half in labels
            )
    for (at, middle, half), (x, y, other) in itertools.combinations(labels, 2):
        assert abs(at - x) >= half + other or abs(middle - y) >= 15.9
    starts = {(e.path.split(" C")[0], e.path.split("H")[-1], e.y) for e in drawing.edges}
    assert len(starts) == len(graph.edges)


def _points(path: str) -> Iterator[tuple[float, float]]:
    """Points along a path of M, C and H, closely."""
    x, y = map(float, path.split()[0][1:].split(","))
    for curve, level in zip(re.findall("C([^H]+)", path), re.findall(r"H(\S+)", path), strict=True):
        (x1, y1), (x2, y2), (x3, y3) = (map(float, each.split(",")) for each in curve.split())
        for t in np.linspace(0, 1, 12):
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
            yield a * x + b * x1 + c * x2 + d * x3, a * y + b * y1 + c * y2 + d * y3
        yield from ((float(at), y3) for at in np.linspace(x3, float(level), 12))
        x, y = float(level), y3


def test_an_exported_version_stands_behind_its_version(tinyml: Tinyml, home: Path) -> None:
    tinyml("registry", "export", "lamp@1", cwd=home)
    found = tinyml("lineage", "--json", cwd=home).json
    edges = {(edge["source"], edge["target"]): edge["what"] for edge in found["edges"]}
    assert edges["version lamp@1", "run lamp-1"] == "exported"
    assert [source for source, target in edges if target == "run lamp-1"] == ["version lamp@1"]
    assert ("run lamp-1", "version lamp@1") not in edges
    assert ("run lamp-1", "board sim run lamp-1") in edges
    assert "run lamp-1" in tinyml("lineage", cwd=home).out


def test_an_export_belongs_to_the_version_that_it_was_made_from(tinyml: Tinyml, home: Path) -> None:
    tinyml("registry", "add", "second", "--name", "twin", cwd=home)
    tinyml("registry", "export", "twin@1", cwd=home)

    def origins() -> set[str]:
        edges = tinyml("lineage", "--json", cwd=home).json["edges"]
        return {edge["source"] for edge in edges if edge["target"] == "run twin-1"}

    assert origins() == {"version twin@1"}
    record = home / "runs" / "twin-1" / EXPORTED
    record.write_text("{}")
    assert EXPORTED in tinyml("lineage", cwd=home, code=2).err
    record.unlink()  # as exported by an earlier tinyml
    assert origins() == {"version twin@1", "version lamp@1"}


def test_only_drawings_are_replaced(tinyml: Tinyml, home: Path) -> None:
    (home / "mine.svg").write_text("<svg><!-- mine --></svg>")
    assert "did not draw" in tinyml("lineage", "--out", "mine.svg", cwd=home, code=2).err
    assert (home / "mine.svg").read_text() == "<svg><!-- mine --></svg>"
    for _ in range(2):
        tinyml("lineage", "--out", "l.svg", cwd=home)
    (home / "mine.png").write_bytes(b"\x89PNG\r\n mine")
    assert "did not draw" in tinyml("learn", "loss", "--out", "mine.png", cwd=home, code=2).err
