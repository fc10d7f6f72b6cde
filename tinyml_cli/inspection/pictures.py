"""Histograms of weights and activations. Imports matplotlib, so import this module only to draw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.inspection.report import InspectedModel, weight_pairs
from tinyml_cli.pages import pictures
from tinyml_cli.tflite import anatomy, layers
from tinyml_cli.wording import counted

WEIGHTS = "weights.png"
ACTIVATIONS = "activations.png"

_DPI = 110
_COLUMNS = 4
_MOST_PANELS = 24
_BINS = 64
_SAMPLES = 16
_FLOAT_COLOUR, _INT8_COLOUR, _RANGE_COLOUR = "#9db7d5", "#c23b22", "#5b6770"


@dataclass(frozen=True)
class Panel:
    """One histogram: values before (None where not known) and after quantisation, and what int8 can hold."""

    title: str
    before: npt.NDArray[Any] | None
    after: npt.NDArray[Any]
    limits: tuple[float, float] | None = None


def draw(subject: InspectedModel, folder: Path) -> list[Path]:
    """Writes weights.png, and activations.png where float model and calibration samples are at hand.

    Raises:
        TinymlError: the run's two models are not the same network.
    """
    paths = []
    name = subject.path.name if subject.run is None else subject.run.path.resolve().name
    if panels := weight_panels(subject):
        paths.append(folder / WEIGHTS)
        _figure(paths[-1], panels, f"{name}: weights in real units")
    if subject.float_model is not None and subject.inputs:
        paths.append(folder / ACTIVATIONS)
        _figure(
            paths[-1],
            activation_panels(subject),
            f"{name}: activations on {counted(_samples(subject), 'sample')}",
        )
    return paths


def weight_panels(subject: InspectedModel) -> list[Panel]:
    """The weights of each operator that has some, before and after where the run has a float model."""
    if subject.float_model is not None:
        return [
            Panel(f"{title} {_shape(after.shape)}", _flat(before), _flat(after))
            for title, before, after in weight_pairs(subject.float_model, subject.graph)
        ]
    panels = []
    for tensor in subject.graph.tensors:
        values = anatomy.real_values(tensor)
        if values is not None and len(tensor.shape) > 1:
            panels.append(Panel(f"tensor {tensor.index} {_shape(tensor.shape)}", None, values.ravel()))
    return panels


def activation_panels(subject: InspectedModel) -> list[Panel]:
    """The values of each activation in both models, and the ends of the int8 range."""
    assert subject.float_model is not None
    inputs = [values[: _samples(subject)] for values in subject.inputs]
    return [
        Panel(
            f"{pair.name} ({pair.op.lower()})",
            exact,
            restored,
            (
                (-128 - pair.grid.zero_point) * pair.grid.scale,
                (127 - pair.grid.zero_point) * pair.grid.scale,
            ),
        )
        for pair, exact, restored in layers.activation_values(subject.float_model, subject.data, inputs)
    ]


def _samples(subject: InspectedModel) -> int:
    return min(_SAMPLES, len(subject.inputs[0]))


def _flat(tensor: Any) -> npt.NDArray[Any]:
    return np.asarray(anatomy.real_values(tensor)).ravel()


def _shape(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def _figure(path: Path, panels: Sequence[Panel], title: str) -> None:
    shown = panels[:_MOST_PANELS]
    columns = min(_COLUMNS, len(shown))
    rows = math.ceil(len(shown) / columns)
    figure = pictures.new(3.1 * columns, 2.1 * rows + 0.7)
    if len(panels) > len(shown):
        title += f" (the first {len(shown)} of {len(panels)})"
    before = any(panel.before is not None for panel in shown)
    key = "filled: float32; line: int8" if before else "as stored"
    figure.suptitle(f"{title}\n{key}; counts on a logarithmic scale", fontsize=9, x=0.01, ha="left")
    for number, panel in enumerate(shown):
        _panel(figure.add_subplot(rows, columns, number + 1), panel)
    pictures.write(path, figure, _DPI)


def _panel(axes: Any, panel: Panel) -> None:
    sides = [values[np.isfinite(values)] for values in (panel.before, panel.after) if values is not None]
    low = min((float(values.min()) for values in sides if values.size), default=0.0)
    high = max((float(values.max()) for values in sides if values.size), default=1.0)
    edges = np.linspace(low, high if high > low else low + 1e-6, _BINS + 1)
    if panel.before is not None:
        axes.hist(sides[0], edges, histtype="stepfilled", color=_FLOAT_COLOUR)
        axes.hist(sides[-1], edges, histtype="step", color=_INT8_COLOUR, linewidth=0.8)
    else:
        axes.hist(sides[-1], edges, histtype="stepfilled", color=_FLOAT_COLOUR)
    for limit in panel.limits or ():
        if low <= limit <= high:
            axes.axvline(limit, color=_RANGE_COLOUR, linewidth=0.8, linestyle=":")
    axes.set_yscale("log")
    axes.set_title(panel.title, fontsize=7, loc="left")
    axes.minorticks_off()
    axes.tick_params(labelsize=6)
