"""Operators that the ahead-of-time compiler knows: one function each, from OpContext to Kernel."""

from __future__ import annotations

from collections.abc import Callable

from tinyml_cli.engines.aot.kernel import Kernel, OpContext
from tinyml_cli.engines.aot.ops.convolution import conv_2d, depthwise_conv_2d
from tinyml_cli.engines.aot.ops.dense import fully_connected
from tinyml_cli.engines.aot.ops.pooling import average_pool_2d, mean
from tinyml_cli.engines.aot.ops.shape import reshape
from tinyml_cli.engines.aot.ops.softmax import softmax

LOWERINGS: dict[str, Callable[[OpContext], Kernel]] = {
    "AVERAGE_POOL_2D": average_pool_2d,
    "CONV_2D": conv_2d,
    "DEPTHWISE_CONV_2D": depthwise_conv_2d,
    "FULLY_CONNECTED": fully_connected,
    "MEAN": mean,
    "RESHAPE": reshape,
    "SOFTMAX": softmax,
}
