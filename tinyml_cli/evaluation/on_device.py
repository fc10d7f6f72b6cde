"""Runs an evaluation set through firmware: the model alone, or everything from the microphone samples on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.boards.boards import load_board
from tinyml_cli.build.build import build
from tinyml_cli.build.target import BuildTarget
from tinyml_cli.connect import check_firmware, open_board
from tinyml_cli.console import console
from tinyml_cli.evaluation.answers import Int8Model
from tinyml_cli.evaluation.parity import DeviceRun, run_inputs, run_windows
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Ready
from tinyml_cli.outcomes.evaluations import ModelOnDevice, OnDevice
from tinyml_cli.run import MODEL_STREAM, Run, board_model
from tinyml_cli.statistics.metrics import Classification

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


def describe(ready: Ready, target: BuildTarget) -> OnDevice:
    """Board and engine from a device's banner, and the level of evidence."""
    level = "modelled" if target.emulated is not None else load_board(ready.board).level
    return OnDevice(board=ready.board, engine=ready.engine, level=level)


def answers_to(
    run: Run, target: BuildTarget, model: Int8Model, features: npt.NDArray[Any], truth: npt.NDArray[np.int64]
) -> ModelOnDevice:
    """What a board's engine answers to inputs of the model, compared with the truth and the reference.

    A streaming model gets its inputs frame by frame, from a reset on.

    Args:
        run: whose firmware runs.
        target: where.
        model: the run's int8 model.
        features: integer features [n, ...], the input of `model.inputs`.
        truth: int64 [n].

    Raises:
        TinymlError: a board does not answer.
    """
    inputs = model.inputs(features)
    manifest = run.manifest()
    is_stream = board_model(manifest) == MODEL_STREAM
    hop = manifest.recognizer.inference_stride_frames if is_stream else None
    with opened(run, target) as (link, ready), console.progress(len(inputs), ready.board) as bar:
        runs = []
        for start in range(0, len(inputs), _BATCH):
            runs.append(_run(link, inputs[start : start + _BATCH], hop))
            bar.advance(len(runs[-1].outputs))
    outputs = np.concatenate([batch.outputs for batch in runs])
    counted = np.concatenate([batch.instructions for batch in runs])
    with console.progress(len(inputs), "reference") as bar:
        expected, reference = model.reference(inputs, bar.advance)
    result = Classification.of(tuple(manifest.labels), truth, outputs.argmax(axis=1).astype(np.int64))
    return ModelOnDevice.extending(
        describe(ready, target),
        path="model",
        n=len(inputs),
        instructions_per_inference=int(np.median(counted)) if counted.any() else None,
        accuracy=result.accuracy,
        ci95=result.ci95,
        reference=reference,
        mismatches=int((outputs != expected).any(axis=1).sum()),
        max_difference=int(np.abs(outputs.astype(int) - expected.astype(int)).max()),
    )


def _run(link: Link, inputs: npt.NDArray[np.int8], hop: int | None) -> DeviceRun:
    return run_inputs(link, inputs) if hop is None else run_windows(link, inputs, hop)
