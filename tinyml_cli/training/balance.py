"""Takes back how often each label was shown in training.

Many examples of other words teach a network what is no target, and to expect no target. The second is
undone by the biases of its last layer: scores become those of a world in which labels are equally frequent.
This is the post-hoc form of logit adjustment: A. K. Menon et al., "Long-tail learning via logit
adjustment", arXiv:2007.07314, section 4.1.
"""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

CLASSIFIER = "scores"


def balance(model: keras.Model, shares: NDArray[np.float32]) -> None:
    """Changes the biases of the layer `scores` in place.

    Args:
        model: a classifier with softmax.
        shares: of the loss that each label had, [labels], up to a factor; a label without any stays as it is.
    """
    layer = model.get_layer(CLASSIFIER)
    kernel, bias = layer.get_weights()
    learned = shares > 0
    shift = -np.log(shares[learned])
    bias[learned] += shift - shift.mean()
    layer.set_weights([kernel, bias])
