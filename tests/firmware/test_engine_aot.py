"""The class Engine over generated networks, in C++ with sanitizers, for both places of inputs and outputs."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.engines import test_memory, test_states_and_boundaries
from tests.engines.many_networks import Judge, random_values
from tests.engines.network_builds import NN, WARNINGS, generate
from tests.firmware.native import HARNESS, LIBRARIES, STRICT, run
from tinyml_cli.engines.aot import compiler

SANITIZERS = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
MODELS: list[Callable[[], bytes]] = [
    test_states_and_boundaries.stream,
    test_states_and_boundaries.two_states,
    test_memory.unused_input,
    test_memory.joined_twice,
    test_memory.one_tensor_twice,
    test_memory.output_is_the_input,
]


@pytest.fixture(scope="module")
def kernels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Objects of our kernels."""
    folder = tmp_path_factory.mktemp("kernels")
    compile_c(folder, sorted(NN.glob("*.c")), [f"-I{NN}"])
    return sorted(folder.glob("*.o"))


@pytest.mark.parametrize("io", compiler.IO_MODES)
@pytest.mark.parametrize("make", MODELS, ids=lambda make: str(make.__name__))
def test_engine_gives_the_bytes_of_tflm(
    make: Callable[[], bytes], io: str, kernels: list[Path], tmp_path: Path
) -> None:
    model = make()
    network = generate(model, tmp_path, io)
    program = compile_engine(tmp_path, kernels)
    rng, judge = np.random.default_rng(8), Judge(model)
    batches = [[random_values(tensor, rng, step) for tensor in network.inputs] for step in range(6)]
    expected = b"".join(values.tobytes() for batch in batches for values in judge.run(batch))
    given = b"".join(values.tobytes() for batch in batches for values in batch)
    answer = run(program, stdin=given)
    one = sum(tensor.bytes for tensor in network.outputs)
    assert answer == expected + expected[:one], "the last inference follows a reset"


def compile_c(folder: Path, sources: list[Path], includes: list[str]) -> None:
    """C11 without warnings."""
    cc = shutil.which("gcc")
    if cc is None:
        pytest.skip("no gcc here")
    options = ["-std=c11", *WARNINGS, "-Wpedantic", *SANITIZERS, *includes]
    subprocess.run([cc, *options, "-c", *sources], cwd=folder, check=True)


def compile_engine(folder: Path, kernels: list[Path]) -> Path:
    """The generated C as C11, the harness around Engine as C++14."""
    cxx = shutil.which("g++")
    if cxx is None:
        pytest.skip("no g++ here")
    (folder / "tinyml_build.h").write_text("#pragma once\n#define TINYML_ENGINE_AOT 1\n")
    includes = [f"-I{folder}", f"-I{NN}", f"-I{LIBRARIES / 'engine'}"]
    compile_c(folder, [folder / "network.c"], includes)
    program = folder / "engine"
    options = [*STRICT, "-Wpedantic", *SANITIZERS, *includes]
    objects = [folder / "network.o", *kernels]
    subprocess.run([cxx, *options, HARNESS / "engine_aot.cpp", *objects, "-o", program], check=True)
    return program
