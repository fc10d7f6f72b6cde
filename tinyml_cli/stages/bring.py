"""Turns a model trained elsewhere into a run: the model, its calibration set, its flatbuffers."""

from __future__ import annotations

import hashlib
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np

from tinyml_cli.console import console
from tinyml_cli.conversion import calibration_data
from tinyml_cli.conversion.calibration_data import Samples
from tinyml_cli.conversion.convert import SAVED_MODEL, ConvertedModels, convert, measure_layers
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import atomic_path, write_atomic
from tinyml_cli.manifest import MODEL_TASK, Manifest
from tinyml_cli.manifest_sections import LayerError
from tinyml_cli.models import bounds
from tinyml_cli.models.keras_source import KerasSource
from tinyml_cli.models.source import open_source
from tinyml_cli.models.source_network import SourceNetwork
from tinyml_cli.outcomes.stages import CalibrationOrigin, Converted
from tinyml_cli.quantization.calibration_set import CalibrationSet
from tinyml_cli.run import CALIBRATION, MANIFEST, MODEL, MODEL_FLOAT32, MODEL_INT8, Run
from tinyml_cli.stages.adopt import at, free_path, read
from tinyml_cli.stages.calibrate import LAYER_SAMPLES

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # equal folders give equal archives


def bring(
    path: Path,
    calibration: str | None,
    run_path: Path | None = None,
    limit: int | None = None,
    value_range: tuple[float, float] | None = None,
    seed: int = 1,
    signature: str | None = None,
) -> Converted:
    """Converts a model that was trained elsewhere and makes its run.

    Args:
        path: a .keras or HDF5 file, or a SavedModel folder.
        calibration: as `calibration_data.load` takes it.
        run_path: the run directory; runs/<stem>-<8 digits> by default.
        limit: at most so many calibration samples.
        value_range: see `calibration_data.load`.
        seed: of random calibration.
        signature: as `open_source` takes it.

    Raises:
        TinymlError: a model that cannot be loaded or converted, or calibration data that do not fit it.
    """
    _check_target(run_path)
    limit = calibration_data.MAX_SAMPLES if limit is None else limit
    # Loading TensorFlow takes seconds: what is wrong with the files is said before.
    bounds.refuse(path, bounds.content_bytes(path))
    calibration_data.check(calibration, limit)
    original = _zipped(path) if path.is_dir() else read(path)
    source = open_source(path, signature)
    samples = calibration_data.load(calibration, source.inputs, limit, value_range, seed)
    _check_range(source, samples)
    # Each signature has a run of its own.
    digest = hashlib.sha256(original + (signature or "").encode()).hexdigest()
    run = Run.at(run_path) if run_path else at(free_path(path, digest))
    with run.making():
        outcome = _convert(run, path, original, digest, source, samples, seed)
        layers = _measure(run, samples)
    origin = CalibrationOrigin(origin=samples.origin, samples=len(samples.arrays[0]))
    return outcome.model_copy(update={"layers": layers, "calibration": origin})


def _convert(
    run: Run, path: Path, original: bytes, digest: str, source: SourceNetwork, samples: Samples, seed: int
) -> Converted:
    """Stores the model and its calibration set, and converts."""
    manifest = _manifest(run, path, digest, seed, source.signature)
    name = SAVED_MODEL if path.is_dir() else MODEL
    if not run.is_fresh(manifest, name):
        _store(run, name, path, original, source)
        run.record(manifest, name, "tinyml convert")
    _calibration_set(samples, manifest.artifacts[name].sha256, seed).save(run.file(CALIBRATION))
    run.record(manifest, CALIBRATION, "tinyml convert", [name])
    run.save(manifest)
    return convert(run)


def _check_target(run_path: Path | None) -> None:
    """A run that was trained here keeps its model."""
    if run_path is None or not (run_path / MANIFEST).is_file():
        return
    manifest = Run(run_path).manifest()
    if manifest.has_task:
        raise TinymlError(
            f"The run contains a model of the task `{manifest.task}` that was trained here",
            str(run_path),
            "Choose another run directory with --run, or omit it.",
        )


def _check_range(source: SourceNetwork, samples: Samples) -> None:
    """Warns of the two slips that spoil a model without an error: scaling images twice, or not at all."""
    if len(samples.arrays) > 1:
        return  # which of the inputs a Rescaling layer belongs to is not known
    largest = float(np.abs(samples.arrays[0]).max())
    if source.rescaling is not None and largest * abs(source.rescaling) < 0.05:
        console.warn(
            f"the model scales its input by {source.rescaling:.4g}, but the samples only go up to "
            f"{largest:.4g}: are they already scaled?"
        )
    elif source.rescaling is None and largest == 255 and isinstance(source, KerasSource):
        console.warn(
            "the samples go up to 255 and the model does not scale its input: was it trained on such values?"
        )


def _calibration_set(samples: Samples, model_sha256: str, seed: int) -> CalibrationSet:
    return CalibrationSet(
        samples=samples.arrays[0],
        others=samples.arrays[1:],
        method="ptq",
        split="random" if samples.origin == calibration_data.RANDOM else "file",
        seed=seed,
        model_sha256=model_sha256,
        origin=samples.origin,
    )


def _manifest(run: Run, path: Path, digest: str, seed: int, signature: str | None) -> Manifest:
    """The run's manifest where it is of the same model, else a fresh one."""
    source = {"path": path.resolve().name, "sha256": digest}
    if signature is not None:
        source["signature"] = signature
    if run.file(MANIFEST).is_file():
        manifest = run.manifest()
        if not manifest.has_task and manifest.metrics.get("source") == source:
            return manifest
    manifest = Manifest(task=MODEL_TASK, seed=seed)
    manifest.metrics["source"] = source
    return manifest


def _store(run: Run, name: str, path: Path, original: bytes, source: SourceNetwork) -> None:
    """Keeps a .keras file and a zipped folder as they are; writes what was read of an HDF5 file."""
    if name == MODEL and path.suffix.lower() != ".keras" and isinstance(source, KerasSource):
        with atomic_path(run.file(name)) as temporary:
            source.save(temporary)
    else:
        write_atomic(run.file(name), original)


def _zipped(folder: Path) -> bytes:
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                name = path.relative_to(folder).as_posix()
                archive.writestr(zipfile.ZipInfo(name, _ZIP_TIME), read(path), zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _measure(run: Run, samples: Samples) -> list[LayerError]:
    """The error of each layer, kept in the manifest; a note where the models have different operators."""
    converted = ConvertedModels(run.file(MODEL_FLOAT32).read_bytes(), run.file(MODEL_INT8).read_bytes())
    inputs = [values[:LAYER_SAMPLES] for values in samples.arrays]
    try:
        errors = measure_layers(converted, inputs, "calibration samples")
    except TinymlError as error:
        console.info(f"{error.what}.")
        return []
    manifest = run.manifest()
    if manifest.quantization is not None:
        manifest.quantization.layers = errors
        run.save(manifest)
    return errors
