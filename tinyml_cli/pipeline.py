"""All stages in sequence, each skipped if its result exists and is fresh."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tinyml_cli import interrupt, registry
from tinyml_cli.build.target import BuildTarget
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.outcomes.base import Outcome
from tinyml_cli.outcomes.pipelines import Pipeline, Skipped
from tinyml_cli.outcomes.stages import Replayed
from tinyml_cli.recipes.base import BaseRecipe
from tinyml_cli.run import CALIBRATION, MODEL_FLOAT32, MODEL_INT8, Run, writes
from tinyml_cli.stages import common as stages
from tinyml_cli.training.checkpoint import Resume

REPLAY_CLIPS_PER_LABEL = 8


@writes
def run_pipeline(
    run: Run,
    recipe: BaseRecipe,
    target: BuildTarget,
    data: Path | None = None,
    resume: bool = False,
) -> Pipeline:
    """Data in, firmware out, then held-out items are played to the board.

    Args:
        run: the run directory.
        recipe: what to train.
        target: the board, where it is, and the engine.
        data: what the model is evaluated on; the run's own test split by default.
        resume: refuse to begin anew: a pipeline that was stopped goes on without it too.

    Raises:
        TinymlError: see the stages; `resume` where no pipeline of this recipe was stopped.
    """
    from tinyml_cli.build.build import build
    from tinyml_cli.build.inputs import check_target
    from tinyml_cli.build.platformio import require_installed
    from tinyml_cli.conversion.convert import convert
    from tinyml_cli.engines.export import export_as_before
    from tinyml_cli.engines.freshness import needs_export
    from tinyml_cli.evaluation.evaluate import evaluate
    from tinyml_cli.flash.flash import flash
    from tinyml_cli.link.usb import choose_port
    from tinyml_cli.monitor.monitor import monitor
    from tinyml_cli.monitor.task_monitor import MonitorOptions
    from tinyml_cli.stages.calibrate import quantize

    started = time.monotonic()
    check_target(target)
    require_installed()
    if target.is_usb:  # the program is installed there in the end
        choose_port(target.board, target.port)
    done: dict[str, Outcome] = {}

    def stage(name: str, is_done: bool, work: Callable[[], Outcome]) -> None:
        console.info(f"[{name}]")
        if is_done:
            console.info("  already done")
            done[name] = Skipped(skipped=True)
            return
        with interrupt.account(lambda: _stopped(run, name)):
            done[name] = work()

    going_on = Resume.MUST if resume else Resume.IF_SAVED
    stage("train", stages.is_trained(run, recipe), lambda: stages.train(run, recipe, going_on))
    run.make_latest()
    stage("quantize", _is_fresh(run, CALIBRATION), lambda: quantize(run))
    stage("convert", _is_fresh(run, MODEL_FLOAT32, MODEL_INT8), lambda: convert(run))
    is_exported = not needs_export(run, run.manifest(), target.engine)
    stage("export", is_exported, lambda: export_as_before(run, target.engine))
    stage("build", False, lambda: build(run, target))
    if target.is_usb:
        stage("flash", False, lambda: flash(run, target))
    stage("evaluate", False, lambda: evaluate(run, data))
    replay = registry.task(recipe.task).write_replay(run, REPLAY_CLIPS_PER_LABEL)
    stage("monitor", False, lambda: monitor(run, target, MonitorOptions(replay=replay)))
    replayed = done["monitor"]
    assert isinstance(replayed, Replayed)
    return Pipeline.model_validate(
        {
            "run": str(run.path),
            "board": target.board.name,
            **done,
            "evaluate": done["evaluate"].as_dict(),
            "passed": _passes(replayed),
            "seconds": round(time.monotonic() - started, 1),
        }
    )


def _passes(replayed: Replayed) -> bool:
    """Whether the board found at least half of what it should have in the replay; warns where it did not."""
    found, wanted = replayed.hits, replayed.hits + replayed.misses
    if 2 * found >= wanted:
        return True
    console.warn(
        f"the board found only {found} of {wanted} in the replay, so the model is not usable (with "
        "--no-gate, the exit code is 0). Train for more epochs, or check the data (tinyml data check FOLDER)."
    )
    return False


def _stopped(run: Run, name: str) -> TinymlError:
    """What a pipeline says that was stopped in one of its stages."""
    return interrupt.stopped(
        f"in stage {name}; earlier stages are kept",
        str(run.path),
        f"To resume: {interrupt.same_command()}",
    )


def _is_fresh(run: Run, *artifacts: str) -> bool:
    manifest = run.manifest()
    return all(run.is_fresh(manifest, name) for name in artifacts)
