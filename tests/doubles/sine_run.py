"""A run of `hello` whose model draws a sine: made tensor by tensor, without TensorFlow."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.engines.flatbuffer_models import Model
from tinyml_cli.engines.export import export
from tinyml_cli.files import write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Quantization
from tinyml_cli.recipes.hello import HelloRecipe
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8, RECIPE, Run
from tinyml_cli.tasks.hello.curve import PERIOD, HelloSettings
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse

HINGES = 16
RECIPE_OF_IT = HelloRecipe.model_validate({"light": {"points": 64, "period_ms": 640}})


def hinges() -> tuple[np.ndarray, np.ndarray]:
    """Where sixteen straight pieces of a sine begin, and by how much each is steeper than the last."""
    at = np.linspace(0, PERIOD, HINGES + 1)
    slopes = np.diff(np.sin(at)) / (PERIOD / HINGES)
    return at[:-1], np.diff(slopes, prepend=0)


def model(*, is_float: bool = False) -> bytes:
    """A layer with ReLU that has a hinge in each neuron, and one that adds them up."""
    network, (at, steeper) = Model(), hinges()
    options = {"dtype": "float32"} if is_float else {}
    step, weight = PERIOD / 255, float(np.abs(steeper).max() / 127)

    def constant(values: np.ndarray, scale: float, kind: str) -> int:
        if is_float:
            return network.tensor(values.shape, None, dtype="float32", data=values)
        return network.tensor(values.shape, scale, dtype=kind, data=np.rint(values / scale))

    x = network.tensor((1, 1), step, -128, **options)
    hidden = network.tensor((1, HINGES), step, -128, **options)
    y = network.tensor((1, 1), 1 / 120, 0, **options)
    first = [constant(np.ones((HINGES, 1)), 1 / 127, "int8"), constant(-at, step / 127, "int32")]
    second = [constant(steeper[None], weight, "int8"), constant(np.zeros(1), step * weight, "int32")]
    network.operator(
        "FULLY_CONNECTED", [x, *first], [hidden], "FullyConnectedOptions", fusedActivationFunction=1
    )
    network.operator("FULLY_CONNECTED", [hidden, *second], [y], "FullyConnectedOptions")
    return network.build([x], [y])


def make(path: Path) -> Run:
    """The run, converted and exported for the engine aot."""
    run = Run.create(path)
    write_atomic(run.file(MODEL_INT8), model())
    write_atomic(run.file(MODEL_FLOAT32), model(is_float=True))
    write_atomic(run.file(RECIPE), RECIPE_OF_IT.to_yaml())
    source, target = interpret.io_quantization(parse(model()))
    manifest = Manifest(
        task="hello",
        seed=1,
        task_settings=HelloSettings.of(RECIPE_OF_IT).model_dump(),
        quantization=Quantization(method="ptq", calibration_samples=1, input=source, output=target),
    )
    for name in (MODEL_INT8, MODEL_FLOAT32):
        run.record(manifest, name, "tinyml convert")
    run.save(manifest)
    export(run, "aot")
    return run
