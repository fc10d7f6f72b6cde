"""tinyml watch-drift: has the board look for drift itself."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli import registry
from tinyml_cli.console import console
from tinyml_cli.drift.watch import choose
from tinyml_cli.next_step import next_step
from tinyml_cli.outcomes.boards import DriftWatched
from tinyml_cli.run import Run, writes


@writes
def watch_drift(run: Run, false_alarms_per_day: float, hours: float) -> DriftWatched:
    """Chooses the board's tests of drift and writes them to the manifest.

    Args:
        run: converted.
        false_alarms_per_day: of all tests together, in normal running.
        hours: of it, where a task can make as much as it wants.

    Raises:
        TinymlError: a task whose boards cannot, too little data, or a model that is missing or stale.
    """
    manifest = run.manifest()
    normal = registry.task(manifest.task).normal_running(run, hours)
    console.info(f"Choosing tests on {normal.of} …")
    watch = choose(normal, false_alarms_per_day, manifest.seed)
    manifest.drift_watch = watch
    run.save(manifest)
    return DriftWatched(
        run=str(run.path),
        watch=True,
        of=watch.of,
        blocks=watch.blocks,
        block_s=watch.block_inferences / watch.inferences_per_day * 86_400,
        false_alarms_per_day=false_alarms_per_day,
        tests=watch.model_dump(include={"score", "input"}),
    )


@writes
def stop(run: Run) -> DriftWatched:
    """Removes the tests."""
    manifest = run.manifest()
    manifest.drift_watch = None
    run.save(manifest)
    return DriftWatched(run=str(run.path), watch=False)


def sentence(outcome: DriftWatched) -> str:
    """The outcome in one line."""
    step = next_step("flash", Path(outcome.run))
    if not outcome.watch or outcome.tests is None:
        return f"The board will not look for drift. Next: {step}"
    return (
        f"The board will compare means of {outcome.block_s:.0f} s with {outcome.of}; at most "
        f"{outcome.false_alarms_per_day:g} false alarms a day there. Next: {step}"
    )
