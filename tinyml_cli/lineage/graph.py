"""The graph of what led to what, from manifests and the registry's versions."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli import recipes, run_list
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import sha256_file
from tinyml_cli.manifest import Manifest
from tinyml_cli.model_registry.documents import ModelVersion
from tinyml_cli.model_registry.store import Store
from tinyml_cli.model_registry.versions import exported_from, is_export
from tinyml_cli.outcomes.lineages import Lineage, LineageEdge, LineageNode
from tinyml_cli.run import MANIFEST, MODEL, MODEL_INT8, RECIPE, Run, runs_dir
from tinyml_cli.run_folder import VARIANTS
from tinyml_cli.variants import STEPS

_SHORT = 12  # digits of a hash that people see


class _LineageParts:
    """Nodes and edges, each once, in the order in which they were found."""

    def __init__(self) -> None:
        self.nodes: dict[str, LineageNode] = {}
        self.edges: dict[tuple[str, str], LineageEdge] = {}

    def node(self, node: LineageNode) -> str:
        """Adds a node unless it is there; its id."""
        self.nodes.setdefault(node.id, node)
        return node.id

    def edge(self, source: str, target: str, what: str = "") -> None:
        """Adds an edge unless it is there."""
        self.edges.setdefault((source, target), LineageEdge(source=source, target=target, what=what))


def of_runs(run: Run | None, store: Store | None) -> Lineage:
    """The lineage of one run and its variants, or of all runs of the runs folder.

    Args:
        run: None for all.
        store: the registry; None where there is none.

    Raises:
        TinymlError: a run whose manifest cannot be read (of all runs, such are left out with a warning), or a
            damaged registry.
    """
    roots = [Run(run.root)] if run is not None else _all()
    found = {
        each.path.resolve(): each.manifest(partial=True) for root in roots for each in _with_variants(root)
    }
    graph = _LineageParts()
    versions = {} if store is None else _versions_by_int8(store)
    exports = {
        path: same
        for path, manifest in found.items()
        if is_export(Run(path))
        and MODEL_INT8 in manifest.artifacts
        and (same := versions.get(manifest.artifacts[MODEL_INT8].sha256))
    }
    by_weights = {
        manifest.artifacts[MODEL].sha256: _id(Run(path))
        for path, manifest in sorted(found.items(), key=lambda each: each[0] not in exports)
        if MODEL in manifest.artifacts
    }
    by_int8: dict[str, list[str]] = {}
    exported: dict[str, list[str]] = {}
    for path, manifest in found.items():
        _add_run(graph, Run(path), manifest, by_weights, is_trained=path not in exports)
        if path in exports:
            record, same = exported_from(Run(path)), exports[path]
            for version in [record] if record in same else same:  # without a record, the bytes must do
                exported.setdefault(version, []).append(_id(Run(path)))
        elif MODEL_INT8 in manifest.artifacts:
            by_int8.setdefault(manifest.artifacts[MODEL_INT8].sha256, []).append(_id(Run(path)))
    registered: dict[str, list[str]] = {}
    if store is not None:
        registered = _add_versions(graph, store, by_int8, exported, only_known=run is not None)
    for path, manifest in found.items():
        _add_boards(graph, Run(path), manifest, registered)
    return Lineage(nodes=list(graph.nodes.values()), edges=list(graph.edges.values()), picture=None)


def _all() -> list[Run]:
    """The runs of the runs folder whose manifests can be read."""
    found = []
    for path in sorted(runs_dir().glob(f"*/{MANIFEST}")):
        if path.parent.is_symlink():
            continue
        try:
            for run in _with_variants(Run(path.parent)):
                run.manifest(partial=True)
        except TinymlError as error:
            console.warn(f"{path.parent} is left out: {error.what}")
            continue
        found.append(Run(path.parent))
    return found


def _with_variants(root: Run) -> list[Run]:
    variants = sorted(root.path.glob(f"{VARIANTS}/*/{MANIFEST}"))
    return [root, *(Run(path.parent) for path in variants)]


def _id(run: Run) -> str:
    return f"run {run_list.name_of(run)}"


def _versions_by_int8(store: Store) -> dict[str, list[str]]:
    """SHA-256 of an int8 model -> the versions that hold it, `NAME@3`."""
    found: dict[str, list[str]] = {}
    for name in store.names():
        index = store.index(name)
        for number in index.versions:
            found.setdefault(store.version(index, number).int8_sha256, []).append(f"{name}@{number}")
    return found


def _add_run(
    graph: _LineageParts, run: Run, manifest: Manifest, by_weights: dict[str, str], is_trained: bool
) -> None:
    """Adds a run; what was exported from the registry gets no data, since it was not trained again."""
    is_variant = run.root.resolve() != run.path.resolve()
    known = run_list.info(run)
    details = [] if is_variant else [manifest.task]
    details += [_step(step) for step in manifest.metrics.get(STEPS) or ()]
    if known.accuracy is not None:
        details.append(f"{known.measure} {known.accuracy:.1%}")
    if MODEL_INT8 in manifest.artifacts:
        details.append(f"int8 {manifest.artifacts[MODEL_INT8].sha256[:_SHORT]}")
    kind = "variant" if is_variant else "run"
    title = run.path.name if is_variant else run_list.name_of(run)
    node = LineageNode.model_validate({"id": _id(run), "kind": kind, "title": title, "details": details})
    graph.node(node)
    if is_variant:
        graph.edge(_id(Run(run.root)), node.id)
        return
    if not is_trained:
        return
    if (data := _data(manifest)) is not None:
        graph.edge(graph.node(data), node.id)
    if (earlier := by_weights.get(_start(run) or "")) is not None and earlier != node.id:
        graph.edge(earlier, node.id, "weights")


def _step(step: dict[str, object]) -> str:
    """A step of compression: "prune 0.5", "cluster 16", "qat"."""
    amount = next((step[key] for key in ("sparsity", "clusters") if step.get(key) is not None), "")
    return f"{step['method']} {amount}".strip()


def _start(run: Run) -> str | None:
    """SHA-256 of the model that the training began with."""
    try:
        path = recipes.load(run.file(RECIPE)).start_from
    except TinymlError:
        return None
    return sha256_file(Path(path)) if path is not None and Path(path).is_file() else None


def _data(manifest: Manifest) -> LineageNode | None:
    data = manifest.data
    if data is None:
        return None
    if data.snapshot is not None:
        name = Path(data.path).name if data.path else data.source
        details = [f"snapshot {data.snapshot[:_SHORT]}"]
        return LineageNode(id=f"data {data.snapshot}", kind="data", title=name, details=details)
    title = data.source if data.path is None else Path(data.path).name
    return LineageNode(id=f"data {data.source} {data.path or ''}", kind="data", title=title, details=[])


def _add_versions(
    graph: _LineageParts,
    store: Store,
    by_int8: dict[str, list[str]],
    exported: dict[str, list[str]],
    only_known: bool,
) -> dict[str, list[str]]:
    """Adds the registry's versions, between runs that went in and came out; run -> its versions."""
    registered: dict[str, list[str]] = {}
    for name in store.names():
        index = store.index(name)
        for number in index.versions:
            version = store.version(index, number)
            runs, copies = by_int8.get(version.int8_sha256, []), exported.get(f"{name}@{number}", [])
            if only_known and not (runs or copies):
                continue
            aliases = [alias for alias, at in index.aliases().items() if at == number]
            node = LineageNode(
                id=f"version {name}@{number}",
                kind="version",
                title=f"{name}@{number}",
                details=[*aliases, f"int8 {version.int8_sha256[:_SHORT]}"],
            )
            graph.node(node)
            for run in runs or [_lost_run(graph, version)]:
                graph.edge(run, node.id)
                registered.setdefault(run, []).append(node.id)
            for copy in copies:
                graph.edge(node.id, copy, "exported")
    return registered


def _lost_run(graph: _LineageParts, version: ModelVersion) -> str:
    """The node of a run that is not here, and of its data as far as they are known."""
    title, details = version.run, [version.task, "not here"]
    run = graph.node(
        LineageNode(id=f"lost {version.run} {version.int8_sha256}", kind="run", title=title, details=details)
    )
    if version.data_snapshot is not None:
        digest = version.data_snapshot
        details = [f"snapshot {digest[:_SHORT]}"]
        graph.edge(
            graph.node(LineageNode(id=f"data {digest}", kind="data", title="data", details=details)), run
        )
    return run


def _add_boards(graph: _LineageParts, run: Run, manifest: Manifest, registered: dict[str, list[str]]) -> None:
    """The boards whose firmware holds the run's model, after its versions where it has any."""
    for board, sizes in manifest.firmware.items():
        flash = sizes.get("flash_bytes")
        details = [] if flash is None else [f"{flash:,} bytes of flash"]
        node = LineageNode(id=f"board {board} {_id(run)}", kind="board", title=board, details=details)
        graph.node(node)
        for source in registered.get(_id(run), [_id(run)]):
            graph.edge(source, node.id)
