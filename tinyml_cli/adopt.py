"""Runs for models that come without one: a .tflite, a Keras file or a SavedModel becomes a run directory."""

from __future__ import annotations

import hashlib
import re
import zipfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyml_cli.errors import TinymlError
from tinyml_cli.files import atomic_path, write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import CALIBRATION, MANIFEST, MODEL, MODEL_INT8, Run, runs_dir

if TYPE_CHECKING:
    from tinyml_cli.models.source import Source

MODEL_TASK = "model"
"""Manifest.task of a run that knows nothing but its model."""

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # equal folders give equal archives


def open_run(given: str | Path | None = None) -> Run:
    """Finds a run as `Run.open` does; the path of a .tflite file makes a run of that model.

    The run is `runs/<stem>-<first 8 digits of its SHA-256>`; the same bytes lead to the same run again,
    whatever the file is called and wherever it lies.

    Raises:
        TinymlError: there is no such run, the file is no TensorFlow Lite model, or the runs folder cannot
            be written.
    """
    if given is None or not Path(given).is_file():
        return Run.open(given)
    path = Path(given)
    from tinyml_cli.tflite import graph

    data = _read(path)
    if path.suffix.lower() in (".keras", ".h5", ".hdf5"):
        raise TinymlError(
            "This is a Keras model, not yet a TensorFlow Lite model",
            str(path),
            f"Convert it first: tinyml convert {path} --calibration DATA",
        )
    graph.parse(data, str(path))
    digest = hashlib.sha256(data).hexdigest()
    run = _create(_known(digest) or _free_path(path, digest))
    if _holds(run, digest):
        return run
    write_atomic(run.file(MODEL_INT8), data)
    manifest = Manifest(task=MODEL_TASK, seed=0)
    manifest.metrics["source"] = {"path": path.name, "sha256": digest}
    run.record(manifest, MODEL_INT8, f"tinyml … {path.name}")
    run.save(manifest)
    return run


def bring(
    path: Path,
    calibration: str | None,
    run_path: Path | None = None,
    limit: int | None = None,
    value_range: tuple[float, float] | None = None,
    seed: int = 1,
) -> dict[str, Any]:
    """Converts a model that was trained elsewhere; makes its run: the model, calibration set, flatbuffers.

    Args:
        path: a .keras or HDF5 file, or a SavedModel folder.
        calibration: as `calibration_data.load` takes it.
        run_path: the run directory; runs/<stem>-<8 digits> by default.
        limit: at most so many calibration samples.
        value_range: see `calibration_data.load`.
        seed: of random calibration.

    Returns:
        As `convert.convert`, and layers, a list of `LayerError`'s fields, calibration {origin, samples}.

    Raises:
        TinymlError: a model that cannot be loaded or converted, or calibration data that do not fit it.
    """
    from tinyml_cli.tflite import calibration_data
    from tinyml_cli.tflite.calibration_set import CalibrationSet
    from tinyml_cli.tflite.convert import SAVED_MODEL, convert

    _check_target(run_path)
    original = _zipped(path) if path.is_dir() else _read(path)
    digest = hashlib.sha256(original).hexdigest()
    # The advice of missing calibration data is worth more than the seconds of loading TensorFlow.
    if calibration is None:
        calibration_data.load(None, ())
    from tinyml_cli.models.source import open_source

    source = open_source(path)
    samples = calibration_data.load(
        calibration, source.inputs, limit or calibration_data.MAX_SAMPLES, value_range, seed
    )
    run = Run.create(run_path) if run_path else _create(_free_path(path, digest))
    manifest = _source_manifest(run, path, digest, seed)
    name = SAVED_MODEL if path.is_dir() else MODEL
    if not run.is_fresh(manifest, name):
        _store(run, name, path, original, source)
        run.record(manifest, name, "tinyml convert")
    random = samples.origin == calibration_data.RANDOM
    CalibrationSet(
        samples=samples.arrays[0],
        others=samples.arrays[1:],
        method="ptq",
        split="random" if random else "file",
        seed=seed,
        model_sha256=manifest.artifacts[name].sha256,
        origin=samples.origin,
    ).save(run.file(CALIBRATION))
    run.record(manifest, CALIBRATION, "tinyml convert", [name])
    run.save(manifest)
    outcome = convert(run)
    outcome["layers"] = _measure(run, samples.arrays)
    outcome["calibration"] = {"origin": samples.origin, "samples": len(samples.arrays[0])}
    return outcome


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise TinymlError(
            f"The model cannot be read: {error.strerror}", str(path), "Check the path and its permissions."
        ) from error


