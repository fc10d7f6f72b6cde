"""The networks by name."""

from __future__ import annotations

# name -> module with `build(input_shape, labels, **options)`, by what the networks take
SPEECH = {
    "ds_cnn": "tinyml_cli.models.ds_cnn",
    "tiny_conv": "tinyml_cli.models.tiny_conv",
    "conv1d_sep": "tinyml_cli.models.conv1d_sep",
    "bc_resnet": "tinyml_cli.models.bc_resnet",
    "stream_conv": "tinyml_cli.models.stream_conv",
    "stream_ds_cnn": "tinyml_cli.models.stream_ds_cnn",
}
IMAGES = {
    "mobilenet_v1": "tinyml_cli.models.mobilenet_v1",
    "mobilenet_v2": "tinyml_cli.models.mobilenet_v2",
    "vww_micro": "tinyml_cli.models.vww_micro",
}
MOTION = {
    "motion_conv": "tinyml_cli.models.motion_conv",
    "stroke_cnn": "tinyml_cli.models.stroke_cnn",
}
ARCHITECTURES = {**SPEECH, **IMAGES, **MOTION}

STREAMING = ("stream_conv", "stream_ds_cnn")
"""Architectures that a board computes frame by frame."""
