"""What each layer of a run's float model makes of one item."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import checks, registry
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.inspection.model_input import ModelInput, Seen
from tinyml_cli.inspection.report import InspectedModel
from tinyml_cli.models import require_tensorflow
from tinyml_cli.outcomes.inspection import SeenLayer, SeenLayers
from tinyml_cli.run import MODEL, MODEL_FLOAT32, Run
from tinyml_cli.tflite.graph import parse
from tinyml_cli.tflite.layers import LayerOutput, layer_outputs
from tinyml_cli.wording import counted

_CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


def see(subject: InspectedModel, item: Path, out: Path | None) -> SeenLayers:
    """Runs an item through a run's float model and draws what every layer makes of it.

    Args:
        subject: a run's model.
        item: a file of what the task judges.
        out: the picture; report/activations-ITEM-HASH.png in the run by default.

    Raises:
        TinymlError: a lone file, a run without a float model, or an item that cannot be read.
    """
    run = subject.run
    if run is None:
        raise TinymlError(
            "Only a run knows how an item becomes the input of its model",
            str(subject.path),
            "Give the run: tinyml inspect RUN --activations ITEM",
        )
    picture = out or run.file(f"report/activations-{_name(item)}.png")
    checks.picture(picture, apart_from=item)
    manifest = run.manifest()
    model = run.require(manifest, MODEL_FLOAT32).read_bytes()
    task = registry.task(manifest.task)
    if task.data_kind:
        checks.input_file(item, "--activations")
    taken: ModelInput = task.model_input(run, item)
    layers = layer_outputs(model, taken.values)
    last = layers[-1].values.ravel()
    labels = manifest.labels if len(manifest.labels) == len(last) else []
    answer = dict(zip(labels, map(float, last), strict=False))
    notes: list[str] = []
    heat, where = _heat(run, taken, int(last.argmax()), notes) if answer else (None, None)
    seen = Seen(taken, layers, _first_filters(model), heat, answer)
    from tinyml_cli.inspection.activation_picture import draw

    with run.writing_to(picture):
        draw(picture, seen, f"{run.path.resolve().name}: {item.name}")
    return SeenLayers(
        run=str(run.path),
        item=str(item),
        input_shape=list(taken.values.shape[1:]),
        answer=answer or None,
        layers=[_described(layer) for layer in layers],
        first_filters=None if seen.filters is None else list(seen.filters.shape),
        grad_cam=where,
        notes=notes,
        picture=str(picture),
    )


def _name(item: Path) -> str:
    """Of the picture: items of equal names in other folders have other ones."""
    if not item.is_file():
        return item.name
    return f"{item.stem}-{hashlib.sha256(str(item.resolve()).encode()).hexdigest()[:6]}"


def show(outcome: SeenLayers) -> None:
    """The table for people."""
    rows = [
        [each.name, each.op, " x ".join(map(str, each.shape)), f"{each.mean:.3g}", f"{each.zeros:.0%}"]
        for each in outcome.layers
    ]
    columns = ["layer", "operator", "shape", "mean", "zeros"]
    console.table("What each layer makes of it (float32)", columns, rows)
    for note in outcome.notes:
        console.warn(note)


def sentence(outcome: SeenLayers) -> str:
    """The last line."""
    found = ""
    if outcome.answer:
        label = max(outcome.answer, key=outcome.answer.__getitem__)
        found = f"The model answers {label} ({outcome.answer[label]:.0%}). "
    return f"{found}{counted(len(outcome.layers), 'layer')}. Picture: {outcome.picture}"


def _described(layer: LayerOutput) -> SeenLayer:
    values = layer.values.astype(np.float64)
    return SeenLayer(
        name=layer.name,
        op=layer.op,
        shape=list(values.shape[1:]),
        smallest=float(values.min()),
        largest=float(values.max()),
        mean=float(values.mean()),
        zeros=float((values == 0).mean()),
    )


def _first_filters(model: bytes) -> NDArray[Any] | None:
    graph = parse(model)
    for operator in graph.operators:
        weights = graph.input(operator, 1) if operator.name in _CONVOLUTIONS else None
        if weights is not None and weights.data is not None and weights.data.ndim == 4:
            is_depthwise = operator.name == "DEPTHWISE_CONV_2D"
            # [1, rows, columns, channels] has a kernel for each channel.
            return np.moveaxis(weights.data[0], -1, 0)[..., None] if is_depthwise else weights.data
    return None


def _heat(
    run: Run, taken: ModelInput, label: int, notes: list[str]
) -> tuple[NDArray[np.float64] | None, str | None]:
    """Grad-CAM of an image; None, with a note where it would have been wanted."""
    if taken.look != "image":
        return None, None
    try:
        model = run.require(run.manifest(), MODEL)
        require_tensorflow()
        from tinyml_cli.training.grad_cam import grad_cam

        return grad_cam(model, taken.values, label)
    except TinymlError as error:
        notes.append(f"No Grad-CAM: {error.what}. {error.next_step}")
        return None, None
