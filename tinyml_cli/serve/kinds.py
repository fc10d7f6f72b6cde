"""What each kind of job does, in its worker: the stages of the command line, on a copy of the run."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyml_cli.errors import TinymlError
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8, Run, board_model, runs_dir
from tinyml_cli.serve.orders import JobOrder

_PROGRAMS = ("firmware.elf", "firmware.bin", "firmware.hex")
# What a job does not need of a run, or makes anew.
LEFT_OUT = ("logs", "report", "firmware", "replay", ".*")


@dataclass(frozen=True)
class JobPlace:
    """Where a worker works.

    Attributes:
        order: what is asked.
        model: the run's folder, or the uploaded model; not to be changed.
        calibration: an uploaded .npz, or the word random.
        inputs: uploaded inputs; None without.
        made: an empty folder for what clients may download.
    """

    order: JobOrder
    model: Path
    calibration: str
    inputs: Path | None
    made: Path


def run_order(place: JobPlace) -> Any:
    """Does a job; returns its result, a document.

    Raises:
        TinymlError: it cannot be done; the text says why.
    """
    place.made.mkdir(exist_ok=True)
    return _DO[place.order.kind](_opened(place), place)


def _opened(place: JobPlace) -> Run:
    """A run of the job's own."""
    if place.model.is_dir():
        copy = runs_dir() / place.model.name
        shutil.copytree(place.model, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
        return Run(copy)
    if place.model.suffix == ".keras":
        from tinyml_cli.models.untrusted import check_archive, check_weights
        from tinyml_cli.stages.bring import bring

        content = place.model.read_bytes()
        check_archive(content, place.model.name)
        check_weights(content, place.model.name)
        return Run(Path(bring(place.model, place.calibration).run))
    from tinyml_cli.stages.adopt import open_run

    return open_run(place.model)


def _profile(run: Run, place: JobPlace) -> Any:
    from tinyml_cli.build.target import build_target
    from tinyml_cli.profile import outcome
    from tinyml_cli.profile.budget import judge, parse_budget
    from tinyml_cli.profile.profile import profile

    limits = parse_budget(place.order.budget) if place.order.budget else []
    report = profile(run, build_target(place.order.board, _engine(place)))
    document = outcome.record(run, report, judge(report, limits)).model_dump(mode="json")
    (place.made / "profile.json").write_text(json.dumps(document, indent=2), encoding="utf-8", newline="\n")
    return document


def _convert(run: Run, place: JobPlace) -> Any:
    manifest = run.manifest()
    for name in (MODEL_INT8, MODEL_FLOAT32):
        if run.is_fresh(manifest, name):
            shutil.copy(run.file(name), place.made)
    run.require(manifest, board_model(manifest))
    return {"artifacts": {name: each.model_dump(mode="json") for name, each in manifest.artifacts.items()}}


def _c_sources(run: Run, place: JobPlace) -> Any:
    from tinyml_cli.engines.export import export

    outcome = export(run, place.order.engine or "both")
    with zipfile.ZipFile(place.made / "c.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(outcome.files):
            archive.write(run.file(name), Path(name).relative_to("export").as_posix())
    return outcome.model_dump(mode="json")


def _library(run: Run, place: JobPlace) -> Any:
    from tinyml_cli.build.library import export_library

    return export_library(run, place.order.library, place.made / "library.zip").model_dump(mode="json")


def _page(run: Run, place: JobPlace) -> Any:
    outcome = _built(run, "browser", place)
    shutil.copy(outcome.page, place.made / "page.html")
    return outcome.model_dump(mode="json")


def _firmware(run: Run, place: JobPlace) -> Any:
    outcome = _built(run, place.order.board, place)
    for name in _PROGRAMS:
        if (program := Path(outcome.elf).with_name(name)).is_file():
            shutil.copy(program, place.made)
    return outcome.model_dump(mode="json")


def _built(run: Run, board: str, place: JobPlace) -> Any:
    from tinyml_cli.build.build import build
    from tinyml_cli.build.target import build_target
    from tinyml_cli.engines.export import export_as_before
    from tinyml_cli.engines.freshness import needs_export

    target = build_target(board, _engine(place))
    engine = target.engine or target.board.default_engine
    if needs_export(run, run.manifest(), engine):
        export_as_before(run, engine)
    return build(run, target)


def _engine(place: JobPlace) -> str | None:
    if place.order.engine == "both":
        raise TinymlError("A firmware has one engine", "engine", "Use aot or tflm, or omit it.")
    return place.order.engine or None


def _infer(run: Run, place: JobPlace) -> Any:
    from tinyml_cli.serve.batch import answer_all

    if place.inputs is None:
        raise TinymlError("There are no inputs to answer", "inputs", "Upload a .npz or .npy first.")
    return answer_all(run, place.inputs, place.made)


_DO: Mapping[str, Callable[[Run, JobPlace], Any]] = {
    "profile": _profile,
    "convert": _convert,
    "c": _c_sources,
    "library": _library,
    "page": _page,
    "firmware": _firmware,
    "infer": _infer,
}
