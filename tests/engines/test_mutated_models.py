"""Property: a model with something wrong is refused in words, or compiles and gives the bytes of TFLM.

TINYML_MUTATIONS sets how many models are tried, TINYML_RANDOM_SEED where the seeds start.
"""

from __future__ import annotations

import multiprocessing
import os
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.engines.many_networks import Built, Judge, build, random_values
from tests.engines.mutated_models import mutated, sound, sound_models
from tinyml_cli.engines.aot import compiler, emit
from tinyml_cli.engines.aot.ops import LOWERINGS
from tinyml_cli.errors import TinymlError
from tinyml_cli.tflite import graph as tflite_graph

MODELS = int(os.environ.get("TINYML_MUTATIONS", "150"))
FIRST = int(os.environ.get("TINYML_RANDOM_SEED", "0"))
COMPARED = 40
RUNS = 3
_LARGEST_ARENA = 4 << 20


def compiled(data: bytes) -> compiler.Network | None:
    """None where it is refused, which takes words and an advice."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            network = compiler.compile_graph(tflite_graph.parse(data))
        except TinymlError as error:
            assert error.what and error.next_step
            return None
        assert emit.source(network) and emit.header(network, "0" * 64)
    return network


def picked(count: int) -> Iterator[tuple[int, int, bytes]]:
    """(number, seed, model) of mutated models, spread over all sound ones."""
    total, seed, number = len(sound_models()), FIRST, 0
    for _ in range(count):
        number = (number + 61) % total
        seed += 1
        if (data := mutated(number, seed)) is not None:
            yield number, seed, data


def test_mutated_models_compile_or_are_refused() -> None:
    outcomes = Counter(compiled(data) is not None for _, _, data in picked(MODELS))
    assert min(outcomes[True], outcomes[False]) > MODELS // 8, outcomes


@pytest.mark.slow
def test_mutated_models_that_compile_give_the_bytes_of_tflm(tmp_path: Path) -> None:
    """TensorFlow Lite Micro's runtime may end by a signal: each side runs in a process of its own."""
    chosen = []
    for number, seed, data in picked(40 * COMPARED):
        network = compiled(data)
        if network is not None and network.plan.arena_bytes <= _LARGEST_ARENA and data != sound(number):
            chosen.append((number, seed, data))
        if len(chosen) == COMPARED:
            break
    networks = build([data for _, _, data in chosen], tmp_path)
    compared = 0
    for (number, seed, data), built in zip(chosen, networks, strict=True):
        ours = apart(built, None)
        assert ours is not None, f"model {number}, seed {seed}: the network ended by a signal"
        theirs = apart(built, data)
        compared += theirs is not None
        assert theirs is None or ours == theirs, f"model {number}, seed {seed}"
    assert compared > COMPARED // 2


def apart(built: Built, judged: bytes | None) -> list[bytes] | None:
    """The outputs of a few inferences, in another process: of the network, or of TFLM on a model.

    None where the process ended without them.
    """
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_run, args=(built, judged, sender))
    process.start()
    sender.close()
    try:
        answer: list[bytes] | None = receiver.recv()
    except EOFError:
        answer = None
    process.join()
    return answer


def _run(built: Built, judged: bytes | None, sender: Any) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    graph, rng = built.network.graph, np.random.default_rng(1)
    answers = []
    judge = None if judged is None else Judge(judged)
    for kind in range(RUNS):
        inputs = [random_values(graph.tensors[index], rng, kind) for index in graph.inputs]
        answers += [each.tobytes() for each in (judge or built).run(inputs)]
    sender.send(answers)


@pytest.mark.slow
def test_every_operator_is_mutated() -> None:
    names = {
        operator.name
        for number in range(len(sound_models()))
        for operator in tflite_graph.parse(sound(number)).operators
    }
    assert set(LOWERINGS) <= names, set(LOWERINGS) - names
