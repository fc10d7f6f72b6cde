"""The results of `tinyml inspect`: for a run with its float model and data, or for any .tflite file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.console import console
from tinyml_cli.engines.support import support
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest_sections import LayerError
from tinyml_cli.next_step import next_step
from tinyml_cli.outcomes.inspection import Difference, Inspected, WeightError
from tinyml_cli.quantization.calibration_set import CalibrationSet
from tinyml_cli.run import CALIBRATION, MODEL_FLOAT32, MODEL_INT8, Run
from tinyml_cli.tflite import anatomy, layers
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite.difference import difference
from tinyml_cli.tflite.graph import Graph, Tensor
from tinyml_cli.tflite.ratio import sqnr_db

LAYER_SAMPLES = 64


@dataclass(frozen=True)
class InspectedModel:
    """A model to look into, and what is known beside it.

    Attributes:
        path: the .tflite file.
        data: its bytes.
        graph: the same, parsed.
        run: the run it is of, or None.
        float_model: the run's float32 flatbuffer, or None.
        inputs: calibration samples, one array [n, ...] per input; empty where there are none.
        notes: why something is missing.
    """

    path: Path
    data: bytes
    graph: Graph
    run: Run | None = None
    float_model: bytes | None = None
    inputs: tuple[npt.NDArray[Any], ...] = ()
    notes: list[str] = field(default_factory=list)


def find(given: str | None) -> InspectedModel:
    """The model that a path, a run or None (the latest run) names. Makes no run.

    Raises:
        TinymlError: there is no such run or file, or it is not a TensorFlow Lite model.
    """
    if given is not None and (Path(given).is_file() or Path(given).suffix.lower() == ".tflite"):
        return _of_file(Path(given))
    run = Run.open(given)
    path = run.file(MODEL_INT8)
    if not path.is_file():
        run.require(run.manifest(partial=True), MODEL_INT8)
    subject = _of_file(path)
    notes: list[str] = []
    float_model: bytes | None = None
    inputs: tuple[npt.NDArray[Any], ...] = ()
    try:
        manifest = run.manifest()
        run.require(manifest, MODEL_INT8)
        if MODEL_FLOAT32 in manifest.artifacts:
            float_model = run.require(manifest, MODEL_FLOAT32).read_bytes()
            inputs = CalibrationSet.load(run.require(manifest, CALIBRATION)).inputs
        else:
            notes.append("The run has no float32 model to compare with.")
    except TinymlError as error:
        notes.append(f"Not compared with float32: {error.what}.")
        float_model, inputs = None, ()
    return InspectedModel(path, subject.data, subject.graph, run, float_model, inputs, notes)


def inspect(subject: InspectedModel) -> Inspected:
    """What is known of a model; no pictures yet."""
    held = anatomy.describe(subject.data, subject.graph)
    if subject.run is not None and held.labels is None:
        held = held.model_copy(update={"labels": _run_labels(subject.run)})
    engines = support(subject.data, subject.graph, str(subject.path))
    weights: list[WeightError] = []
    errors: list[LayerError] = []
    if subject.float_model is not None:
        try:
            weights = weight_errors(subject.float_model, subject.graph)
            errors = _layer_errors(subject, subject.float_model)
        except TinymlError as error:
            subject.notes.append(f"{error.what}.")
    return Inspected.extending(
        held,
        model=str(subject.path),
        run=str(subject.run.path) if subject.run else None,
        engines=engines,
        layers=errors,
        weights=weights,
        pictures=[],
        notes=subject.notes,
    )


def _run_labels(run: Run) -> list[str] | None:
    try:
        return run.manifest().labels or None
    except TinymlError:
        return None


def compare(subject: InspectedModel, other: str) -> Difference:
    """How another model differs."""
    theirs = find(other)
    found = difference(subject.data, subject.graph, theirs.data, theirs.graph)
    return Difference.extending(found, old=str(subject.path), new=str(theirs.path))


def weight_pairs(float_model: bytes, graph: Graph) -> list[tuple[str, Tensor, Tensor]]:
    """Weights before and after quantisation: name, float tensor, int8 tensor.

    Raises:
        TinymlError: the two models are not the same network.
    """
    exact = tflite_graph.parse(float_model)
    found = []
    for mine, theirs in layers.operator_pairs(exact, graph):
        before, after = exact.input(mine, 1), graph.input(theirs, 1)
        made = exact.output(mine)
        if (
            made is None
            or before is None
            or after is None
            or before.dtype != "float32"
            or before.shape != after.shape
        ):
            continue
        if before.data is not None and after.data is not None and after.quantization is not None:
            name = layers.layer_name(made.name, mine.name)
            found.append((name, before, after))
    return found


def weight_errors(float_model: bytes, graph: Graph) -> list[WeightError]:
    """SQNR of each weight tensor against the float model."""
    rows = []
    for name, before, after in weight_pairs(float_model, graph):
        exact, restored = anatomy.real_values(before), anatomy.real_values(after)
        if exact is None or restored is None:
            continue
        noise = float(np.square(exact - restored).sum())
        ratio = sqnr_db(float(np.square(exact).sum()), noise)
        rows.append(WeightError(name=name, tensor=after.index, sqnr_db=ratio))
    return rows


def _of_file(path: Path) -> InspectedModel:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TinymlError(
            f"Cannot read the model: {error.strerror}", str(path), "Check the path, or give a run."
        ) from error
    if data[:4] in (b"PK\x03\x04", b"\x89HDF"):
        raise TinymlError(
            "This is a Keras model, not a TensorFlow Lite model",
            str(path),
            f"Convert it first: {next_step('convert', path, '--calibration', 'DATA')}",
        )
    return InspectedModel(path, data, tflite_graph.parse(data, str(path)))


def _layer_errors(subject: InspectedModel, float_model: bytes) -> list[LayerError]:
    inputs = [values[:LAYER_SAMPLES] for values in subject.inputs]
    with console.progress(len(inputs[0]), "error per layer") as bar:
        return layers.layer_errors(float_model, subject.data, inputs, bar.advance)
