"""The settings of the application `wand` in model_settings.h."""

from __future__ import annotations

import math

from tinyml_cli.engines.settings_parts import check_labels, int8_scale, label_tables, only_input_and_output
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.gesture_settings import UNKNOWN, GestureInput, ImuInput
from tinyml_cli.features.image import pixel_transform
from tinyml_cli.features.raster import CHANNELS, SIZE
from tinyml_cli.features.signal import multipliers
from tinyml_cli.manifest import Manifest
from tinyml_cli.next_step import on_this_run, train_this_run
from tinyml_cli.tflite.graph import Graph, Tensor
from tinyml_cli.wording import counted

_MOTION_VALUES = 6


def parts(manifest: Manifest, graph: Graph) -> list[str]:
    """Labels, the threshold, and how motion becomes the model's input.

    Raises:
        TinymlError: manifest and model do not fit each other.
    """
    source, target = only_input_and_output(graph)
    check_labels(manifest, target)
    gesture = manifest.gesture
    if gesture is None:
        raise TinymlError(
            "The manifest has no wand settings",
            "manifest.json",
            f"Train the run again: {train_this_run(manifest.task)}",
        )
    makes_input = _strokes(gesture, source) if gesture.imu is None else _motion(gesture.imu, source)
    return [label_tables(manifest, (UNKNOWN,)), _threshold(gesture, target), makes_input]


def _threshold(gesture: GestureInput, target: Tensor) -> str:
    scale, zero_point = int8_scale(target)
    # A score counts from the threshold on, as the host has it: scale * (q - zero_point) >= threshold.
    lowest = next((q for q in range(-128, 128) if scale * (q - zero_point) >= gesture.threshold), 127)
    return f"""\
/* Samples a second, and the lowest output that counts as a gesture: a score of {gesture.threshold:g}. */
#define SAMPLE_RATE_MILLIHZ {round(gesture.rate_hz * 1000)}u
#define GESTURE_THRESHOLD_Q ({lowest})"""


def _strokes(gesture: GestureInput, source: Tensor) -> str:
    _check_size(source, SIZE * SIZE * CHANNELS)
    scale, zero_point = int8_scale(source)
    transform = pixel_transform(scale, zero_point, 0.0, 1.0)
    return f"""\
/* The model sees the picture of a stroke; a pixel p becomes clamp((p * MULTIPLIER + OFFSET) >> SHIFT). */
#define WAND_STROKE 1
#define WAND_ROTATION_INVARIANT {int(gesture.rotation_invariant)}
#define PIXEL_MULTIPLIER {transform.multiplier}
#define PIXEL_OFFSET ({transform.offset})
#define PIXEL_SHIFT {transform.shift}"""


def _motion(imu: ImuInput, source: Tensor) -> str:
    _check_size(source, imu.window_samples * _MOTION_VALUES)
    factors, shift = multipliers(imu.deviations, int8_scale(source)[0])
    stride = min(imu.stride_samples, imu.window_samples)
    each = "\n".join(f"#define MOTION_{at}_MULTIPLIER {factor}" for at, factor in enumerate(factors.tolist()))
    names = ", ".join(f"MOTION_{at}_MULTIPLIER" for at in range(_MOTION_VALUES))
    return f"""\
/* The model sees windows of motion [MOTION_WINDOW_SAMPLES][6]; see motion_window.h. */
#define MOTION_WINDOW_SAMPLES {imu.window_samples}
#define MOTION_STRIDE_SAMPLES {stride}
#define MOTION_START_MG {imu.start_mg}
#define MOTION_SUPPRESSION_SAMPLES {imu.suppression_samples}
{each}
#define MOTION_MULTIPLIERS {{{names}}}
#define MOTION_SHIFT {shift}"""


def _check_size(source: Tensor, values: int) -> None:
    if math.prod(source.shape) != values:
        raise TinymlError(
            f"The model has {counted(math.prod(source.shape), 'input')}, but the manifest says {values}",
            "model_int8.tflite",
            f"Convert the run's own model again: {on_this_run('convert')}",
        )
