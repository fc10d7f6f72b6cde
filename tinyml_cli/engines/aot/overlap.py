"""How far before its input an operator's output must start for both to share memory.

Blacker, Bridges and Hadfield, "Diagonal Memory Optimisation for Machine Learning on Micro-controllers"
(2020), overlap the two buffers of an operator diagonally: the output grows into input that has been read
for the last time. Let the output start `d` bytes before the input. Output byte k then overlaps input byte
k - d, so writing it is harmless if no later step reads input byte k - d; if R is the lowest byte still
to be read, k - d < R is sufficient. The smallest d that satisfies this at every write is the lead.

The functions here bound R from below by the reads of the loops in firmware/lib/tinyml_nn, and assume that
each write happens as early as possible.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sweep:
    """A window that slides over an image; sizes are (height, width), elements are bytes."""

    input_size: tuple[int, int]
    input_channels: int
    output_size: tuple[int, int]
    output_channels: int
    stride: tuple[int, int]
    padding: tuple[int, int]


def raster_lead(sweep: Sweep) -> int:
    """The lead of a kernel that reads a pixel's whole window before it writes that pixel, row by row.

    It may read further windows before it writes: writes are counted as early as possible.
    """
    rows = np.arange(sweep.output_size[0]) * sweep.stride[0] - sweep.padding[0]
    columns = np.arange(sweep.output_size[1]) * sweep.stride[1] - sweep.padding[1]
    # The lowest byte of each window, or of the image where the window begins outside of it.
    pixels = np.maximum(rows, 0)[:, None] * sweep.input_size[1] + np.maximum(columns, 0)[None, :]
    lowest = (pixels * sweep.input_channels).reshape(-1)
    still_read = np.minimum.accumulate(lowest[::-1])[::-1]
    written = np.arange(1, len(lowest)) * sweep.output_channels
    if not written.size:
        return _before_the_end(sweep)
    return int((written - still_read[1:]).max())


def row_pair_lead(sweep: Sweep) -> int:
    """The lead of tinyml_nn_depthwise_3x3_s8, which has the same channels in input and output.

    It goes through the image once for each four channels. Distances that are whole pixels keep it from
    writing channels it has not read yet, so the lead holds for multiples of a pixel only. In each pass it
    reads rows 2j and 2j + 1 of the padded input into pair j, and writes the outputs that start in pair j
    once pairs j and j + 1 are read: two rows at stride 1, one at stride 2. What is read later starts
    with pair j + 2.
    """
    height, stride, padding = sweep.output_size[0], sweep.stride[0], sweep.padding[0]
    written_rows = 2 if stride == 1 else 1
    lead = _before_the_end(sweep)
    for y in range(0, height - written_rows, written_rows):
        next_row = max(y * stride + 4 - padding, 0)
        written = (y + written_rows) * sweep.output_size[1]
        lead = max(lead, (written - next_row * sweep.input_size[1]) * sweep.output_channels)
    return lead


def line_lead(sweep: Sweep, is_column: bool) -> int:
    """The lead of tinyml_nn_depthwise_line_s8, which has the same channels in input and output.

    It goes through the image once for each four channels, see `row_pair_lead`, and reads a line, which is a
    column or a row, before it writes that line's outputs.
    """
    rows, columns = sweep.output_size
    step = sweep.stride[1] if is_column else sweep.stride[0] * sweep.input_size[1]
    lead = _before_the_end(sweep)
    for line in range(1, columns if is_column else rows):
        written = (rows - 1) * columns + line if is_column else line * columns
        lead = max(lead, (written - line * step) * sweep.output_channels)
    return lead


def rows_lead(rows: int, inputs: int, outputs: int) -> int:
    """The lead of a kernel that writes a row of outputs while it still reads that row of inputs."""
    return max(outputs, rows * outputs - (rows - 1) * inputs)


def _before_the_end(sweep: Sweep) -> int:
    """The lead when nothing is read after the first write: anywhere within the input."""
    rows, columns = sweep.input_size
    return -rows * columns * sweep.input_channels
