"""Convolution and dense kernels on a grid of shapes: the right bytes, and no other bytes touched."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.engines.kernel_cases import KINDS, Case, Shape, make

REPOSITORY = Path(__file__).resolve().parents[2]
NN = REPOSITORY / "firmware" / "lib" / "tinyml_nn"
HARNESS = Path(__file__).parent / "kernel_harness"
HOST_IO = Path(__file__).parent / "frontend_harness"
# What the harness calls; sanitizers make compiling slow.
SOURCES = ("*columns", "convolve_*s8", "depthwise_*", "fully_connected_*", "four_rows", "pool_s8")
SIM_SCRIPT = REPOSITORY / "firmware" / "platforms" / "tinyml-local" / "ldscripts" / "sim.ld"
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{NN}", f"-I{HOST_IO}"]
SANITIZERS = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
CORTEX_M4 = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]
QEMU = [
    "qemu-system-arm",
    "-M",
    "mps2-an386",
    "-cpu",
    "cortex-m4",
    "-display",
    "none",
    "-monitor",
    "none",
    "-serial",
    "none",
    "-semihosting",
    "-kernel",
]

CONV, DEPTHWISE, DENSE = "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"
POINTWISE = [
    Shape(CONV, (1, pixels, channels), outputs)
    for pixels, channels, outputs in [
        *((pixels, 8, 4) for pixels in range(1, 8)),
        *((4, channels, 3) for channels in range(1, 18)),
        *((5, 6, outputs) for outputs in range(1, 6)),
        (7, 33, 17),
        (3, 64, 64),
        (2, 70, 69),
        (5, 128, 2),
        (3, 136, 5),
        (1, 600, 5),
    ]
]
STRIDED_POINTWISE = [Shape(CONV, (7, 5, 6), 3, stride=stride) for stride in [(1, 2), (2, 1), (2, 2), (3, 3)]]
WINDOWS = [
    Shape(CONV, (9, 8, channels), 5, window, stride, padding=padding)
    for channels in (1, 2, 3, 4, 7)
    for window, stride in [
        ((3, 3), (1, 1)),
        ((3, 3), (2, 2)),
        ((10, 4), (2, 2)),
        ((1, 5), (1, 3)),
        ((4, 1), (3, 1)),
    ]
    for padding in ("SAME", "VALID")
    if padding == "SAME" or window[0] <= 9
]
DILATED = [
    Shape(CONV, (9, 9, channels), 4, (3, 3), dilation=dilation, padding=padding)
    for channels in (1, 4, 5)
    for dilation in [(2, 2), (1, 2), (3, 1)]
    for padding in ("SAME", "VALID")
]
LARGE = [
    Shape(CONV, (6, 6, 16), 16, (3, 3)),
    Shape(CONV, (4, 4, 64), 6, (3, 3)),
    Shape(CONV, (2, 3, 5), 3, (5, 5)),
    Shape(CONV, (1, 40, 8), 6, (1, 7)),
    Shape(CONV, (40, 1, 3), 6, (7, 1), (2, 1)),
    Shape(CONV, (1, 1, 5), 3, (3, 3)),
]
DEPTHWISE_3X3 = [
    Shape(DEPTHWISE, (height, width, channels), 1, (3, 3), stride, padding=padding)
    for height, width in [(1, 1), (2, 2), (3, 4), (5, 3), (6, 7), (9, 1), (1, 9)]
    for channels in (1, 4, 6, 9)
    for stride in [(1, 1), (2, 2)]
    for padding in ("SAME", "VALID")
    if padding == "SAME" or min(height, width) >= 3
] + [Shape(DEPTHWISE, (5, 5, channels), 1, (3, 3)) for channels in (2, 3, 5, 64, 70)]
DEPTHWISE_ANY = [
    *(
        Shape(DEPTHWISE, (9, 8, channels), 1, window, stride, dilation, padding)
        for channels in (2, 3, 4, 7, 12)
        for window, stride, dilation in [
            ((1, 1), (1, 1), (1, 1)),
            ((5, 3), (1, 1), (1, 1)),
            ((1, 5), (1, 2), (1, 1)),
            ((4, 2), (2, 1), (1, 1)),
            ((3, 3), (1, 1), (2, 3)),
        ]
        for padding in ("SAME", "VALID")
    ),
    *(Shape(DEPTHWISE, (6, 5, channels), outputs, (3, 3)) for channels in (2, 4) for outputs in (2, 3)),
    *(Shape(DEPTHWISE, (length, 1, 10), 1, (length, 1), padding="VALID") for length in range(2, 10)),
    *(Shape(DEPTHWISE, (length, 1, 8), 1, (9, 1), (2, 2)) for length in (1, 2, 5, 20)),
]
DEPTHWISE_LINE = [
    Shape(DEPTHWISE, (*image, channels), 1, window, (stride, stride), padding=padding)
    for channels, image, window in [
        *((8, (13, 1), (taps, 1)) for taps in range(2, 8)),
        *((11, (1, length), (1, 5)) for length in (3, 6, 9)),
        (9, (9, 3), (3, 1)),
        (12, (2, 8), (1, 4)),
        (8, (3, 1), (9, 1)),
    ]
    for stride in (1, 2, 3)
    for padding in ("SAME", "VALID")
    if padding == "SAME" or (image[0] >= window[0] and image[1] >= window[1])
]
PLAIN = [
    replace(shape, **changes)
    for shape in (
        Shape(CONV, (5, 6, 3), 6, (3, 3)),
        Shape(CONV, (4, 5, 8), 3),
        Shape(DEPTHWISE, (5, 6, 7), 1, (3, 3)),
        Shape(DEPTHWISE, (5, 6, 3), 2, (3, 2)),
        Shape(DENSE, (2, 1, 21), 6),
        Shape(DENSE, (1, 1, 20), 6, per_channel=False),
    )
    for changes in ({"weights": "minus_128"}, {"gain": 600.0}, {"gain": 600.0, "zero_points": (3, -7)})
] + [Shape(CONV, (3, 3, 600), 4, weights="largest")]
POOLS = [
    Shape(operator, image, 1, window, stride, padding=padding, activation=activation, zero_points=(-9, -9))
    for operator in ("AVERAGE_POOL_2D", "MAX_POOL_2D")
    for image, window, stride in [
        ((7, 6, 1), (3, 3), (2, 2)),
        ((7, 6, 7), (2, 3), (1, 2)),
        ((5, 5, 8), (5, 5), (5, 5)),
        ((3, 4, 5), (1, 1), (1, 1)),
        ((18, 16, 4), (18, 16), (1, 1)),
        ((20, 20, 5), (19, 18), (1, 1)),
    ]
    for padding in ("SAME", "VALID")
    for activation in ("NONE", "RELU6")
]
ONE_CHANNEL = [Shape(DEPTHWISE, (12, 10, 1), outputs, (10, 8), (2, 2)) for outputs in (1, 2, 7, 8)] + [
    Shape(DEPTHWISE, (6, 6, 1), 3, (3, 3), dilation=(2, 2))
]
DENSE_SHAPES = [
    Shape(DENSE, (rows, 1, inputs), outputs, per_channel=per_channel)
    for rows, inputs, outputs in [
        *((1, inputs, 4) for inputs in range(1, 12)),
        *((1, 8, outputs) for outputs in range(1, 10)),
        (2, 13, 7),
        (5, 16, 3),
        (1, 512, 5),
        (1, 516, 5),
        (1, 1027, 9),
        (1, 4000, 4),
        (2, 36, 9),
        (3, 128, 8),
    ]
    for per_channel in (False, True)
]
DENSE_SHAPES += [
    # All weights and all inputs at their largest: sums of more than 24 bits.
    Shape(DENSE, (1, 1, inputs), 6, zero_points=(0, 0), weights="largest")
    for inputs in (508, 512, 516, 520, 1024, 1027)
]
BASES = (
    Shape(CONV, (4, 5, 9), 7),
    Shape(CONV, (5, 6, 3), 6, (3, 3)),
    Shape(CONV, (5, 4, 4), 5, (3, 3), (2, 2)),
    Shape(DEPTHWISE, (5, 6, 7), 1, (3, 3)),
    Shape(DEPTHWISE, (7, 6, 7), 1, (3, 3), (2, 2)),
    Shape(DEPTHWISE, (7, 6, 9), 1, (4, 3)),
    Shape(DEPTHWISE, (9, 1, 9), 1, (4, 1)),
    Shape(DENSE, (2, 1, 22), 6),
)
ARITHMETIC = [
    replace(base, **changes)
    for base in BASES
    for changes in [
        *(
            {"zero_points": zero_points}
            for zero_points in [(127, -128), (-128, 127), (0, 0), (127, 127), (-3, 17)]
        ),
        *(
            {"activation": activation, "zero_points": (-7, -20)}
            for activation in ("RELU", "RELU6", "RELU_N1_TO_1")
        ),
        *({"weights": weights} for weights in ("extreme", "largest", "dead")),
        *({"gain": gain, "zero_points": (5, -9)} for gain in (2.0**-20, 2.0**-6, 4.0, 20.0)),
    ]
]
SHAPES = [
    *POINTWISE,
    *STRIDED_POINTWISE,
    *WINDOWS,
    *DILATED,
    *LARGE,
    *DEPTHWISE_3X3,
    *DEPTHWISE_ANY,
    *DEPTHWISE_LINE,
    *PLAIN,
    *POOLS,
    *ONE_CHANNEL,
    *DENSE_SHAPES,
    *ARITHMETIC,
]


@cache
def cases() -> list[Case]:
    return [make(shape, seed) for seed, shape in enumerate(SHAPES)]


def build(target: str, folder: Path) -> list[str]:
    tools = {"native": ["gcc"], "sim": ["arm-none-eabi-gcc", "qemu-system-arm"]}[target]
    for tool in tools:
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool} here")
    program = str(folder / "kernels")
    sources = [HARNESS / "main.c", *(path for name in SOURCES for path in sorted(NN.glob(f"{name}.c")))]
    command = [tools[0], *STRICT, *map(str, sources), "-o", program]
    if target == "native":
        subprocess.run([*command, *SANITIZERS, str(HOST_IO / "host_io_native.c")], check=True)
        return [program]
    options = [
        "-O3",
        *CORTEX_M4,
        "-ffunction-sections",
        "-Wl,--gc-sections",
        "-nostartfiles",
        f"-T{SIM_SCRIPT}",
    ]
    subprocess.run(
        [*command, *options, "--specs=nano.specs", str(HOST_IO / "host_io_semihosting.c")], check=True
    )
    return [*QEMU, program]


@pytest.mark.parametrize("target", ["native", "sim"])
def test_kernels_equal_tflm_and_stay_in_bounds(target: str, tmp_path: Path) -> None:
    """Exit codes: 2 too large, 3 a guard byte changed, 5 the result differs when it overwrites the input."""
    ours = cases()
    runner = build(target, tmp_path)
    records = b"".join(case.record(number) for number, case in enumerate(ours))
    (tmp_path / "job.bin").write_bytes(np.int32(len(ours)).tobytes() + records)
    process = subprocess.run(runner, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    outputs = np.fromfile(tmp_path / "outputs.bin", np.int8)
    assert outputs.size == sum(case.expected.size for case in ours)
    at = 0
    for case in ours:
        actual = outputs[at : at + case.expected.size].reshape(case.expected.shape)
        at += case.expected.size
        np.testing.assert_array_equal(actual, case.expected, str(case.shape))


def test_kernels_cover_what_they_should() -> None:
    """Plain kernels take only what the packed ones cannot."""
    by_kind = {kind: [case.shape for case in cases() if case.function == kind] for kind in KINDS}
    plain = [shape for kind, shapes in by_kind.items() for shape in shapes if "plain" in kind]
    assert min(len(by_kind[kind]) for kind in KINDS if "plain" not in kind) >= 20
    assert all(by_kind[kind] for kind in KINDS)
    assert all(shape.gain >= 4 or shape.weights in ("minus_128", "largest") for shape in plain), plain
    assert set(PLAIN) - set(plain) <= {shape for shape in PLAIN if shape.operator == DEPTHWISE}
    varied = [len(np.unique(case.expected)) > 3 for case in cases() if case.shape.gain == 1]
    assert np.mean(varied) > 0.8, "most cases give hardly any different outputs"
