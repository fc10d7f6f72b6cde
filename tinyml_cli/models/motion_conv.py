"""motion_conv: separable convolutions over time, with the axes of a motion sensor as channels."""

from __future__ import annotations

from collections.abc import Sequence

import keras

from tinyml_cli.models import conv1d_sep


def build(
    input_shape: tuple[int, int, int],
    labels: int,
    stem_filters: int = 24,
    blocks: Sequence[Sequence[int]] = ((24, 9, 2), (32, 9, 2), (48, 9, 2)),
    dropout: float = 0.2,
) -> keras.Model:
    """The network, uncompiled: `conv1d_sep` in the size that a gesture of a second or two takes.

    Args: as of `conv1d_sep.build`.

    Returns:
        float32 [batch, samples, axes, 1] -> float32 [batch, labels], rows sum to 1.
    """
    return conv1d_sep.build(input_shape, labels, stem_filters, blocks, dropout)
