"""Builds a generated network.c for the host and for the emulated Cortex-M4, and runs it."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.store import kept
from tinyml_cli.engines.aot import compiler, emit
from tinyml_cli.files import firmware_dir
from tinyml_cli.tflite import graph as tflite_graph

WARNINGS = ("-Wall", "-Wextra", "-Werror")
M4 = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16")
HARNESS = Path(__file__).parent.parent / "firmware" / "aot_harness"
NN = firmware_dir() / "lib" / "tinyml_nn"


def generate(model: bytes, folder: Path, io: str = "arena") -> compiler.Network:
    """Writes network.{h,c} of a model into a folder."""
    return write(compiler.compile_graph(tflite_graph.parse(model), "test", io), folder)


def write(network: compiler.Network, folder: Path) -> compiler.Network:
    """Writes network.{h,c} into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "network.h").write_text(emit.header(network, "0" * 64))
    (folder / "network.c").write_text(emit.source(network))
    return network


def tflm_outputs(model: bytes, inputs: np.ndarray) -> np.ndarray:
    """What TensorFlow Lite Micro's own runtime computes: int8 [n, output bytes]."""
    runtime = pytest.importorskip(
        "tflite_micro", reason="tflite-micro has no wheel for this platform"
    ).runtime
    interpreter = runtime.Interpreter.from_bytes(model, arena_size=4_000_000)
    shape = interpreter.get_input_details(0)["shape"]
    rows = []
    for row in inputs:
        interpreter.set_input(row.reshape(shape), 0)
        interpreter.invoke()
        rows.append(interpreter.get_output(0).reshape(-1).copy())
    return np.array(rows)


def random_inputs(network: compiler.Network, count: int, seed: int) -> np.ndarray:
    """Uniform, near-constant and extreme inputs, mixed."""
    rng = np.random.default_rng(seed)
    inputs = rng.integers(-128, 128, (count, network.input.bytes)).astype(np.int8)
    inputs[1::4] = np.clip(rng.normal(0, 25, inputs[1::4].shape), -128, 127).astype(np.int8)
    inputs[2::4] = rng.integers(-128, 128, (len(inputs[2::4]), 1)).astype(np.int8)
    inputs[3::8] = np.where(inputs[3::8] < 0, -128, 127).astype(np.int8)
    return inputs


