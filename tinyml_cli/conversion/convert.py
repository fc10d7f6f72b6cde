"""From a trained network to float32 and full-int8 flatbuffers."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli import registry, temporary
from tinyml_cli.console import console
from tinyml_cli.conversion import converter
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Artifact, LayerError, Model, Quantization, TensorQuantization
from tinyml_cli.models import bounds
from tinyml_cli.models.source import open_source
from tinyml_cli.models.source_network import SourceNetwork
from tinyml_cli.next_step import on_this_run
from tinyml_cli.outcomes.base import File
from tinyml_cli.outcomes.stages import Converted
from tinyml_cli.quantization.calibration_set import CalibrationSet
from tinyml_cli.quantization.cell_clip import FUSED_LSTM, without_cell_clip
from tinyml_cli.quantization.live_outputs import slice_live_outputs
from tinyml_cli.quantization.prepare import prepare
from tinyml_cli.quantization.scheme import Scheme
from tinyml_cli.run import CALIBRATION, MODEL, MODEL_FLOAT32, MODEL_INT8, MODEL_QAT, Run, writes
from tinyml_cli.tflite import compare, interpret, layers, names, opset
from tinyml_cli.tflite.graph import Graph, parse, total_macs
from tinyml_cli.tflite.shrink import shrink
from tinyml_cli.wording import counted

SAVED_MODEL = "saved_model.zip"
"""The artifact that stands for model.keras in a run of a SavedModel folder."""

# More than a float32 network differs between two libraries.
_LARGEST_FLOAT_ERROR = 0.01


@writes
def convert(run: Run) -> Converted:
    """Writes model_float32.tflite and model_int8.tflite and compares the runtimes on calibration samples.

    Raises:
        TinymlError: an input is missing or stale, a layer has no int8 kernel on the device, or TensorFlow
            is not installed.
    """
    manifest = run.manifest()
    calibration = CalibrationSet.load(run.require(manifest, CALIBRATION))
    source_name = SAVED_MODEL if SAVED_MODEL in manifest.artifacts else MODEL
    if calibration.method == "qat":
        source_name = MODEL_QAT
    source_path = run.require(manifest, source_name)
    console.info("Converting to TensorFlow Lite …")
    with opened(source_path, manifest) as source:
        converted = _trials.pop(_key(manifest, source_name), None) or to_flatbuffers(
            source, calibration.inputs, calibration.chosen
        )
        graph = parse(converted.int8, MODEL_INT8)
        ops = opset.check_int8(graph, MODEL_INT8)
        samples = [values[: compare.COMPARED_SAMPLES] for values in calibration.inputs]
        reference, parameters = source.predict(samples), source.parameters
        for layer, outcome in source.recurrence().items():
            console.info(f"`{layer}` becomes {outcome}.")
    comparison = compare.compare(converted.float32, converted.int8, samples, reference)
    _check_float(comparison, reference)

    write_atomic(run.file(MODEL_FLOAT32), converted.float32)
    write_atomic(run.file(MODEL_INT8), converted.int8)
    run.record(manifest, MODEL_FLOAT32, "tinyml convert", [source_name])
    run.record(manifest, MODEL_INT8, "tinyml convert", [source_name, CALIBRATION])
    manifest.ops = ops
    manifest.quantization = _quantization(manifest.quantization, calibration, graph)
    if manifest.model is None:
        name = Path(str(manifest.metrics.get("source", {}).get("path", run.path))).stem
        manifest.model = Model(name=name, parameters=parameters, macs=total_macs(graph))
    if manifest.drift_watch is not None:
        manifest.drift_watch = None
        console.warn(
            "The board's tests of drift were of the old model and are gone. "
            f"New ones: {on_this_run('watch-drift')}"
        )
    run.save(manifest)
    return Converted.extending(
        registry.task(manifest.task).after_convert(run),
        run=str(run.path),
        float32=_file(manifest.artifacts[MODEL_FLOAT32]),
        int8=_file(manifest.artifacts[MODEL_INT8]),
        ops=ops,
        **asdict(comparison),
    )


@dataclass(frozen=True)
class ConvertedModels:
    """Two flatbuffers of one network."""

    float32: bytes
    int8: bytes


@contextmanager
def opened(path: Path, manifest: Manifest) -> Iterator[SourceNetwork]:
    """The network of a run's artifact: model.keras, or a SavedModel that is unpacked meanwhile.

    Raises:
        TinymlError: TensorFlow is not installed, or the file is not a model that it can load.
    """
    if path.suffix != ".zip":
        yield open_source(path)
        return
    with temporary.folder("convert") as folder:
        with zipfile.ZipFile(path) as archive:
            bounds.refuse(path, sum(each.file_size for each in archive.infolist()))
            archive.extractall(folder)
        source = open_source(Path(folder), manifest.metrics.get("source", {}).get("signature"))
        source.path = path
        yield source


def to_flatbuffers(
    source: SourceNetwork, samples: Sequence[npt.NDArray[Any]], scheme: Scheme | None = None
) -> ConvertedModels:
    """Converts to float32 and, calibrated on `samples` (one array [n, ...] per input), to full int8.

    Equal model and samples give equal bytes. Dense weights get one scale per tensor: older kernels of
    TensorFlow Lite Micro ignore per-channel scales of FULLY_CONNECTED and answer wrongly in silence.

    Raises:
        TinymlError: samples that do not fit the model, or a layer the converter cannot express.
    """
    if len(samples) != len(source.inputs):
        raise _unfit(source, f"the calibration set is for {counted(len(samples), 'input')}")
    for spec, values in zip(source.inputs, samples, strict=True):
        if not spec.accepts(values.shape[1:]):
            raise _unfit(source, f"the calibration set has {values.shape[1:]} for {spec}")
    plain = without_cell_clip(converter.to_float32(source, [values.shape[1:] for values in samples]))
    _check_calibrates(parse(plain), source.path)
    float32 = slice_live_outputs(plain)
    if _is_fused(plain) or (float32 == plain and (scheme is None or scheme.is_plain)):
        if scheme is not None and not scheme.is_plain:
            raise TinymlError(
                "The model has a fused LSTM, whose inner ranges only TensorFlow's own calibration measures",
                str(source.path),
                "Run `tinyml quantize` without options.",
            )
        int8 = converter.to_int8(float32, samples, source.path)
    else:
        scheme = scheme or Scheme()
        float32 = names.restore(float32, source.layer_names)
        prepared = prepare(float32, samples, scheme)
        float32, int8 = prepared.float32, converter.round_ranged(prepared.ranged, scheme, source.path)
    float32, int8 = (names.restore(each, source.layer_names) for each in (float32, int8))
    inputs = ["input"] if len(samples) == 1 else [spec.name for spec in source.inputs]
    return ConvertedModels(float32, shrink(int8, layers.activation_names(parse(int8)), inputs))


_trials: dict[tuple[str, str], ConvertedModels] = {}


def remember(manifest: Manifest, source_name: str, converted: ConvertedModels) -> None:
    """Spares `convert` what the trial of `quantize` has just made, where one process does both."""
    _trials.clear()
    _trials[_key(manifest, source_name)] = converted


def _key(manifest: Manifest, source_name: str) -> tuple[str, str]:
    """All that a conversion depends on."""
    return manifest.artifacts[source_name].sha256, manifest.artifacts[CALIBRATION].sha256


def _is_fused(model: bytes) -> bool:
    return any(each.name == FUSED_LSTM for each in parse(model).operators)


def _check_calibrates(graph: Graph, where: Path) -> None:
    """TensorFlow's calibrator ends the whole process on loops that hold weights."""
    loops = [op.name for op in graph.operators if op.name in ("WHILE", "IF")]
    if loops:
        raise TinymlError(
            f"The model has a loop ({loops[0]}), which cannot be calibrated",
            str(where),
            "Build recurrent layers with unroll=True and a fixed number of steps.",
        )


