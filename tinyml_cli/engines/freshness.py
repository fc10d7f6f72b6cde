"""Whether exported sources are still what an export would write."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tinyml_cli.engines import settings
from tinyml_cli.engines.aot.compiler import IO_MODES
from tinyml_cli.files import sha256_file
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import Run, board_model
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite.graph import Graph


class Placement(NamedTuple):
    """What an export of the aot engine was asked for.

    Attributes:
        io: where inputs and outputs lie, one of IO_MODES.
        ram_limit: the most bytes of the arena.
    """

    io: str = "arena"
    ram_limit: int | None = None

    def __str__(self) -> str:
        return self.io if self.ram_limit is None else f"{self.io},{self.ram_limit}"


DEFAULT_PLACEMENT = Placement()


def export_key(
    manifest: Manifest, graph: Graph, model_sha256: str, engine: str, placement: Placement = DEFAULT_PLACEMENT
) -> str:
    """What an engine's exported sources are made from, the code that writes them included: `placement:hash`.

    Args:
        graph: the model that a board runs, with the hex digest `model_sha256` of its file.
        engine: "tflm" or "aot".
        placement: of the aot engine.

    Raises:
        TinymlError: manifest and model do not fit each other.
    """
    # The headers as they would be written now: a list of the manifest's fields would miss one some day.
    headers = json.dumps(settings.headers(manifest, graph, model_sha256), sort_keys=True)
    digest = hashlib.sha256("\n".join((engine, str(placement), model_sha256, headers, _generator())).encode())
    return f"{placement}:{digest.hexdigest()}"


def exported_placement(manifest: Manifest, engine: str) -> Placement:
    """What the last export of the aot engine was asked for; the defaults when there was none."""
    io, _, limit = manifest.exports.get(engine, "").partition(":")[0].partition(",")
    if io not in IO_MODES or (limit and not (limit.isascii() and limit.isdigit())):
        return DEFAULT_PLACEMENT
    return Placement(io, int(limit) if limit else None)


def needs_export(run: Run, manifest: Manifest, engine: str) -> bool:
    """Whether to export before firmware is built: the sources are missing, or made from something else.

    Sources edited by hand need none: the edits must not be lost, and `Run.require` refuses them.
    """
    prefix = f"export/{engine}/"
    files = {name: entry for name, entry in manifest.artifacts.items() if name.startswith(prefix)}
    present = {name: entry for name, entry in files.items() if run.file(name).is_file()}
    if any(sha256_file(run.file(name)) != entry.sha256 for name, entry in present.items()):
        return False
    model = board_model(manifest)
    if not present or not all(run.is_fresh(manifest, name) for name in (model, *files)):
        return True
    graph = tflite_graph.parse(run.file(model).read_bytes(), model)
    placement = exported_placement(manifest, engine)
    key = export_key(manifest, graph, manifest.artifacts[model].sha256, engine, placement)
    return manifest.exports.get(engine) != key


@cache
def _generator() -> str:
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()