def _free_path(path: Path, digest: str) -> Path:
    """Where the run of a model belongs; more digits where another run has that name."""
    stem = re.sub(r"[^A-Za-z0-9_.-]+", "_", path.resolve().stem).strip(".")[:40] or "model"
    short = runs_dir() / f"{stem}-{digest[:8]}"
    if not short.exists():
        return short
    try:
        mine = Run(short).manifest().metrics.get("source", {}).get("sha256") == digest
    except (TinymlError, AttributeError):
        mine = False
    return short if mine else runs_dir() / f"{stem}-{digest}"


def _create(path: Path) -> Run:
    try:
        return Run.create(path)
    except TinymlError as error:
        raise TinymlError(
            error.what, error.where, "Make the folder of the runs writable, or set TINYML_RUNS to another."
        ) from error


def _known(digest: str) -> Path | None:
    """An adopted run of the same bytes under another name."""
    for path in sorted(runs_dir().glob(f"*-{digest[:8]}")):
        if _holds(Run(path), digest):
            return path
    return None


def _holds(run: Run, digest: str) -> bool:
    """Whether it is the run of a bare model of these bytes, whole."""
    try:
        manifest = run.manifest()
    except TinymlError:
        return False
    entry = manifest.artifacts.get(MODEL_INT8)
    return (
        manifest.task == MODEL_TASK
        and entry is not None
        and entry.sha256 == digest
        and run.is_fresh(manifest, MODEL_INT8)
    )


def _check_target(run_path: Path | None) -> None:
    """A run that was trained here keeps its model."""
    if run_path is None or not (run_path / MANIFEST).is_file():
        return
    manifest = Run(run_path).manifest()
    if manifest.task != MODEL_TASK:
        raise TinymlError(
            f"The run holds a model of the task `{manifest.task}` that was trained here",
            str(run_path),
            "Choose another run directory with --run, or leave it out.",
        )


def _source_manifest(run: Run, path: Path, digest: str, seed: int) -> Manifest:
    """The run's manifest where it is of the same model, else a fresh one."""
    source = {"path": path.resolve().name, "sha256": digest}
    if run.file(MANIFEST).is_file():
        manifest = run.manifest()
        if manifest.task == MODEL_TASK and manifest.metrics.get("source") == source:
            return manifest
    manifest = Manifest(task=MODEL_TASK, seed=seed)
    manifest.metrics["source"] = source
    return manifest


def _store(run: Run, name: str, path: Path, original: bytes, source: Source) -> None:
    from tinyml_cli.models.source import KerasSource

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
                archive.writestr(zipfile.ZipInfo(name, _ZIP_TIME), _read(path), zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _measure(run: Run, inputs: tuple[Any, ...]) -> list[dict[str, Any]]:
    """The error of each layer, kept in the manifest; a note where the models have different operators."""
    from tinyml_cli.console import console
    from tinyml_cli.run import MODEL_FLOAT32
    from tinyml_cli.tflite.calibrate import LAYER_SAMPLES
    from tinyml_cli.tflite.convert import Converted, measure_layers

    converted = Converted(run.file(MODEL_FLOAT32).read_bytes(), run.file(MODEL_INT8).read_bytes())
    try:
        errors = measure_layers(
            converted, [values[:LAYER_SAMPLES] for values in inputs], "calibration samples"
        )
    except TinymlError as error:
        console.info(f"{error.what}.")
        return []
    manifest = run.manifest()
    if manifest.quantization is not None:
        manifest.quantization.layers = errors
        run.save(manifest)
    return [error.model_dump() for error in errors]
