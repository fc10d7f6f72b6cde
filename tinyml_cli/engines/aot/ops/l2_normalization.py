"""L2_NORMALIZATION over our own kernel."""

from __future__ import annotations

import numpy as np

from tinyml_cli.engines.aot.kernel import Kernel, OpContext, read, scale_of, write, zero_point_of
from tinyml_cli.wording import counted

_AGAIN = "Convert the model again."
# The sum of squares of up to 255 stays below 2^31.
_LONGEST_ROW = ((1 << 31) - 1) // 255**2


def l2_normalization(context: OpContext) -> Kernel:
    """L2_NORMALIZATION over the last dimension; the output is q / 128."""
    source, target = context.activation(), context.output()
    if scale_of(target) != np.float32(1 / 128) or zero_point_of(target) != 0:
        context.refuse(f"produces {target.label} without the scale 1/128 and zero point 0", _AGAIN)
    if source.shape != target.shape or not source.shape or not source.elements:
        context.refuse(f"produces {list(target.shape)} from {list(source.shape)}", _AGAIN)
    depth = source.shape[-1]
    if depth > _LONGEST_ROW:
        context.refuse(
            f"adds the squares of {counted(depth, 'value')} (at most {_LONGEST_ROW})", "Use fewer values."
        )
    return Kernel(
        f"""\
static const tinyml_nn_l2_normalize_params params = {{
    .rows = {source.elements // depth}, .depth = {depth}, .input_offset = {-zero_point_of(source)}}};
tinyml_nn_l2_normalize_s8(&params, {read(source)}, {write(target)});
return 0;""",
        may_overwrite=(0,),
    )
