"""The stage convert: for a run, or for a model trained elsewhere."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli.errors import TinymlError
from tinyml_cli.next_step import next_step
from tinyml_cli.outcomes.stages import Converted
from tinyml_cli.outcomes.streams import OperatingPoint, StreamFigures
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.wording import counted


def convert_any(
    given: str | None,
    calibration: str | None = None,
    run_path: Path | None = None,
    samples: int | None = None,
    value_range: str | None = None,
    signature: str | None = None,
) -> Converted:
    """Converts what `given` names: a run (the latest for None), or a model file or folder.

    Raises:
        TinymlError: see `convert.convert` and `bring.bring`.
    """
    path = None if given is None else Path(given)
    if path is not None and path.is_file() and path.suffix.lower() == ".tflite":
        raise TinymlError(
            "This is already a TensorFlow Lite model; there is nothing to convert",
            str(path),
            f"Inspect it: {next_step('inspect', path)}; or export it as C: "
            f"{next_step('export-c-array', path)}",
        )
    if path is not None and _is_model(path):
        limits = _value_range(value_range)
        from tinyml_cli.stages.bring import bring

        return bring(path, calibration, run_path, samples, limits, signature=signature)
    for option, value in (
        ("--calibration", calibration), ("--run", run_path), ("--samples", samples), ("--range", value_range),
        ("--signature", signature),
    ):  # fmt: skip
        if value is not None:
            raise TinymlError(
                f"{option} is for models trained elsewhere; a run has its own calibration set",
                option,
                "Give a .keras or .h5 file or a SavedModel folder, or create a new set: tinyml quantize RUN",
            )
    run = Run.open(given)
    run.check_writable()
    _check_has_source(run)
    from tinyml_cli.conversion.convert import convert

    return convert(run)


def sentence(outcome: Converted) -> str:
    """The outcome in one line."""
    differing = outcome.mismatches
    parity = (
        ""
        if differing is None
        else f"; {differing} output bytes differ between LiteRT and TensorFlow Lite Micro over "
        f"{counted(outcome.compared, 'input')}"
    )
    streams = ""
    if stream := outcome.stream:
        streams = (
            f" On a board it processes {counted(stream.hop_frames, 'frame')} at a time, {stream.macs:,} MACs."
        )
    if point := outcome.operating_point:
        streams += " " + told(point)
    step = next_step("export-c-array", Path(outcome.run))
    return f"int8 model: {outcome.int8.bytes:,} bytes{parity}.{streams} Next: {step}"


def told(point: OperatingPoint) -> str:
    """The settings that were chosen, and what they hear."""
    chosen = point.tuning.after if point.applied else point.tuning.before
    judged = f" By voices that chose nothing: {_heard(point.fresh)}." if point.fresh is not None else ""
    return (
        f"Threshold {chosen.threshold:g} over {chosen.average_window_ms} ms: {_heard(point)}"
        f"{_before(point)}.{judged}"
    )


def _heard(streams: StreamFigures) -> str:
    accepts, rejects = streams.false_accepts, streams.false_rejects
    low, high = accepts.ci95
    return (
        f"{rejects.of - rejects.n} of {counted(rejects.of, 'word')} heard, {accepts.per_hour:.2f} false "
        f"accepts per hour ({low:.2f}–{high:.2f}) in {streams.hours:.1f} h of streams"
    )


def _before(point: OperatingPoint) -> str:
    """What the choice changed."""
    if not point.applied:
        return ""
    before = point.tuning.validation_before
    return f"; before the choice {before.targets - before.misses} and {before.fa_per_hour:.2f}"


def _is_model(path: Path) -> bool:
    if not path.exists() and path.suffix.lower() in (".keras", ".h5", ".hdf5"):
        raise TinymlError("The model does not exist", str(path), "Check the path.")
    from tinyml_cli.models.source import is_source

    return path.exists() and is_source(path)


def _value_range(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low = high = 0.0
    if not low < high:
        raise TinymlError(f"`{text}` is not a range", "--range", "Write two numbers: --range=-1,1")
    return low, high


def _check_has_source(run: Run) -> None:
    manifest = run.manifest()
    if not manifest.has_task and list(manifest.artifacts)[:1] == [MODEL_INT8]:
        raise TinymlError(
            "The run was imported from a .tflite file; there is no model to convert",
            str(run.path),
            "Convert the Keras model that it came from: tinyml convert MODEL --calibration DATA",
        )
