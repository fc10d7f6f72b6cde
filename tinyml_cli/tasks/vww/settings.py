"""The settings of the application `vww` in model_settings.h."""

from __future__ import annotations

from tinyml_cli.c_text import string_literal
from tinyml_cli.engines.settings_parts import check_labels, int8_scale, label_tables, only_input_and_output
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.image import pixel_transform
from tinyml_cli.features.image_settings import ImageInput
from tinyml_cli.manifest import Manifest
from tinyml_cli.next_step import on_this_run, train_this_run
from tinyml_cli.tflite.graph import Graph, Tensor

_FORMATS = {"grey": "IMAGE_GREY8", "rgb565": "IMAGE_RGB565"}


def parts(manifest: Manifest, graph: Graph, event: str) -> list[str]:
    """Labels, the camera's frame and the model's input, and when something counts as seen.

    Args:
        manifest: says all of it.
        graph: the int8 model.
        event: that the firmware sends when what it sees changes.

    Raises:
        TinymlError: manifest and model do not fit each other.
    """
    source, target = only_input_and_output(graph)
    check_labels(manifest, target)
    int8_scale(target)
    return [
        label_tables(manifest, (manifest.background,)),
        _image(manifest, source),
        _presence(manifest, event),
    ]


def _image(manifest: Manifest, source: Tensor) -> str:
    image = manifest.image
    if image is None:
        raise TinymlError(
            "The manifest has no camera settings",
            "manifest.json",
            f"Train the run again: {train_this_run(manifest.task)}",
        )
    _check_shape(image, source)
    scale, zero_point = int8_scale(source)
    transform = pixel_transform(scale, zero_point, image.low, image.high)
    return f"""\
/* The camera's frame, and the model's input [IMAGE_SIZE][IMAGE_SIZE][IMAGE_CHANNELS]; see image.h. */
#define FRAME_WIDTH {image.frame_width}
#define FRAME_HEIGHT {image.frame_height}
#define FRAME_FORMAT {_FORMATS[image.frame_format]}
#define FRAME_BYTES {image.frame_bytes}
#define IMAGE_SIZE {image.size}
#define IMAGE_CHANNELS {image.channels}
#define IMAGE_MULTIPLIER {transform.multiplier}
#define IMAGE_OFFSET ({transform.offset})
#define IMAGE_SHIFT {transform.shift}"""


def _presence(manifest: Manifest, event: str) -> str:
    presence, labels = manifest.presence, manifest.labels
    assert presence is not None  # written together with `image`
    background = len(labels) if manifest.background is None else labels.index(manifest.background)
    return f"""\
/* Hysteresis over frames; see presence.h. Without a background, it is LABEL_COUNT. */
#define SEEN_EVENT {string_literal(event)}
#define PRESENCE_BACKGROUND {background}
#define PRESENCE_ON_PERMILLE {round(presence.threshold_on * 1000)}
#define PRESENCE_OFF_PERMILLE {round(presence.threshold_off * 1000)}
#define PRESENCE_FRAMES_ON {presence.frames_on}
#define PRESENCE_FRAMES_OFF {presence.frames_off}"""


def _check_shape(image: ImageInput, source: Tensor) -> None:
    wanted = (1, image.size, image.size, image.channels)
    if tuple(source.shape) != wanted:
        raise TinymlError(
            f"The model's input is {tuple(source.shape)}, but the manifest says {wanted}",
            "model_int8.tflite",
            f"Convert the run's own model again: {on_this_run('convert')}",
        )
