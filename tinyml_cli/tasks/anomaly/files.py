"""tinyml evaluate for autoencoders given as a .tflite file without a run, such as MLPerf Tiny's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.array_file import read_array
from tinyml_cli.bench import dataset, scoring
from tinyml_cli.data import inventory
from tinyml_cli.data.series.read import collecting
from tinyml_cli.data.series.sources import files_in
from tinyml_cli.engines import benchmarks
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.anomalies import EvaluatedFiles, ScoredFile
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.statistics.curves import auc_interval, roc_auc
from tinyml_cli.tasks.anomaly.read import NORMAL, condition_of
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import Graph, parse
from tinyml_cli.wording import counted

_SUFFIXES = (".bin", ".npy")
# MLPerf Tiny's windows are 5 frames of 128 bands, and start one frame apart.
_FRAMES = 5


def is_autoencoder(graph: Graph) -> bool:
    """Whether a model has as many int8 outputs as inputs."""
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        return False
    source, target = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    return source.dtype == target.dtype == "int8" and source.elements == target.elements


def evaluate_files(run: Run, manifest: Manifest, data_dir: Path) -> EvaluatedFiles:
    """Scores files of features as MLPerf Tiny does: the mean squared error over a file's windows.

    A file is float32 values, `.bin` (little endian) or `.npy` of any shape; it is normal if its name or
    its folder's begins with `normal`, or as a `y_labels.csv` next to the files says.

    Raises:
        TinymlError: no such files, files without a window, or files of only one kind.
    """
    model = run.require(manifest, MODEL_INT8).read_bytes()
    graph = parse(model)
    values = graph.tensors[graph.inputs[0]].elements
    scorer = scoring.Scorer(graph, benchmarks.BENCHMARKS["ad"])
    runtime = interpret.reference_runtime()
    rows = []
    refused: dict[Path, TinymlError] = {}
    for path, anomalous, windows in _files(data_dir, values, refused):
        inputs = np.stack([scorer.model_input(window.tobytes()) for window in windows])
        outputs = interpret.run_int8(model, inputs, runtime)
        scores = [
            float(scorer.results(window.tobytes(), output)[0])
            for window, output in zip(windows, outputs, strict=True)
        ]
        name = path.relative_to(data_dir).as_posix()
        mean = float(np.mean(scores))
        rows.append(ScoredFile(file=name, anomalous=anomalous, windows=len(windows), score=mean))
    return _outcome(run, data_dir, rows, runtime, refused)


def _outcome(
    run: Run, data_dir: Path, rows: list[ScoredFile], runtime: str, refused: Mapping[Path, TinymlError]
) -> EvaluatedFiles:
    anomalous = np.array([row.anomalous for row in rows])
    auc = roc_auc(np.array([row.score for row in rows]), anomalous)
    if auc is None:
        raise TinymlError(
            f"Every file is {'anomalous' if anomalous.any() else 'normal'}",
            str(data_dir),
            "Both kinds are needed: files or folders named normal… and anomaly….",
        )
    n_anomalous = int(anomalous.sum())
    interval = auc_interval(auc, n_anomalous, len(rows) - n_anomalous)
    return EvaluatedFiles(
        run=str(run.path),
        data=str(data_dir),
        left_out=_left_out(data_dir, [data_dir / row.file for row in rows], refused),
        n=len(rows),
        windows=sum(row.windows for row in rows),
        n_normal=len(rows) - n_anomalous,
        n_anomalous=n_anomalous,
        auc=auc,
        auc_ci95=interval,
        runtime=runtime,
        files=rows,
        verdict=f"AUC {auc:.4f} ({interval[0]:.4f} to {interval[1]:.4f}) over "
        f"{counted(len(rows), 'file')}, int8 on the host; the score of a file is the mean over its windows.",
    )


def _left_out(folder: Path, used: list[Path], refused: Mapping[Path, TinymlError]) -> dict[str, int]:
    files = inventory.left_out(
        folder,
        [*used, folder / dataset.LABELS_FILE],
        "feature",
        _SUFFIXES,
        lambda path: refused[path].what if path in refused else "",
    )
    inventory.tell(files)
    return inventory.counts(files)


def _files(
    folder: Path, values: int, refused: dict[Path, TinymlError]
) -> list[tuple[Path, bool, NDArray[np.float32]]]:
    """(path, whether it is anomalous, float32 [windows, values]) of each file that can be read."""
    if not folder.is_dir():
        raise TinymlError("The folder does not exist", str(folder), "Give the data with --data DIR.")
    ad = benchmarks.BENCHMARKS["ad"]
    tables = [place for place in (folder, folder / ad.dataset) if (place / dataset.LABELS_FILE).is_file()]
    if tables:
        labelled = [(each.path, each.truth > 0) for each in dataset.load(tables[0], ad).examples]
    else:
        labelled = [(path, condition_of(path, folder) != NORMAL) for path in files_in(folder, _SUFFIXES)]
    if not labelled:
        raise TinymlError(
            "No feature files found",
            str(folder),
            f"Use {' or '.join(_SUFFIXES)} files of float32 values.",
        )
    found = []
    for path, anomalous in labelled:
        with collecting(refused, path):
            found.append((path, anomalous, _windows(path, values)))
    inventory.check_any_left(found, refused)
    return found


def _windows(path: Path, values: int) -> NDArray[np.float32]:
    try:
        flat = read_array(path) if path.suffix.lower() == ".npy" else np.fromfile(path, "<f4")
    except (OSError, ValueError) as error:
        raise TinymlError(f"Cannot read the file ({error})", str(path), "Fix or remove it.") from error
    flat = np.asarray(flat, np.float32).reshape(-1)
    if len(flat) < values or not np.isfinite(flat).all():
        raise TinymlError(
            f"The file contains {counted(len(flat), 'number')}; a window needs "
            f"{counted(values, 'finite number')}",
            str(path),
            "Fix or remove it.",
        )
    stride = values // _FRAMES if values % _FRAMES == 0 else values
    return np.lib.stride_tricks.sliding_window_view(flat, values)[::stride].copy()
