"""Functions of one float32 value, as a model has them after DEQUANTIZE."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyml_cli.c_text import float_literal
from tinyml_cli.engines.aot.kernel import Kernel, OpContext, read, write


def function(name: str) -> Callable[[OpContext], Kernel]:
    """The lowering of a function without parameters, by its kernel's name."""
    return lambda context: _kernel(context, name)


def clamp(lowest: float, highest: float = np.inf) -> Callable[[OpContext], Kernel]:
    """The lowering of a ReLU with these limits."""
    limits = f"{float_literal(lowest)}, {float_literal(highest)}, "
    return lambda context: _kernel(context, "clamp", limits)


def leaky_relu(context: OpContext) -> Kernel:
    """LEAKY_RELU."""
    return _kernel(context, "leaky_relu", f"{float_literal(context.option('alpha'))}, ")


def _kernel(context: OpContext, name: str, parameters: str = "") -> Kernel:
    source, target = context.plain("float32", constant=False), context.plain_output("float32")
    if source.elements != target.elements:
        context.refuse(f"produces {list(target.shape)} from {list(source.shape)}", "Convert the model again.")
    return Kernel(
        f"tinyml_nn_{name}_f32({parameters}{read(source)}, {write(target)}, {target.elements});\nreturn 0;",
        may_overwrite=(0,),
    )
