"""Operators that only rename a shape."""

from __future__ import annotations

from tinyml_cli.engines.aot.kernel import Kernel, OpContext


def reshape(context: OpContext) -> Kernel:
    """RESHAPE: costs nothing, its output is its input under another shape."""
    source, target = context.activation(), context.output()
    if source.elements != target.elements:
        context.refuse(
            f"makes {list(target.shape)} out of {list(source.shape)}", "Convert the model with a batch of 1."
        )
    return Kernel(alias_of=source.index)
