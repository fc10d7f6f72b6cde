"""`tinyml bench`: accuracy and performance of any int8 model on a board, as MLPerf Tiny measures them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tinyml_cli.bench.dataset import BenchmarkData, load
from tinyml_cli.bench.scoring import FloatArray, Scorer
from tinyml_cli.boards.boards import load_board
from tinyml_cli.build.build import build
from tinyml_cli.build.target import BuildTarget
from tinyml_cli.console import console
from tinyml_cli.engines.benchmarks import Benchmark, choose
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import sha256_file, write_atomic
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Ready
from tinyml_cli.link.virtual import VirtualDevice
from tinyml_cli.outcomes.boards import Benchmarked, Performance, TimeSpread, Top1
from tinyml_cli.run import Run, board_model
from tinyml_cli.statistics.curves import roc_auc
from tinyml_cli.statistics.metrics import wilson_interval
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.wording import counted

Mode = Literal["accuracy", "performance"]

_WINDOWS = 5  # inputs, as in the runner's performance mode
_RUNS_PER_WINDOW = 10


def bench(
    run: Run,
    data: Path,
    target: BuildTarget,
    mode: Mode = "accuracy",
    limit: int | None = None,
) -> Benchmarked:
    """Builds the application `bench`, runs a data set through it, writes `report/bench.json`.

    Args:
        run: a run with an int8 model.
        data: see `dataset.load`.
        target: its `benchmark` says how bytes are read and results are made; a board at its `port` runs this
            firmware already.
        mode: "accuracy" runs every example once, "performance" a few of them many times.
        limit: at most so many examples, drawn at random, the same ones each time.

    Raises:
        TinymlError: bad data, a model that cannot be built, or a device that does not answer.
    """
    manifest = run.manifest()
    path = run.require(manifest, board_model(manifest))
    graph = tflite_graph.parse(path.read_bytes(), str(path))
    chosen = choose(graph, target.benchmark)
    scorer = Scorer(graph, chosen)
    dataset = load(data, chosen, manifest.labels).limited(limit)
    if mode == "performance":
        dataset = dataset.limited(_WINDOWS)
    _check_fit(dataset, scorer, chosen, data)
    with open_device(run, target.bench(chosen.name)) as (link, ready):
        console.info(
            f"{counted(len(dataset.examples), 'example')} on {ready.board} ({ready.engine}), benchmark "
            f"{chosen.name}"
        )
        outcome = (
            _accuracy(link, scorer, chosen, dataset)
            if mode == "accuracy"
            else _performance(link, scorer, dataset)
        )
    document = Benchmarked(
        benchmark=chosen.name,
        board=ready.board,
        engine=ready.engine,
        model=ready.model,
        mode=mode,
        level=load_board(ready.board).level,
        n=len(dataset.examples),
        **{mode: outcome},  # type: ignore[arg-type]
    )
    with run.writing():
        write_atomic(run.file("report/bench.json"), json.dumps(document.as_dict(), indent=2) + "\n")
    return document


def _check_fit(dataset: BenchmarkData, scorer: Scorer, benchmark: Benchmark, data: Path) -> None:
    """Refuses data of another model before the firmware is built."""
    dataset.examples[0].windows(scorer.input_bytes)
    if benchmark.result == "scores" and len(dataset.classes) != scorer.outputs:
        raise TinymlError(
            f"The data has {counted(len(dataset.classes), 'class', 'classes')}, but the model gives "
            f"{counted(scorer.outputs, 'score')}",
            str(data),
            "Use the data of this model, with a folder for every class; the folder may be empty.",
        )


@contextmanager
def open_device(run: Run, target: BuildTarget) -> Iterator[tuple[Link, Ready]]:
    """A device that runs the application `bench` with the run's model, and its banner.

    Raises:
        TinymlError: it cannot be built or started, or the board at the port runs something else.
    """
    if target.port is not None:
        with Link(target.port) as link:
            yield link, _checked(link.wait_ready(), run, target.port)
        return
    board = target.board.name
    if target.is_usb:
        raise TinymlError(
            f"The board `{board}` does not run the application `bench`",
            "--port",
            "Build it with `tinyml build --app bench`, flash it, and give its port with --port PORT.",
        )
    outcome = build(run, target)
    with VirtualDevice(board, Path(outcome.elf)) as device, Link(device.url) as link:
        yield link, _checked(link.wait_ready(), run, device.url)


def _checked(ready: Ready, run: Run, where: str) -> Ready:
    sha256 = sha256_file(run.file(board_model(run.manifest())))
    if ready.app != "bench" or not ready.model or not sha256.startswith(ready.model):
        raise TinymlError(
            f"The board runs the application `{ready.app}` with the model {ready.model}, not {sha256[:12]}",
            where,
            "Build this model with `tinyml build --app bench`, and flash it.",
        )
    return ready


def _accuracy(link: Link, scorer: Scorer, benchmark: Benchmark, dataset: BenchmarkData) -> Top1:
    results = []
    with console.progress(len(dataset.examples), "accuracy") as progress:
        for example in dataset.examples:
            link.reset()  # a streaming model must not remember the example before
            windows = example.windows(scorer.input_bytes)
            results.append(np.mean([_infer(link, scorer, window) for window in windows], axis=0))
            progress.advance()
    truth = np.array([example.truth for example in dataset.examples])
    return summarise(np.array(results), truth, benchmark)


def summarise(results: FloatArray, truth: np.ndarray[Any, np.dtype[np.int64]], benchmark: Benchmark) -> Top1:
    """Accuracy of results float64 [n, scores] against class indices int64 [n]."""
    if benchmark.result == "squared_error":
        return Top1(auc=roc_auc(results[:, 0], truth == 1))
    correct = int((results.argmax(axis=1) == truth).sum())
    return Top1(
        top1=correct / len(truth),
        correct=correct,
        ci95=wilson_interval(correct, len(truth)),
        auc=_classes_auc(results, truth),
    )


def _classes_auc(results: FloatArray, truth: np.ndarray[Any, np.dtype[np.int64]]) -> float | None:
    if results.shape[1] == 2:
        return roc_auc(results[:, 1], truth == 1)
    areas = [roc_auc(results[:, index], truth == index) for index in range(results.shape[1])]
    known = [area for area in areas if area is not None]
    return sum(known) / len(known) if known and len(known) == len(areas) else None


def _infer(link: Link, scorer: Scorer, data: bytes) -> FloatArray:
    link.write_input(scorer.model_input(data))
    return scorer.results(data, np.frombuffer(link.run_inference().data, np.int8))


def _performance(link: Link, scorer: Scorer, dataset: BenchmarkData) -> Performance:
    instructions, times_us = [], []
    with console.progress(len(dataset.examples) * _RUNS_PER_WINDOW, "performance") as progress:
        for example in dataset.examples:
            values = scorer.model_input(example.windows(scorer.input_bytes)[0])
            for _ in range(_RUNS_PER_WINDOW):
                link.write_input(values)
                answer = link.run_inference()
                instructions.append(answer.instructions)
                times_us.append(answer.inference_us)
                progress.advance()
    return Performance(
        inputs=len(dataset.examples),
        runs=len(times_us),
        inference_us=_spread(times_us),
        instructions=_spread(instructions) if any(instructions) else None,
    )


def _spread(values: list[int]) -> TimeSpread:
    return TimeSpread(median=float(np.median(values)), min=min(values), max=max(values))


def sentence(outcome: Benchmarked) -> str:
    """The outcome in a line."""
    head = f"{outcome.benchmark} on {outcome.board} ({outcome.level}), n = {outcome.n}: "
    if outcome.performance is not None:
        figures = outcome.performance
        count = figures.instructions
        inside = f"{count.median:,.0f} instructions, " if count else ""
        time_us = figures.inference_us.median
        return f"{head}median of {figures.runs} runs {inside}{time_us:,.0f} us by the device's clock"
    assert outcome.accuracy is not None
    answers = outcome.accuracy
    auc = "unknown" if answers.auc is None else f"{answers.auc:.3f}"
    if answers.top1 is None or answers.ci95 is None:
        return f"{head}AUC {auc}"
    low, high = answers.ci95
    return f"{head}top-1 {answers.top1:.3f} (95 % interval {low:.3f}–{high:.3f}), AUC {auc}"
