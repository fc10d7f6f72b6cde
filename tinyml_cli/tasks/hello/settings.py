"""The sine's part of model_settings.h."""

from __future__ import annotations

from tinyml_cli.c_text import wrapped
from tinyml_cli.engines.settings_parts import int8_scale, only_input_and_output
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import TensorQuantization
from tinyml_cli.next_step import on_this_run
from tinyml_cli.tasks.hello.curve import HelloSettings, light_per_step
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import Graph


def parts(manifest: Manifest, graph: Graph) -> list[str]:
    """The points of a period as the model takes them, and the light's brightness.

    Raises:
        TinymlError: a model of more than one number.
    """
    source, target = only_input_and_output(graph)
    if source.elements != 1 or target.elements != 1:
        raise TinymlError(
            "The model does not take one number and give one",
            "model_int8.tflite",
            f"Convert the run's own model again: {on_this_run('convert')}",
        )
    settings = manifest.settings_as(HelloSettings)
    (input_scale, input_zero), (output_scale, output_zero) = int8_scale(source), int8_scale(target)
    inputs = interpret.quantize_values(
        settings.period(), TensorQuantization(scale=input_scale, zero_point=input_zero)
    )
    table = "\n".join(wrapped(str(value) for value in inputs.tolist()))
    step = light_per_step(TensorQuantization(scale=output_scale, zero_point=output_zero))
    return [
        f"""\
/* One period of the curve: x of each point as the model takes it, and the time from one to the next. */
#define CURVE_POINTS {settings.points}
#define CURVE_POINT_MS {settings.point_ms}
static const int8_t kCurveInputs[CURVE_POINTS] = {{
{table}
}};

/* Brightness of one step of y, in 65536ths of 1/255. */
#define LIGHT_PER_STEP_Q16 {step}"""
    ]
