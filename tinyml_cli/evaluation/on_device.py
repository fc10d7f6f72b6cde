"""Runs an evaluation set through firmware: the model alone, or everything from the microphone samples on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.boards.boards import load_board
from tinyml_cli.build.build import build
from tinyml_cli.build.target import BuildTarget
from tinyml_cli.connect import check_firmware, open_board
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.answers import Int8Model
from tinyml_cli.evaluation.options import EvaluationOptions, Part
from tinyml_cli.evaluation.parity import DeviceRun, run_inputs, run_windows
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Ready
from tinyml_cli.run import MODEL_STREAM, Run, board_model
from tinyml_cli.statistics.metrics import Classification

_LEVELS = {"virtual": "emulated", "process": "host", "usb": "on the board"}
_BATCH = 16


@contextmanager
def opened(run: Run, target: BuildTarget) -> Iterator[tuple[Link, Ready]]:
    """A link to a board that runs the run's firmware; for a virtual board, builds it first.

    Raises:
        TinymlError: no board, firmware of another model, or a board that does not answer.
    """
    if not target.is_usb and target.port is None:
        build(run, target)
    with open_board(run, target) as link:
        ready = link.wait_ready()
        check_firmware(ready, run.manifest(), target.board.name)
        yield link, ready


def describe(ready: Ready, part: Part) -> dict[str, Any]:
    """board, engine, path, level (of evidence), from a device's banner."""
    return {
        "board": ready.board,
        "engine": ready.engine,
        "path": part,
        "level": _LEVELS[load_board(ready.board).kind],
    }


def answers_to_some(
    run: Run,
    options: EvaluationOptions,
    model: Int8Model,
    features: npt.NDArray[Any],
    labels: npt.NDArray[np.int64],
    instead: str,
) -> dict[str, Any] | None:
    """The firmware's answers to part of a set without sound, compared with the reference; None for the host.

    Args:
        run: whose firmware runs.
        options: where, and the number of items, spread over the set.
        model: the run's int8 model.
        features: integer features [n, ...], the input of `model.inputs`.
        labels: int64 [n].
        instead: the start of the command that plays a folder to the whole path.

    Raises:
        TinymlError: the audio path was requested, or a board does not answer.
    """
    if options.target is None:
        return None
    if options.part == "audio":
        raise TinymlError("No audio to play", "--path audio", f"{instead} {run.path} --replay DIR")
    rows = np.linspace(0, len(labels) - 1, min(options.limit, len(labels))).astype(np.int64)
    inputs = model.inputs(features[rows])
    outputs, facts = model_outputs(run, options.target, inputs)
    expected, reference = model.reference(inputs)
    return facts | compared(run.manifest().labels, labels[rows], outputs, expected, reference)


def model_outputs(
    run: Run, target: BuildTarget, inputs: npt.NDArray[np.int8]
) -> tuple[npt.NDArray[np.int8], dict[str, Any]]:
    """int8 outputs [n, classes] of the board's engine for inputs [n, ...]; a streaming model gets them frame
    by frame, from a reset on.

    Returns:
        The outputs, and board, engine, path, level, n, and instructions_per_inference (median; None if the
        board cannot count).
    """
    manifest = run.manifest()
    is_stream = board_model(manifest) == MODEL_STREAM
    hop = manifest.recognizer.inference_stride_frames if is_stream else None
    with opened(run, target) as (link, ready), console.progress(len(inputs), ready.board) as bar:
        outputs, instructions = [], []
        for start in range(0, len(inputs), _BATCH):
            batch = _run(link, inputs[start : start + _BATCH], hop)
            outputs.append(batch.outputs)
            instructions.append(batch.instructions)
            bar.advance(len(batch.outputs))
    counted = np.concatenate(instructions)
    return np.concatenate(outputs), describe(ready, "model") | {
        "n": len(inputs),
        "instructions_per_inference": int(np.median(counted)) if counted.any() else None,
    }


def _run(link: Link, inputs: npt.NDArray[np.int8], hop: int | None) -> DeviceRun:
    return run_inputs(link, inputs) if hop is None else run_windows(link, inputs, hop)


def compared(
    labels: Sequence[str],
    truth: npt.NDArray[np.int64],
    outputs: npt.NDArray[np.int8],
    expected: npt.NDArray[np.int8],
    reference: str,
) -> dict[str, Any]:
    """Compares a board's answers with the truth and with the reference's.

    Args:
        labels: of the model.
        truth: int64 [n].
        outputs: int8 [n, classes], of the board.
        expected: int8 [n, classes], of the reference.
        reference: its name.

    Returns:
        accuracy, ci95, reference, mismatches (examples with different bytes), max_difference in int8 steps.
    """
    result = Classification.of(tuple(labels), truth, outputs.argmax(axis=1).astype(np.int64))
    return {
        "accuracy": result.accuracy,
        "ci95": list(result.ci95),
        "reference": reference,
        "mismatches": int((outputs != expected).any(axis=1).sum()),
        "max_difference": int(np.abs(outputs.astype(int) - expected.astype(int)).max()),
    }
