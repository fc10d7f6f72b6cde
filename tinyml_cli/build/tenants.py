"""Two models on one board, in one arena: both listen, or the second looks after the first detects a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinyml_cli.build import inputs
from tinyml_cli.build.cascade import APP as CASCADE
from tinyml_cli.build.cascade import gate_defines
from tinyml_cli.build.project import ProjectInputs
from tinyml_cli.build.slots import with_slots
from tinyml_cli.build.target import LEARNER, MULTI_TENANT, BuildTarget, default_app, shared_app
from tinyml_cli.c_text import string_literal
from tinyml_cli.engines import second, tflm
from tinyml_cli.engines.aot import compiler
from tinyml_cli.engines.aot.plan import aligned
from tinyml_cli.engines.freshness import exported_placement
from tinyml_cli.errors import TinymlError
from tinyml_cli.next_step import next_step
from tinyml_cli.run import Run, board_model
from tinyml_cli.stages.adopt import open_run
from tinyml_cli.tflite import graph as tflite_graph

_APPS = (MULTI_TENANT, CASCADE)
_MOST_RUNS = 2


def open_runs(first: str | None, more: Sequence[str], other: str | None) -> tuple[Run, Run | None]:
    """The run whose firmware is meant, and the one that shares its board, by the names of a command line.

    Raises:
        TinymlError: more than two, or no such run.
    """
    names = [name for name in (first, *more, other) if name is not None]
    if len(names) > _MOST_RUNS:
        raise TinymlError(
            f"A board runs at most {_MOST_RUNS} models, not {len(names)}",
            ", ".join(names),
            "Give fewer runs.",
        )
    runs = [open_run(name) for name in names] or [open_run(None)]
    return runs[0], runs[1] if len(runs) > 1 else None


def task_of(run: Run, target: BuildTarget) -> str:
    """The task that a board is watched by: the run's, or `cascade` where the second model looks."""
    looks = target.second is not None and shared_app(target.second) == CASCADE
    return CASCADE if looks else run.manifest().task


def gather(run: Run, target: BuildTarget) -> ProjectInputs:
    """What a project is generated from that holds the models of the run and of the target's second run.

    Raises:
        TinymlError: as of `inputs.gather`; and two runs that cannot share a board, or an application of two
            models without the second.
    """
    first = inputs.gather(run, target)
    if target.second is not None:
        if target.slots is not None:
            raise TinymlError("Two models have no slots", "--update-key", "Omit it, or the second model.")
        return _join(run, target.second, first)
    if target.added is not None:
        if target.slots is not None:
            raise TinymlError(
                "Firmware that learns words keeps them where updates would go", "--update-key", "Omit it."
            )
        return replace(
            first,
            exports=tuple(path for path in first.exports if path.name not in target.added.texts),
            texts=target.added.texts,
            defines={**first.defines, **target.added.defines},
        )
    if first.app == LEARNER:
        raise TinymlError(
            "The application learner takes a run that was taught",
            "--app",
            f"Teach one: {next_step('teach', 'NEW_RUN', '--word', 'WORD', 'TAKES')}",
        )
    if target.slots is not None:
        return with_slots(run, first, target.slots)
    if first.app in _APPS:
        raise TinymlError(
            f"The application {first.app} takes two models", "--app", "Name the second run: --with RUN"
        )
    return first