@dataclass
class HostNetwork:
    """A network.c as a shared library of this machine."""

    library: ctypes.CDLL
    input_bytes: int
    output_bytes: int
    arena_bytes: int

    def run(self, inputs: np.ndarray) -> np.ndarray:
        """int8 [n, input bytes] -> int8 [n, output bytes]; the bytes around the arena must stay."""
        guard = 64
        memory = ctypes.create_string_buffer(self.arena_bytes + 2 * guard + 16)
        start = -(-(ctypes.addressof(memory) + guard) // 16) * 16
        ctypes.memset(memory, 0x5A, len(memory))
        for name in ("network_input", "network_output"):
            getattr(self.library, name).restype = ctypes.c_void_p
        arena = ctypes.c_void_p(start)
        rows = []
        for row in inputs:
            ctypes.memmove(self.library.network_input(arena), row.tobytes(), self.input_bytes)
            assert self.library.network_invoke(arena) == 0
            rows.append(
                np.frombuffer(
                    ctypes.string_at(self.library.network_output(arena), self.output_bytes), np.int8
                )
            )
        for edge in (start - guard, start + self.arena_bytes):
            assert ctypes.string_at(edge, 48) == b"\x5a" * 48, "the network wrote outside its arena"
        return np.array(rows)


def build_host(network: compiler.Network, folder: Path, *, flags: tuple[str, ...] = ()) -> HostNetwork:
    """Compiles for this machine."""
    compiler_path = shutil.which("cc") or shutil.which("gcc")
    if compiler_path is None:
        pytest.skip("no C compiler on this machine")
    options = ("-O2", "-fPIC")
    objects = kernels(compiler_path, (*options, *flags))
    target = folder / "network.so"
    subprocess.run(
        [compiler_path, "-std=c11", "-O2", "-fPIC", "-shared", *WARNINGS, *flags,
         *includes(folder), str(folder / "network.c"), *map(str, objects),
         "-o", str(target)],
        check=True,
    )  # fmt: skip
    return HostNetwork(
        ctypes.CDLL(str(target)), network.input.bytes, network.output.bytes, network.plan.arena_bytes
    )


@dataclass
class SimRun:
    """What the emulated board answered."""

    outputs: np.ndarray
    instructions: int
    flash_bytes: int
    ram_bytes: int


def run_sim(network: compiler.Network, folder: Path, inputs: np.ndarray) -> SimRun:
    """Compiles for Cortex-M4, runs every input on QEMU's mps2-an386, counts instructions by SysTick."""
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    options = ("-O3", "-ffunction-sections", "-fdata-sections", *M4)
    gcc = "arm-none-eabi-gcc"
    objects = kernels(gcc, options)
    lines = ",\n".join("{" + ",".join(str(int(v)) for v in row) + "}" for row in inputs)
    (folder / "inputs.h").write_text(
        f"#define INPUTS {len(inputs)}\n"
        f"static const int8_t kInputs[][{network.input.bytes}] = {{\n{lines}}};\n"
    )
    elf = folder / "network.elf"
    subprocess.run(
        [gcc, "-std=c11", *options, *WARNINGS, *includes(folder), str(folder / "network.c"),
         str(HARNESS / "main.c"), *map(str, objects), "--specs=nano.specs",
         "-nostartfiles", f"-T{HARNESS / 'link.ld'}", "-Wl,--gc-sections", "-lc", "-lgcc", "-o", str(elf)],
        check=True,
    )  # fmt: skip
    qemu = subprocess.run(
        ["qemu-system-arm", "-M", "mps2-an386", "-cpu", "cortex-m4", "-icount", "shift=0", "-display", "none",
         "-monitor", "none", "-serial", "stdio", "-semihosting", "-kernel", str(elf)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    rows = re.findall(r"^out ([0-9a-f]+)$", qemu.stdout, re.M)
    ticks = re.search(r"^ticks (\d+)$", qemu.stdout, re.M)
    assert qemu.returncode == 0 and ticks, qemu.stdout[-500:] + qemu.stderr
    text, data, bss = _size(elf)
    return SimRun(
        outputs=np.array([np.frombuffer(bytes.fromhex(row), np.int8) for row in rows]),
        # 25 MHz SysTick and one instruction per nanosecond of -icount shift=0.
        instructions=int(ticks[1]) * 40,
        flash_bytes=text + data - inputs.size,
        ram_bytes=data + bss,
    )


def _size(elf: Path) -> tuple[int, int, int]:
    answer = subprocess.run(["arm-none-eabi-size", str(elf)], check=True, capture_output=True, text=True)
    text, data, bss = answer.stdout.splitlines()[1].split()[:3]
    return int(text), int(data), int(bss)


def kernels(compiler_path: str, options: tuple[str, ...]) -> list[Path]:
    """Our own kernels as objects."""
    return compiled_once(compiler_path, ("-std=c11", *options, *WARNINGS), sorted(NN.glob("*.c")))


def compiled_once(compiler_path: str, options: Sequence[str], sources: Sequence[Path]) -> list[Path]:
    """The objects of some C files, made once for all tests; they include only headers beside them."""
    headers = [path for folder in {source.parent for source in sources} for path in folder.glob("*.h")]

    def compile_all(folder: Path) -> None:
        subprocess.run([compiler_path, *options, "-c", *map(str, sources)], cwd=folder, check=True)

    folder = kept("objects", [compiler_path, options, *sorted(headers), *sources], compile_all)
    return sorted(folder.glob("*.o"))


def includes(folder: Path) -> list[str]:
    """Options that find network.h and our kernels' headers."""
    return [f"-I{folder}", f"-I{NN}"]
