"""Outputs that grow into their inputs: the proof's bound against a simulation, and the kernels at it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.engines import kernel_cases
from tests.engines.kernel_cases import Shape
from tests.engines.many_networks import Built, build, compare
from tests.engines.network_builds import generate, random_inputs, run_sim, tflm_outputs
from tinyml_cli.engines.aot.overlap import Sweep, line_lead, raster_lead, row_pair_lead
from tinyml_cli.engines.aot.plan import aligned

_WINDOWS_AT_ONCE, _LANES, _TAPS = 3, 4, 3

Access = tuple[set[int], set[int]]
"""Bytes of the input that are read, then bytes of the output that are written."""


def is_safe(steps: list[Access], distance: int) -> bool:
    """Whether no byte is read after it was written, when the output starts `distance` before the input."""
    spoilt: set[int] = set()
    for reads, writes in steps:
        if spoilt & reads:
            return False
        spoilt |= {byte - distance for byte in writes}
    return True


def raster_steps(
    sweep: Sweep, window: tuple[int, int], dilation: tuple[int, int], batch: int
) -> list[Access]:
    """A convolution that gathers `batch` windows, then writes their outputs."""
    height, width = sweep.input_size
    steps: list[Access] = []
    waiting: list[int] = []
    reads: set[int] = set()
    positions = list(itertools.product(range(sweep.output_size[0]), range(sweep.output_size[1])))
    for pixel, (y, x) in enumerate(positions):
        for i, j in itertools.product(range(window[0]), range(window[1])):
            row = y * sweep.stride[0] - sweep.padding[0] + i * dilation[0]
            column = x * sweep.stride[1] - sweep.padding[1] + j * dilation[1]
            if 0 <= row < height and 0 <= column < width:
                first = (row * width + column) * sweep.input_channels
                reads |= set(range(first, first + sweep.input_channels))
        waiting.append(pixel)
        if len(waiting) == batch or pixel == len(positions) - 1:
            outputs = sweep.output_channels
            steps.append((reads, {p * outputs + c for p in waiting for c in range(outputs)}))
            reads, waiting = set(), []
    return steps


def row_pair_steps(sweep: Sweep) -> list[Access]:
    """The depthwise kernel: four channels at a time, pairs of input rows, one or two rows of outputs."""
    channels, rows_at_once = sweep.output_channels, 2 if sweep.stride[0] == 1 else 1
    steps: list[Access] = []
    for first in range(0, channels, _LANES):
        lanes = range(first, min(first + _LANES, channels))

        def pair(index: int, lanes: range = lanes) -> set[int]:
            rows = [2 * index - sweep.padding[0] + k for k in (0, 1)]
            return {
                (row * sweep.input_size[1] + column) * channels + lane
                for row in rows
                if 0 <= row < sweep.input_size[0]
                for column in range(sweep.input_size[1])
                for lane in lanes
            }

        steps.append((pair(0), set()))
        for number, y in enumerate(range(0, sweep.output_size[0], rows_at_once), start=1):
            written = range(y, min(y + rows_at_once, sweep.output_size[0]))
            width = sweep.output_size[1]
            steps.append(
                (
                    pair(number),
                    {(r * width + x) * channels + c for r in written for x in range(width) for c in lanes},
                )
            )
    return steps


def of_lanes(step: Access, channels: int, lanes: range) -> Access:
    """The part of an access that concerns some channels."""
    reads, writes = ({byte for byte in bytes_ if byte % channels in lanes} for bytes_ in step)
    return reads, writes


def line_steps(sweep: Sweep, is_column: bool) -> list[Access]:
    """The depthwise kernel of lines: four channels at a time, a line of inputs, then its outputs."""
    channels, steps = sweep.output_channels, []
    for first in range(0, channels, _LANES):
        for line in range(sweep.output_size[1] if is_column else sweep.output_size[0]):
            sides = []
            for (rows, columns), at in (
                (sweep.input_size, line * sweep.stride[1 if is_column else 0]),
                (sweep.output_size, line),
            ):
                pixels = [y * columns + at for y in range(rows)] if is_column else (
                    [at * columns + x for x in range(columns)])  # fmt: skip
                sides.append({pixel * channels + c for pixel in pixels for c in range(channels)})
            steps.append(of_lanes((sides[0], sides[1]), channels, range(first, first + _LANES)))
    return steps


@st.composite
def geometries(draw: st.DrawFn) -> tuple[Sweep, tuple[int, int], tuple[int, int]]:
    """A convolution: sweep, window, dilation."""
    size, window, stride, dilation, output, padding = [], [], [], [], [], []
    same = draw(st.booleans())
    for _ in range(2):
        window.append(draw(st.integers(1, 4)))
        stride.append(draw(st.integers(1, 3)))
        dilation.append(draw(st.integers(1, 2)))
        size.append(draw(st.integers(1, 9)))
        reach = (window[-1] - 1) * dilation[-1] + 1
        output.append(-(-size[-1] // stride[-1]) if same else (size[-1] - reach) // stride[-1] + 1)
        assume(output[-1] >= 1)
        padding.append(max((output[-1] - 1) * stride[-1] + reach - size[-1], 0) // 2 if same else 0)
    channels = st.integers(1, 6)
    sweep = Sweep(
        (size[0], size[1]), draw(channels), (output[0], output[1]), draw(channels), (stride[0], stride[1]),
        (padding[0], padding[1]),
    )  # fmt: skip
    return sweep, (window[0], window[1]), (dilation[0], dilation[1])


@settings(deadline=None, max_examples=150)
@given(geometry=geometries(), extra=st.integers(0, 40))
def test_from_its_lead_on_a_convolution_reads_nothing_it_has_written(
    geometry: tuple[Sweep, tuple[int, int], tuple[int, int]], extra: int
) -> None:
    sweep, window, dilation = geometry
    lead = raster_lead(sweep)
    for batch in (1, _WINDOWS_AT_ONCE):
        assert is_safe(raster_steps(sweep, window, dilation, batch), lead + extra)


def test_one_byte_less_is_too_little() -> None:
    sweep = Sweep((8, 8), 4, (8, 8), 4, (1, 1), (1, 1))
    steps = raster_steps(sweep, (3, 3), (1, 1), batch=1)
    assert is_safe(steps, raster_lead(sweep))
    assert not is_safe(steps, raster_lead(sweep) - 1)
    deep = Sweep((8, 8), 4, (8, 8), 16, (1, 1), (0, 0))
    assert raster_lead(deep) == 63 * (16 - 4)
    assert not is_safe(raster_steps(deep, (1, 1), (1, 1), batch=1), raster_lead(deep) - 1)


@settings(deadline=None, max_examples=100)
@given(
    height=st.integers(1, 10),
    width=st.integers(1, 6),
    channels=st.integers(1, 10),
    stride=st.sampled_from([1, 2]),
    same=st.booleans(),
    pixels=st.integers(0, 20),
)
def test_from_its_lead_on_the_depthwise_kernel_reads_nothing_it_has_written(
    height: int, width: int, channels: int, stride: int, same: bool, pixels: int
) -> None:
    assume(same or min(height, width) >= _TAPS)
    output, padding = [], []
    for size in (height, width):
        output.append(-(-size // stride) if same else (size - _TAPS) // stride + 1)
        padding.append(max((output[-1] - 1) * stride + _TAPS - size, 0) // 2 if same else 0)
    sweep = Sweep(
        (height, width),
        channels,
        (output[0], output[1]),
        channels,
        (stride, stride),
        (padding[0], padding[1]),
    )
    lead = row_pair_lead(sweep)
    assert lead % channels == 0
    assert is_safe(row_pair_steps(sweep), lead + pixels * channels)
    if stride == 1 and sweep.input_size == sweep.output_size:
        assert lead <= 0, "in place is always possible"


@settings(deadline=None, max_examples=100)
@given(geometry=geometries(), channels=st.integers(1, 10), pixels=st.integers(0, 20))
def test_from_its_lead_on_channels_that_are_apart_read_nothing_they_have_written(
    geometry: tuple[Sweep, tuple[int, int], tuple[int, int]], channels: int, pixels: int
) -> None:
    """Pools, and depthwise windows: four channels of a window at a time, the last four perhaps twice."""
    sweep, window, dilation = geometry
    sweep = replace(sweep, input_channels=channels, output_channels=channels)
    steps = []
    for step in raster_steps(sweep, window, dilation, batch=1):
        steps += [of_lanes(step, channels, range(c, c + _LANES)) for c in range(0, channels, _LANES)]
    assert is_safe(steps, raster_lead(sweep) + pixels * channels)


@settings(deadline=None, max_examples=100)
@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    is_column=st.booleans(),
    pixels=st.integers(0, 20),
)
def test_from_its_lead_on_the_kernel_of_lines_reads_nothing_it_has_written(
    size: tuple[int, int], stride: tuple[int, int], is_column: bool, pixels: int
) -> None:
    outputs = (-(-size[0] // stride[0]), -(-size[1] // stride[1]))
    sweep = Sweep(size, 8, outputs, 8, stride, (1, 0) if is_column else (0, 1))
    assert is_safe(line_steps(sweep, is_column), line_lead(sweep, is_column) + 8 * pixels)


SHAPES = {
    "same_3x3": Shape("CONV_2D", (9, 8, 8), 8, window=(3, 3)),
    "grows": Shape("CONV_2D", (7, 9, 4), 19, window=(3, 2)),
    "strided": Shape("CONV_2D", (12, 11, 3), 8, window=(3, 3), stride=(2, 2)),
    "valid": Shape("CONV_2D", (11, 9, 5), 6, window=(4, 3), padding="VALID"),
    "dilated": Shape("CONV_2D", (12, 12, 4), 6, window=(3, 3), dilation=(2, 2)),
    "tall": Shape("CONV_2D", (25, 5, 1), 16, window=(10, 4), stride=(2, 2)),
    "pointwise": Shape("CONV_2D", (6, 5, 16), 16),
    "pointwise_grows": Shape("CONV_2D", (6, 5, 7), 30),
    "pointwise_shrinks": Shape("CONV_2D", (6, 5, 30), 7, activation="RELU"),
    "pointwise_strided": Shape("CONV_2D", (9, 7, 8), 12, stride=(2, 2)),
    "depthwise": Shape("DEPTHWISE_CONV_2D", (9, 7, 10), 1, window=(3, 3)),
    "depthwise_odd": Shape("DEPTHWISE_CONV_2D", (8, 6, 5), 1, window=(3, 3), activation="RELU6"),
    "depthwise_strided": Shape("DEPTHWISE_CONV_2D", (10, 9, 12), 1, window=(3, 3), stride=(2, 2)),
    "depthwise_column": Shape("DEPTHWISE_CONV_2D", (12, 1, 12), 1, window=(5, 1)),
    "depthwise_columns": Shape("DEPTHWISE_CONV_2D", (12, 3, 8), 1, window=(3, 1), stride=(2, 2)),
    "depthwise_rows": Shape("DEPTHWISE_CONV_2D", (6, 9, 12), 1, window=(1, 4)),
    "depthwise_large": Shape("DEPTHWISE_CONV_2D", (9, 8, 10), 1, window=(5, 5)),
    "depthwise_dilated": Shape("DEPTHWISE_CONV_2D", (9, 8, 3), 1, window=(3, 3), dilation=(2, 2)),
    "average": Shape("AVERAGE_POOL_2D", (9, 8, 6), 1, window=(3, 3), stride=(2, 2)),
    "largest": Shape("MAX_POOL_2D", (9, 8, 8), 1, window=(2, 3), padding="VALID"),
    "depthwise_valid": Shape("DEPTHWISE_CONV_2D", (9, 9, 8), 1, window=(3, 3), padding="VALID"),
}  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[bytes, Built]]:
    models = {name: kernel_cases.make(shape, seed).model for seed, (name, shape) in enumerate(SHAPES.items())}
    networks = build(list(models.values()), tmp_path_factory.mktemp("overlaps") / "all")
    return dict(zip(models, zip(models.values(), networks, strict=True), strict=True))


@pytest.mark.parametrize("name", SHAPES)
def test_kernels_write_over_their_input(name: str, built: dict[str, tuple[bytes, Built]]) -> None:
    model, network = built[name]
    made = network.network
    apart = sum(aligned(buffer.bytes) for buffer in made.buffers)
    assert made.sharings and made.plan.arena_bytes < apart
    assert compare(model, network, seed=3) > 1


@pytest.mark.parametrize(
    "name",
    [
        "depthwise_strided",
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("same_3x3", "pointwise_grows", "depthwise_odd")),
    ],
)
def test_the_cortex_m4_does_too(name: str, tmp_path: Path) -> None:
    model = kernel_cases.make(SHAPES[name], 7).model
    network = generate(model, tmp_path)
    inputs = random_inputs(network, 8, seed=9)
    outputs = run_sim(network, tmp_path, inputs).outputs
    expected = tflm_outputs(model, inputs).reshape(len(inputs), -1)
    np.testing.assert_array_equal(outputs, expected)
