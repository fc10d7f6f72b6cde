"""CAST between plain types."""

from __future__ import annotations

from tinyml_cli.engines.aot.kernel import Kernel, OpContext, read, write

_SHORT = {"int8": "s8", "int16": "s16", "int32": "s32", "uint32": "u32", "float32": "f32", "bool": "b8"}
_BITS = ({"int32", "uint32"},)


def cast(context: OpContext) -> Kernel:
    """CAST; free between types of the same bits."""
    source, target = context.input(), context.result()
    if source.dtype not in _SHORT or target.dtype not in _SHORT or target.dtype == "bool":
        context.refuse(
            f"turns {source.dtype} into {target.dtype}; it takes {', '.join(_SHORT)} and gives all but bool",
            "Use one of these types.",
        )
    if source.data is not None or source.elements != target.elements or not source.elements:
        context.refuse(f"produces {list(target.shape)} from {source.label}", "Convert the model again.")
    if source.dtype == target.dtype or {source.dtype, target.dtype} in _BITS:
        return Kernel(alias_of=source.index)
    function = f"tinyml_nn_cast_{_SHORT[source.dtype]}_{_SHORT[target.dtype]}"
    return Kernel(f"{function}({read(source)}, {write(target)}, {target.elements});\nreturn 0;")
