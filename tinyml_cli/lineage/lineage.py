"""`tinyml lineage`: the graph of runs and registry, as text and as a picture."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli.errors import TinymlError
from tinyml_cli.files import runs_dir, write_atomic
from tinyml_cli.lineage import graph, layout
from tinyml_cli.model_registry.store import Store
from tinyml_cli.outcomes.lineages import Lineage
from tinyml_cli.run import Run, how_to_make_one


def trace(run: str | None, registry: Path | None, out: Path | None) -> Lineage:
    """The lineage of one run, or of all; drawn where it is wanted.

    Args:
        run: as `Run.open` takes it; None for all runs of the runs folder.
        registry: its folder; the default one where there is one.
        out: of the SVG.

    Raises:
        TinymlError: no such run or registry, a damaged one, or nothing to show.
    """
    store = Store.open_if_there(registry)
    found = graph.of_runs(None if run is None else Run.open(run), store)
    if not found.nodes:
        raise TinymlError("There are no runs yet", str(runs_dir()), how_to_make_one())
    if out is None:
        return found
    write_atomic(out, layout.svg(found))
    return found.model_copy(update={"picture": str(out)})


def text(outcome: Lineage) -> str:
    """The tree, and where the picture is."""
    return layout.tree(outcome) + (f"\nPicture: {outcome.picture}" if outcome.picture else "")
