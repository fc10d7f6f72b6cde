"""Whether exported sources are still what an export would write now."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from tinyml_cli.engines.aot.compiler import IO_MODES
from tinyml_cli.features import settings, tables
from tinyml_cli.files import sha256_file
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import Run, board_model


def export_key(manifest: Manifest, engine: str, io: str = "arena") -> str:
    """What an engine's exported sources are made from, the code that writes them included: `io:hash`.

    Args:
        manifest: of a run with an int8 model.
        engine: "tflm" or "aot".
        io: where the aot engine's inputs and outputs lie.
    """
    known = manifest.model_dump_json(
        include={"task", "labels", "features", "clip_ms", "recognizer", "anomaly", "image", "presence"}
    )
    parts = (engine, io, manifest.artifacts[board_model(manifest)].sha256, known, _generator())
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return f"{io}:{digest}"


def exported_io(manifest: Manifest, engine: str) -> str:
    """Where the last export put the aot engine's inputs and outputs; "arena" when there was none."""
    io = manifest.exports.get(engine, "").partition(":")[0]
    return io if io in IO_MODES else "arena"


def needs_export(run: Run, manifest: Manifest, engine: str) -> bool:
    """Whether to export before firmware is built: the sources are missing, or made from something else.

    Sources that somebody changed by hand need none: they are not to be lost, and `Run.require` refuses them.
    """
    prefix = f"export/{engine}/"
    files = {name: entry for name, entry in manifest.artifacts.items() if name.startswith(prefix)}
    present = {name: entry for name, entry in files.items() if run.file(name).is_file()}
    if any(sha256_file(run.file(name)) != entry.sha256 for name, entry in present.items()):
        return False
    is_current = manifest.exports.get(engine) == export_key(manifest, engine, exported_io(manifest, engine))
    return not (present and is_current and all(run.is_fresh(manifest, name) for name in files))


@cache
def _generator() -> str:
    sources = [*sorted(Path(__file__).parent.rglob("*.py")), Path(settings.__file__), Path(tables.__file__)]
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()
