"""FULLY_CONNECTED on float32, of values that the model computed in integers."""

from __future__ import annotations

from tinyml_cli.engines.aot.kernel import Constant, Kernel, OpContext, read, write
from tinyml_cli.engines.aot.ops.plain import activation
from tinyml_cli.tflite.graph import Graph


def fully_connected(context: OpContext) -> Kernel:
    """FULLY_CONNECTED after DEQUANTIZE; a model whose layers were never quantised is refused."""
    source = context.plain("float32", constant=False)
    if not _was_integer(context.graph, source.index):
        context.activation()
    target, weights = context.plain_output("float32"), context.plain("float32", 1)
    if len(weights.shape) != 2 or weights.data is None or source.elements % weights.shape[1]:
        context.refuse(
            f"has weights {list(weights.shape)} for an input {list(source.shape)}", "Convert the model again."
        )
    outputs, inputs = weights.shape
    rows = source.elements // inputs
    if target.elements != rows * outputs:
        context.refuse(f"produces {list(target.shape)} from {list(source.shape)}", "Convert the model again.")
    constants = [Constant("weights", weights.data)]
    if bias := _bias(context, outputs):
        constants.append(bias)
    body = f"""\
static const tinyml_nn_dense_f32 dense = {{
    .rows = {rows}, .inputs = {inputs}, .outputs = {outputs}, .activation = {activation(context, target)}}};
tinyml_nn_fully_connected_f32(&dense, {read(source)}, {context.array("weights")},
    {context.array("bias") if bias else "NULL"}, {write(target)});
return 0;"""
    return Kernel(body, tuple(constants))


def _bias(context: OpContext, outputs: int) -> Constant | None:
    if context.graph.input(context.operator, 2) is None:
        return None
    bias = context.plain("float32", 2)
    if bias.data is None or bias.elements != outputs:
        context.refuse(
            f"has a bias that is not float32[{outputs}] ({bias.label})", "Convert the model again."
        )
    return Constant("bias", bias.data)


def _was_integer(graph: Graph, tensor: int) -> bool:
    """Whether a float32 value comes from integers alone: of DEQUANTIZE or CAST, however far back."""
    makers = {index: operator for operator in graph.operators for index in operator.outputs}
    open_, seen = [tensor], set()
    while open_:
        index = open_.pop()
        if index in seen or graph.tensors[index].data is not None:
            continue
        seen.add(index)
        if graph.tensors[index].dtype == "float32":
            if index not in makers:
                return False
            open_ += [each for each in makers[index].inputs if each >= 0]
    return True
