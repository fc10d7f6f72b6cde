"""SOFTMAX and LOG_SOFTMAX on float32, over the last dimension."""

from __future__ import annotations

from tinyml_cli.c_text import float_literal
from tinyml_cli.engines.aot.kernel import Kernel, OpContext, read, write


def softmax(context: OpContext) -> Kernel:
    """SOFTMAX."""
    return _kernel(context, "softmax", f"{float_literal(context.option('beta'))}, ")


def log_softmax(context: OpContext) -> Kernel:
    """LOG_SOFTMAX."""
    return _kernel(context, "log_softmax")


def _kernel(context: OpContext, name: str, parameters: str = "") -> Kernel:
    source, target = context.plain("float32", constant=False), context.plain_output("float32")
    if source.shape != target.shape or not source.shape:
        context.refuse(f"produces {list(target.shape)} from {list(source.shape)}", "Convert the model again.")
    depth = source.shape[-1]
    sizes = f"{source.elements // depth}, {depth}, {parameters}"
    return Kernel(
        f"tinyml_nn_{name}_f32({sizes}{read(source)}, {write(target)});\nreturn 0;", may_overwrite=(0,)
    )
