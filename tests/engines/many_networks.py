"""Compiles many small networks into one shared library, and asks TensorFlow Lite Micro about each."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.engines.network_builds import WARNINGS, generate, includes, kernels
from tinyml_cli.engines.aot import compiler
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite.graph import Tensor

_NAMES = ("input", "invoke", "output", "input_at", "output_at", "reset", "invoke_io")
_GUARD = 64


@dataclass
class Built:
    """One network in the shared library."""

    network: compiler.Network
    library: ctypes.CDLL
    prefix: str

    def __post_init__(self) -> None:
        self._memory = ctypes.create_string_buffer(self.network.plan.arena_bytes + 2 * _GUARD + 16)
        ctypes.memset(self._memory, 0x5A, len(self._memory))
        self._start = -(-(ctypes.addressof(self._memory) + _GUARD) // 16) * 16
        self.reset()

    def reset(self) -> None:
        """Puts every state to its initial value."""
        self._call("reset", result=None)

    def run(self, inputs: list[np.ndarray]) -> list[np.ndarray]:
        """One inference; the bytes around the arena must stay."""
        graph = self.network.graph
        if self.network.io == "caller":
            return self._run_with_buffers(inputs)
        for position, (index, values) in enumerate(zip(graph.inputs, inputs, strict=True)):
            assert values.nbytes == graph.tensors[index].bytes
            ctypes.memmove(self._call("input_at", position), values.tobytes(), values.nbytes)
        assert self._call("invoke", result=ctypes.c_int) == 0
        self._check_guards()
        return [
            np.frombuffer(
                ctypes.string_at(self._call("output_at", position), graph.tensors[index].bytes),
                graph.tensors[index].dtype,
            ).reshape(graph.tensors[index].shape)
            for position, index in enumerate(graph.outputs)
        ]

    def _run_with_buffers(self, inputs: list[np.ndarray]) -> list[np.ndarray]:
        """The same with inputs, which must stay as they are, and outputs in memory of their own."""
        graph = self.network.graph
        given = [values.copy() for values in inputs]
        outputs = [np.full(graph.tensors[index].bytes + _GUARD, 0x5A, np.uint8) for index in graph.outputs]
        invoke = getattr(self.library, f"{self.prefix}_invoke_io")
        arrays = [
            (ctypes.c_void_p * len(buffers))(*(buffer.ctypes.data for buffer in buffers))
            for buffers in (given, outputs)
        ]
        assert invoke(ctypes.c_void_p(self._start), *arrays) == 0
        self._check_guards()
        for before, after in zip(inputs, given, strict=True):
            np.testing.assert_array_equal(before, after, err_msg="the network wrote over an input")
        answers = []
        for index, buffer in zip(graph.outputs, outputs, strict=True):
            tensor = graph.tensors[index]
            assert np.all(buffer[tensor.bytes :] == 0x5A), "the network wrote beyond an output"
            answers.append(buffer[: tensor.bytes].view(tensor.dtype).reshape(tensor.shape))
        return answers

    def _check_guards(self) -> None:
        for edge in (self._start - _GUARD, self._start + self.network.plan.arena_bytes):
            assert ctypes.string_at(edge, 48) == b"\x5a" * 48, "the network wrote outside its arena"

    def _call(self, name: str, *numbers: int, result: type | None = ctypes.c_void_p) -> int:
        function = getattr(self.library, f"{self.prefix}_{name}")
        function.restype = result
        return int(function(ctypes.c_void_p(self._start), *numbers) or 0)


def build_each(
    make: Callable[[str, int], bytes], names: Iterable[str], seeds: range, folder: Path
) -> dict[str, list[tuple[bytes, Built]]]:
    """Name -> its models, one for each seed, and their networks, all in one library."""
    models = {name: [make(name, seed) for seed in seeds] for name in names}
    networks = iter(build([model for made in models.values() for model in made], folder))
    return {name: [(model, next(networks)) for model in made] for name, made in models.items()}


def build(
    models: list[bytes],
    folder: Path,
    flags: tuple[str, ...] = ("-O1",),
    io: str = "arena",
    make: Callable[[bytes, Path, str], compiler.Network] = generate,
) -> list[Built]:
    """Compiles every model for this machine, into one library; `make` writes network.c."""
    cc = shutil.which("cc") or shutil.which("gcc")
    if cc is None:
        pytest.skip("no C compiler on this machine")
    folder.mkdir(parents=True, exist_ok=True)
    shared = kernels(cc, ("-fPIC", *flags))

    def network(number: int) -> tuple[compiler.Network, Path]:
        place = folder / str(number)
        made = make(models[number], place, io)
        renames = [f"-Dnetwork_{name}=n{number}_{name}" for name in _NAMES]
        target = place / "network.o"
        subprocess.run(
            [
                cc,
                "-std=c11",
                "-fPIC",
                "-c",
                *flags,
                *WARNINGS,
                *includes(place),
                *renames,
                str(place / "network.c"),
                "-o",
                str(target),
            ],
            check=True,
        )
        return made, target

    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(network, range(len(models))))
    library = folder / "networks.so"
    objects = [str(path) for path in (*shared, *(target for _, target in made))]
    subprocess.run([cc, "-shared", *flags, *objects, "-o", str(library)], check=True)
    loaded = ctypes.CDLL(str(library))
    return [Built(network, loaded, f"n{number}") for number, (network, _) in enumerate(made)]


class Judge:
    """TensorFlow Lite Micro's own runtime on one model."""

    def __init__(self, model: bytes) -> None:
        runtime = pytest.importorskip(
            "tflite_micro", reason="tflite-micro has no wheel for this platform"
        ).runtime
        self._interpreter = runtime.Interpreter.from_bytes(model, arena_size=4_000_000)
        self._outputs = len(tflite_graph.parse(model).outputs)

    def run(self, inputs: list[np.ndarray]) -> list[np.ndarray]:
        """One inference."""
        for position, values in enumerate(inputs):
            self._interpreter.set_input(values, position)
        self._interpreter.invoke()
        return [np.array(self._interpreter.get_output(position)) for position in range(self._outputs)]


