"""Layers that run in stripes of rows: the same bytes in less memory."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.engines import random_graphs
from tests.engines.many_networks import build, compare
from tests.engines.network_builds import generate, random_inputs, run_sim, tflm_outputs, write
from tests.engines.test_memory import residual
from tinyml_cli.engines.aot import compiler, emit, listing, stripes
from tinyml_cli.engines.aot.picture import memory_plan_png
from tinyml_cli.errors import TinymlError
from tinyml_cli.tflite import graph as tflite_graph

CHAINS = range(14)


def chain(seed: int) -> bytes:
    """Convolutions, depthwise ones and pools, one after another; what follows reads the last alone."""
    graph = random_graphs.RandomGraph(seed)
    rng = graph.rng
    x = first = graph.new((1, int(rng.integers(7, 20)), int(rng.integers(3, 8)), graph.pick([1, 3, 4, 8])))
    layers = [graph._convolution, graph._depthwise, graph._pool, graph._convolution, graph._depthwise]
    length = int(rng.integers(2, 6))
    while length:
        made = layers[int(rng.integers(len(layers)))](x)
        if made is not None:
            (x,), length = made, length - 1
    return graph.model.build([first.index], [x.index])


def striped(model: bytes, io: str, choice: int) -> compiler.Network:
    """The network with one of all stages that it could have."""
    network = compiler.compile_graph(tflite_graph.parse(model), io=io)
    stages = stripes.candidates(network.graph, network.steps, network.storage)
    stage = stages[choice % len(stages)] if stages else None
    return compiler.planned(network.graph, network.steps, frozenset(), io, stage)


@pytest.mark.parametrize("io", compiler.IO_MODES)
def test_any_stage_gives_the_bytes_of_tflm(io: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    models = {seed: chain(seed) for seed in CHAINS}

    def make(model: bytes, folder: Path, io: str) -> compiler.Network:
        return write(striped(model, io, int(rng.integers(1000))), folder)

    networks = build(list(models.values()), tmp_path / "chains", io=io, make=make)
    stages = [built.network.stage for built in networks]
    assert sum(stage is not None for stage in stages) > len(models) // 2
    for (seed, model), built in zip(models.items(), networks, strict=True):
        compare(model, built, seed, runs=4)


def test_a_limit_is_kept_or_the_least_is_named() -> None:
    """The least that a refusal names is reachable, and one byte less is not."""
    kept = 0
    for seed in CHAINS:
        graph = tflite_graph.parse(chain(seed))
        free = compiler.compile_graph(graph, io="caller").arena_bytes
        with pytest.raises(TinymlError) as caught:
            compiler.compile_graph(graph, io="caller", ram_limit=1)
        named = re.search(r"--ram-limit (\d+)", str(caught.value))
        assert named
        least = int(named[1])
        network = compiler.compile_graph(graph, io="caller", ram_limit=least)
        assert network.arena_bytes <= least <= free
        assert (network.stage is None) == (least == free)
        assert compiler.compile_graph(graph, io="caller", ram_limit=free).stage is None
        kept += least < free
    assert kept > len(CHAINS) // 4


def test_a_network_without_a_chain_names_what_it_needs() -> None:
    graph = tflite_graph.parse(residual())
    with pytest.raises(TinymlError, match=r"at least 48 bytes.*--ram-limit 48, or --io caller"):
        compiler.compile_graph(graph, ram_limit=47)


@pytest.fixture(scope="module")
def vww(shared: Path) -> tflite_graph.Graph:
    return tflite_graph.load(shared / "models" / "vww_96_int8.tflite")


def test_visual_wake_words_in_26_kilobytes(vww: tflite_graph.Graph) -> None:
    network = compiler.compile_graph(vww, io="caller", ram_limit=26_000)
    plan = listing.document(network)
    assert plan.lower_bound_bytes <= network.arena_bytes <= 26_000
    assert f"#define NETWORK_ARENA_BYTES {plan.arena_bytes}" in emit.header(network, "0" * 64)
    assert plan.stripes is not None and plan.stripes.extra_share < 0.02
    inside = {row.name: row for row in plan.buffers}[f"TENSOR_{network.stage.tensors[1]}"]
    assert inside.bytes < inside.shape[1] * inside.shape[2] * inside.shape[3]
    title, _, _ = listing.table(plan)
    assert f"run in {plan.stripes.stripes} stripes" in title
    assert memory_plan_png(plan, "vww").startswith(b"\x89PNG")


@pytest.mark.slow
def test_stripes_on_the_cortex_m4(tmp_path: Path) -> None:
    model = chain(1)
    network = write(striped(model, "arena", 1), tmp_path / "striped")
    assert network.stage is not None
    inputs = random_inputs(network, 4, seed=5)
    outputs = run_sim(network, tmp_path / "striped", inputs).outputs
    whole = generate(model, tmp_path / "whole")
    np.testing.assert_array_equal(outputs, run_sim(whole, tmp_path / "whole", inputs).outputs)
    np.testing.assert_array_equal(outputs, tflm_outputs(model, inputs))
