"""The runs folder: its runs and their progress."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from tinyml_cli import locks, temporary
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import folder_bytes
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.housekeeping import RunEntry, RunShown
from tinyml_cli.run import (
    CALIBRATION,
    MANIFEST,
    MODEL,
    MODEL_INT8,
    RECIPE,
    Run,
    runs_dir,
)
from tinyml_cli.run_folder import VARIANTS, content_of, latest_path

COLUMNS = ("Run", "Task", "Labels", "State", "Accuracy", "int8", "Disk", "Age")

_UNITS = (("d", 86_400), ("h", 3600), ("min", 60))


@dataclass(frozen=True)
class HeadlineFigure:
    """The figure that a run is known by.

    Attributes:
        value: a share: of the int8 model on the test set if it was evaluated, else on the validation set.
        measure: "accuracy", "AUC" or "validation accuracy"; "" where nothing was measured.
        n: examples that it was measured on.
    """

    value: float | None = None
    measure: str = ""
    n: int | None = None


def describe() -> list[RunEntry]:
    """Every run in the runs folder, the newest first; empty and damaged folders too."""
    return sorted((info(Run(path)) for path in _folders(runs_dir())), key=lambda each: each.age_s)


def info(run: Run) -> RunEntry:
    """What can be told of a run without reading its artifacts."""
    latest = latest_path()
    manifest, problem = _manifest(run)
    known = _headline_figure(manifest) if manifest is not None else HeadlineFigure()
    int8 = None if manifest is None else manifest.artifacts.get(MODEL_INT8)
    holder = locks.holder_of(run.path)
    return RunEntry(
        name=name_of(run),
        path=str(run.path),
        latest=latest is not None and latest.resolve() == run.path.resolve(),
        task=manifest.task if manifest else run.recipe_task(),
        labels=manifest.labels if manifest else [],
        state=_state(manifest) if manifest and not problem else _fault(run, problem),
        complete=manifest is not None and manifest.complete and not problem,
        problem=problem,
        accuracy=known.value,
        measure=known.measure,
        n=known.n,
        model_bytes=int8.bytes if int8 else None,
        bytes=folder_bytes(run.path),
        age_s=age_of(run),
        in_use_by=str(holder) if holder and temporary.is_running(holder.pid) else None,
    )


def name_of(run: Run) -> str:
    """A run's name below the runs folder; its path where it lies elsewhere."""
    path, folder = run.path.resolve(), runs_dir().resolve()
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(run.path)


def row(each: RunEntry) -> list[object]:
    """The entry as the table shows it, in the order of `COLUMNS`."""
    measured = "" if each.accuracy is None else f"{each.accuracy:.1%}"
    if each.measure == "AUC":
        measured = f"AUC {each.accuracy:.3f}"
    if measured and each.n:
        measured += f" n={each.n:,}"
    if each.measure.startswith("validation"):
        measured += " (validation)"
    state = f"{each.state}, in use" if each.in_use_by else each.state
    labels = ", ".join(each.labels)
    return [
        f"{'* ' if each.latest else ''}{each.name}",
        each.task,
        labels,
        state,
        measured,
        "" if each.model_bytes is None else size_text(each.model_bytes),
        size_text(each.bytes),
        age_text(each.age_s),
    ]


def show(run: Run) -> RunShown:
    """Everything about one run, for `tinyml runs show`."""
    manifest, _ = _manifest(run)
    variants = sorted(path.parent.name for path in run.path.glob(f"{VARIANTS}/*/{MANIFEST}"))
    if manifest is None:
        return RunShown.extending(info(run), variants=variants)
    return RunShown.extending(
        info(run),
        variants=variants,
        seed=manifest.seed,
        tinyml_version=manifest.tinyml_version,
        epochs=manifest.epochs,
        model=manifest.model,
        data=manifest.data,
        quantization=None if manifest.quantization is None else manifest.quantization.method,
        firmware=sorted(manifest.firmware),
        artifacts=dict(sorted(manifest.artifacts.items())),
    )