def measure_layers(
    converted: ConvertedModels, inputs: Sequence[npt.NDArray[Any]], what: str
) -> list[LayerError]:
    """The error of each layer on calibration inputs, shown as a table.

    Raises:
        TinymlError: the int8 model has other operators than the float model.
    """
    with console.progress(len(inputs[0]), "error per layer") as bar:
        errors = layers.layer_errors(converted.float32, converted.int8, inputs, bar.advance)
    console.table(
        f"int8 against float32, up to each layer, on {len(inputs[0])} {what}",
        ["Operator", "Scale", "Zero", "SQNR dB", "Clipped", "Cosine", "Layer"],
        [
            [e.op, e.scale, e.zero_point, round(e.sqnr_db, 1), f"{e.clipped_share:.3%}", e.cosine, e.name]
            for e in errors
        ],
    )
    return errors


def io_quantization(graph: Graph) -> tuple[TensorQuantization | None, TensorQuantization | None]:
    """Scale and zero point of the first input and output; None for one that is not int8."""
    first = [graph.tensors[indices[0]] for indices in (graph.inputs, graph.outputs)]
    source, target = (interpret.tensor_quantization(t) if t.dtype == "int8" else None for t in first)
    return source, target


def _quantization(drawn: Quantization | None, calibration: CalibrationSet, graph: Graph) -> Quantization:
    source, target = io_quantization(graph)
    return Quantization(
        method=calibration.method,
        calibration_samples=len(calibration.samples),
        calibration_split=calibration.split,
        input=source,
        output=target,
        layers=drawn.layers if drawn else [],
    )


def _check_float(comparison: compare.Comparison, reference: Sequence[npt.NDArray[Any]]) -> None:
    largest = max(float(np.abs(values).max(initial=0)) for values in reference)
    if comparison.max_abs_error_float > _LARGEST_FLOAT_ERROR * max(largest, 1e-6):
        console.warn(
            f"the float32 flatbuffer differs from the model by up to {comparison.max_abs_error_float:.3g} on "
            f"outputs of up to {largest:.3g}: a layer behaves differently in TensorFlow Lite"
        )


def _unfit(source: SourceNetwork, reason: str) -> TinymlError:
    return TinymlError(
        f"The model needs {', '.join(map(str, source.inputs))}, but {reason}",
        str(source.path),
        f"Run `{on_this_run('quantize')}` again, or `tinyml convert MODEL --calibration DATA`.",
    )


def _file(entry: Artifact) -> File:
    return File(bytes=entry.bytes, sha256=entry.sha256)
