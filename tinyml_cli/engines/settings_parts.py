"""Parts of model_settings.h that several tasks share, and their requirements on the model."""

from __future__ import annotations

import colorsys
from collections.abc import Collection

from tinyml_cli.c_text import string_literal, wrapped
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest import Manifest
from tinyml_cli.next_step import on_this_run
from tinyml_cli.tflite.graph import Graph, Tensor
from tinyml_cli.wording import counted

DARK_LABELS = ("silence", "unknown")
# The first word is green, as people expect of "heard"; the others share out the circle of hues.
_FIRST_HUE = 120 / 360


def label_colors(labels: list[str], dark: Collection[str | None] = DARK_LABELS) -> list[tuple[int, int, int]]:
    """One (red, green, blue) of 0..255 per label: hues far apart, black for those in `dark`."""
    words = [label for label in labels if label not in dark]
    hues = {word: (_FIRST_HUE + index / len(words)) % 1.0 for index, word in enumerate(words)}
    return [_rgb(hues[label]) if label in hues else (0, 0, 0) for label in labels]


def label_tables(manifest: Manifest, dark: Collection[str | None] = DARK_LABELS) -> str:
    """LABEL_COUNT, kLabels and kLabelColors."""
    names = "\n".join(wrapped(string_literal(label) for label in manifest.labels))
    colors = "\n".join(wrapped(f"{{{r}, {g}, {b}}}" for r, g, b in label_colors(manifest.labels, dark)))
    return f"""\
#define LABEL_COUNT {len(manifest.labels)}
static const char* const kLabels[LABEL_COUNT] = {{
{names}
}};

/* Red, green, blue of each label's light. */
static const uint8_t kLabelColors[LABEL_COUNT][3] = {{
{colors}
}};"""


def only_input_and_output(graph: Graph) -> tuple[Tensor, Tensor]:
    """The model's input and output.

    Raises:
        TinymlError: it has several.
    """
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise TinymlError(
            f"The model has {counted(len(graph.inputs), 'input')} and "
            f"{counted(len(graph.outputs), 'output')}; the firmware supports one of each",
            "model_int8.tflite",
            "Convert a model with one input and one output.",
        )
    return graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]


def check_labels(manifest: Manifest, target: Tensor) -> None:
    """Refuses an output that is not one score per label.

    Raises:
        TinymlError: the numbers differ.
    """
    if not manifest.labels or len(manifest.labels) != target.elements:
        raise TinymlError(
            f"The model gives {counted(target.elements, 'score')}, but the manifest has "
            f"{counted(len(manifest.labels), 'label')}",
            "model_int8.tflite",
            f"Convert the run's own model again: {on_this_run('convert')}",
        )


def int8_scale(tensor: Tensor) -> tuple[float, int]:
    """Scale and zero point of an int8 tensor.

    Raises:
        TinymlError: it is of another type.
    """
    if tensor.dtype != "int8" or tensor.quantization is None:
        raise TinymlError(
            f"The model's {tensor.label} is {tensor.dtype}, not quantised int8",
            "model_int8.tflite",
            "Quantise the whole model to int8: tinyml quantize, then tinyml convert.",
        )
    return float(tensor.quantization.scales[0]), int(tensor.quantization.zero_points[0])


def _rgb(hue: float) -> tuple[int, int, int]:
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(hue, 1.0, 1.0))
    return red, green, blue
