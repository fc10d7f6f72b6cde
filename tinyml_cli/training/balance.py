"""Corrects scores for how often each label was shown in training.

Many examples of other words teach a network what is not a target, but also to expect none. The biases of the
last layer compensate for the latter: scores then assume that all labels are equally frequent.
This is the post-hoc form of logit adjustment: A. K. Menon et al., "Long-tail learning via logit
adjustment", arXiv:2007.07314, section 4.1.
"""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from tinyml_cli.training.optimisation import CLASSIFIER


def balance(model: keras.Model, shares: NDArray[np.float32]) -> None:
    """Changes the biases of the layer `scores` in place.

    Args:
        model: a classifier with softmax.
        shares: share of each label in the loss, [labels], up to a factor; a label with none is unchanged.
    """
    layer = model.get_layer(CLASSIFIER)
    kernel, bias = layer.get_weights()
    learned = shares > 0
    shift = -np.log(shares[learned])
    bias[learned] += shift - shift.mean()
    layer.set_weights([kernel, bias])