def _join(run: Run, other: Run, first: ProjectInputs) -> ProjectInputs:
    """What a project is generated from that holds both models.

    Args:
        run: the first model's run; host commands and the memory estimate are about it.
        other: the second model's.
        first: what the first run's own project is generated from.

    Raises:
        TinymlError: a run that does not listen, front ends that differ, one run twice, a model that cannot
            share its arena, or an application that does something else.
    """
    if run.path.resolve() == other.path.resolve():
        raise TinymlError(
            "Both models are the same run", str(other.path), "Give a different run with --with."
        )
    app = shared_app(other)
    looks = app == CASCADE
    if first.app != app:
        raise TinymlError(
            f"The application {first.app} does not match: the second model {'looks' if looks else 'listens'}",
            "--app",
            f"Omit it, or use --app {app}.",
        )
    _check_listens(run)
    if not looks:
        _check_listens(other)
    if not looks and run.manifest().features != other.manifest().features:
        raise TinymlError(
            "The two models use different front ends",
            str(other.path),
            "Train one of them with the `features` of the other's recipe.",
        )
    alone = replace(first.target, app=None, second=None)
    second_inputs = inputs.gather(other, alone)
    arena = _ARENA[first.target.engine](run, other)
    exports = {path.name: path.read_text(encoding="utf-8") for path in second_inputs.exports}
    names = [each.path.resolve().name for each in (run, other)]
    if names[0] == names[1]:
        raise TinymlError(f"Both runs are called {names[0]}", str(other.path), "Rename one of the folders.")
    defines = {
        "ARENA_BYTES": str(arena.bytes),
        "SECOND_ARENA_OFFSET": str(arena.second_at),
        "FIRST_MODEL": string_literal(names[0]),
        "SECOND_MODEL": string_literal(names[1]),
    }
    if looks:
        defines |= gate_defines(run, other)
    return replace(first, app=app, texts=second.renamed(exports, first.target.engine), defines=defines)


def _check_listens(run: Run) -> None:
    manifest = run.manifest()
    if manifest.features is None or default_app(manifest.task) != "kws":
        raise TinymlError(
            "The run's model does not listen for words",
            str(run.path),
            "Only keyword spotting models can share a board: tinyml train kws",
        )


@dataclass(frozen=True)
class _Arena:
    """The memory of both networks: its size, and where the second one's part begins."""

    bytes: int
    second_at: int


def _aot_arena(run: Run, other: Run) -> _Arena:
    """The larger network's, as they work one after the other; both, where one keeps state in its own."""
    first, second = _network(run), _network(other)
    if first.storage.states or second.storage.states:
        at = aligned(first.arena_bytes)
        return _Arena(at + second.arena_bytes, at)
    return _Arena(max(first.arena_bytes, second.arena_bytes), 0)


def _tflm_arena(run: Run, other: Run) -> _Arena:
    """What the interpreters keep, side by side, and the larger one's working memory."""
    models = []
    for each in (run, other):
        path = each.require(each.manifest(), board_model(each.manifest()))
        models.append(path.read_bytes())
        if tflite_graph.parse(models[-1]).remembers:
            raise TinymlError(
                "The model keeps state between inferences, which two interpreters in one arena cannot",
                str(each.path),
                "Build with --engine aot, or train it with --model ds_cnn.",
            )
    return _Arena(tflm.arena_bytes(*models), 0)


_ARENA = {"aot": _aot_arena, "tflm": _tflm_arena}


def _network(run: Run) -> compiler.Network:
    """The run's compiled model, with inputs and outputs in its arena."""
    manifest = run.manifest()
    placement = exported_placement(manifest, "aot")
    if placement.io != "arena":
        raise TinymlError(
            "The model's inputs and outputs are outside its arena",
            str(run.path),
            f"Run `{next_step('export-c-array', run.path, '--engine', 'aot', '--io', 'arena')}`.",
        )
    path = run.require(manifest, board_model(manifest))
    return compiler.compile_graph(tflite_graph.parse(path.read_bytes(), str(path)), str(path), *placement)


def monitor_step(run: Run, target: BuildTarget) -> str:
    """The command that listens to the firmware of these runs on a board."""
    board = ["--board", target.board.name, *(["--emulated"] if target.emulated is not None else [])]
    if target.app == LEARNER:
        board += ["--app", LEARNER]
    if target.second is None:
        return next_step("monitor", run.path, *board)
    words: list[str | Path] = [run.path, "--with", target.second.path, *board]
    return next_step("monitor", *words, "--app", target.application(run))