def random_values(tensor: Tensor, rng: np.random.Generator, kind: int) -> np.ndarray:
    """Uniform, bell-shaped or extreme values of a tensor's type."""
    if tensor.dtype == "float32":
        return rng.normal(0, 3, tensor.shape).astype(np.float32)
    limits = np.iinfo(tensor.dtype)
    if kind % 4 == 1:
        spread = rng.normal((limits.max + limits.min) / 2, (limits.max - limits.min) / 12, tensor.shape)
        return np.clip(spread, limits.min, limits.max).astype(tensor.dtype)
    if kind % 4 == 2:
        return rng.choice([limits.min, limits.max], tensor.shape).astype(tensor.dtype)
    return rng.integers(limits.min, limits.max, tensor.shape, tensor.dtype, endpoint=True)


def compare(model: bytes, built: Built, seed: int, runs: int = 8) -> int:
    """Runs both on the same inputs, one inference after another; returns how many outputs were different."""
    graph, judge, rng, seen = built.network.graph, Judge(model), np.random.default_rng(seed), set()
    for run in range(runs):
        inputs = [random_values(graph.tensors[index], rng, run) for index in graph.inputs]
        expected = judge.run(inputs)
        for position, (ours, theirs) in enumerate(zip(built.run(inputs), expected, strict=True)):
            np.testing.assert_array_equal(
                ours,
                theirs.reshape(ours.shape),
                err_msg=f"seed {seed}, run {run}, output {position}: "
                + " ".join(operator.name for operator in graph.operators),
            )
        seen.add(b"".join(values.tobytes() for values in expected))
    return len(seen)


def assert_parity(models: dict[int, bytes], folder: Path) -> None:
    """Every model, by its seed, gives the judge's bytes; nearly all tell their inputs apart."""
    networks = build(list(models.values()), folder)
    different = [
        compare(model, built, seed) for (seed, model), built in zip(models.items(), networks, strict=True)
    ]
    assert np.mean(np.array(different) > 1) > 0.7, different