def show_text(run: RunShown) -> str:
    """What `show` returns as lines for people, without what is not known."""
    model, data = run.model, run.data
    measured = "" if run.accuracy is None else f"{run.accuracy:.4g} ({run.measure}, n={run.n})"
    pairs = [
        ("path", run.path + (" (latest)" if run.latest else "")),
        ("task", run.task),
        ("labels", ", ".join(run.labels)),
        ("state", f"{run.state} ({run.problem})" if run.problem else run.state),
        ("in use by", run.in_use_by or ""),
        ("measured", measured),
        (
            "network",
            f"{model.name}, {model.parameters:,} parameters, {model.macs:,} MACs" if model else "",
        ),
        ("data", f"{data.source} {data.path or ''}".strip() if data else ""),
        ("int8", "" if run.model_bytes is None else f"{run.model_bytes:,} bytes"),
        ("variants", ", ".join(run.variants)),
        ("firmware", ", ".join(run.firmware or ())),
        ("on disk", size_text(run.bytes)),
        ("age", age_text(run.age_s)),
        ("seed", "" if run.seed is None else str(run.seed)),
    ]
    return "\n".join(f"{name:<10} {value}" for name, value in pairs if value)


def size_text(size: int) -> str:
    """1234567 as "1.2 MB"."""
    value, unit = float(size), "B"
    for larger in ("kB", "MB", "GB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" or value >= 10 else f"{value:.1f} {unit}"


def age_text(seconds: float) -> str:
    """7300 as "2 h"."""
    for unit, length in _UNITS:
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return "now"


def _folders(root: Path) -> list[Path]:
    """The folders of runs, and those inside of folders of something else, such as a search's best."""
    if not root.is_dir():
        return []
    found = []
    for path in sorted(root.iterdir()):
        if path.name.startswith(".") or path.is_symlink() or not path.is_dir():
            continue
        try:
            names = {entry.name for entry in path.iterdir()}
        except OSError:
            names = {MANIFEST}  # `info` says that it cannot be read
        inside = [] if names & {RECIPE, MANIFEST} else sorted(path.glob(f"*/{MANIFEST}"))
        found += [entry.parent for entry in inside if not entry.parent.is_symlink()] or [path]
    return found


def _manifest(run: Run) -> tuple[Manifest | None, str]:
    """(the manifest where it can be read, why the run is of no use where that is so)."""
    try:
        if not run.file(MANIFEST).exists():
            return None, ""
        manifest = run.manifest(partial=True)
        missing = [name for name in (MODEL, MODEL_INT8) if name in manifest.artifacts]
        missing = [name for name in missing if not run.file(name).is_file()]
    except TinymlError as error:
        return None, error.what
    except OSError as error:
        return None, f"It cannot be read: {error.strerror}"
    return manifest, f"`{missing[0]}` is missing" if missing else ""


def _fault(run: Run, problem: str) -> str:
    if problem:
        return "damaged"
    if (stopped := run.stopped_after()) is not None:
        return f"stopped at epoch {stopped}"
    try:
        there = content_of(run.path)
    except OSError:
        return "damaged"
    if not there:
        return "empty"
    return "not trained" if RECIPE in there else "not a run"


def _state(manifest: Manifest) -> str:
    if not manifest.complete:
        return f"stopped at epoch {manifest.epochs}" if manifest.epochs else "stopped"
    stages = (
        ("built", bool(manifest.firmware)),
        ("exported", bool(manifest.exports)),
        ("converted", MODEL_INT8 in manifest.artifacts),
        ("quantized", CALIBRATION in manifest.artifacts),
    )
    return next((name for name, reached in stages if reached), "trained")


def _headline_figure(manifest: Manifest) -> HeadlineFigure:
    """Of the evaluation where there is one, else of the validation split."""
    judged, trained = manifest.metrics.get("evaluate"), manifest.metrics.get("train")
    if isinstance(judged, dict) and isinstance(judged.get("int8"), dict):
        for key, measure in (("accuracy", "accuracy"), ("auc", "AUC")):
            if (share := _share(judged["int8"].get(key))) is not None:
                return HeadlineFigure(share, measure, _count(judged.get("n")))
    if isinstance(trained, dict) and (n := _count(trained.get("validation_n"))):
        share = _share((_count(trained.get("validation_right")) or 0) / n)
        return HeadlineFigure(share, "validation accuracy", n)
    if isinstance(trained, dict) and (share := _share(trained.get("validation_accuracy"))) is not None:
        counts = manifest.data.counts.get("validation", {}) if manifest.data else {}
        return HeadlineFigure(share, "validation accuracy", sum(counts.values()) or None)
    return HeadlineFigure()


def _share(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value <= 1 else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def age_of(run: Run) -> float:
    """Seconds since the manifest was written."""
    for path in (run.file(MANIFEST), run.path):
        try:
            return max(0.0, time.time() - path.stat().st_mtime)
        except OSError:
            continue
    return 0.0


def usable(run: Run) -> bool:
    """Whether later commands can use the run."""
    manifest, problem = _manifest(run)
    return manifest is not None and not problem
