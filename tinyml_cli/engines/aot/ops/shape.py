"""Operators that only rename a shape: RESHAPE, SQUEEZE, EXPAND_DIMS."""

from __future__ import annotations

from tinyml_cli.engines.aot.kernel import Kernel, OpContext


def reshape(context: OpContext) -> Kernel:
    """Costs nothing: the output is the input under another shape."""
    source, target = context.input(), context.result()
    if source.data is not None or source.dtype != target.dtype:
        context.refuse(f"produces {target.dtype} from {source.label}", "Convert the model again.")
    if source.elements != target.elements:
        context.refuse(
            f"produces {list(target.shape)} from {list(source.shape)}",
            "Convert the model with a batch of 1.",
        )
    return Kernel(alias_of=source.index)
