"""Sources for TensorFlow Lite Micro: the model as an array, and a resolver with exactly its operators.

The generated C++ compiles with libraries of early 2023 as well as current TensorFlow Lite Micro.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Collection
from pathlib import Path

from tinyml_cli import processes, temporary
from tinyml_cli.c_text import wrapped
from tinyml_cli.engines import tflm_arena, tflm_kernels
from tinyml_cli.engines.tflm_arena import ArenaBytes
from tinyml_cli.errors import TinymlError
from tinyml_cli.next_step import model_again
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite.graph import Graph
from tinyml_cli.tflite.interpret import TFLM_ARENA_BYTES, has_tflm, with_custom_names
from tinyml_cli.tflite.opset import TFLM_INT8_OPS, check_int8
from tinyml_cli.wording import counted

# Where MicroMutableOpResolver's method is not the schema's name in CamelCase.
_METHODS = {
    "CUSTOM CIRCULAR_BUFFER": "CircularBuffer",
    "CUSTOM TFLM_DECODE": "Decode",
    "CUSTOM TFLite_Detection_PostProcess": "DetectionPostprocess",
    "BATCH_MATMUL": "BatchMatMul",
    "CUMSUM": "CumSum",
    "PADV2": "PadV2",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "UnidirectionalSequenceLSTM",
}
_ADD = re.compile(r"TfLiteStatus Add(\w+)\(")
_ARENA_ROUNDING_BYTES = 1024
_ARENA_MARGIN_BYTES = 1024
_PROBE_TIMEOUT_S = 120


def check(graph: Graph, where: str = "", model: bytes | None = None) -> None:
    """Refuses what TensorFlow Lite Micro cannot run; `check_library` knows what older versions cannot.

    Args:
        model: the flatbuffer of the graph. With it, operators missing from our list of int8 operators are
            tried in TensorFlow Lite Micro's own runtime, if that is installed and the model computes in int8
            or int16.

    Raises:
        TinymlError: an operator it lacks, or a float tensor.
    """
    try:
        check_int8(graph, where)
    except TinymlError:
        in_integers = any(graph.tensors[index].dtype in ("int8", "int16") for index in graph.computed)
        if model is None or not in_integers or not has_tflm():
            raise
        _probe(model)


def scales_per_output(graph: Graph) -> str:
    """The FULLY_CONNECTED with a scale per output that an old library runs wrongly; empty if there is none.

    Libraries older than September 2024 take the first scale for all outputs and say nothing.
    """
    for operator in graph.operators:
        weights = graph.input(operator, 1)
        if (
            operator.name == "FULLY_CONNECTED"
            and weights
            and weights.quantization
            and weights.quantization.per_channel
        ):
            return (
                f"the weights of operator {operator.index} FULLY_CONNECTED ({weights.label}) have "
                f"{counted(len(weights.quantization.scales), 'scale')}; TensorFlow Lite Micro from "
                "before September 2024 computes wrong results without an error"
            )
    return ""


def takes_scales_per_output(tflm_dir: Path) -> bool:
    """Whether a source tree has FULLY_CONNECTED with a scale per output; True where it is no such tree.

    Args:
        tflm_dir: the folder that holds `tensorflow/lite/micro`.
    """
    kernel = tflm_dir / "tensorflow" / "lite" / "micro" / "kernels" / "fully_connected.h"
    return not kernel.is_file() or "per_channel" in kernel.read_text(encoding="utf-8", errors="replace")


def missing_ops(tflm_dir: Path) -> frozenset[str]:
    """Operators with an int8 kernel in current TensorFlow Lite Micro that a source tree lacks.

    Args:
        tflm_dir: the folder that holds `tensorflow/lite/micro`.
    """
    resolver = tflm_dir / "tensorflow" / "lite" / "micro" / "micro_mutable_op_resolver.h"
    if not resolver.is_file():
        return frozenset()
    present = set(_ADD.findall(resolver.read_text(encoding="utf-8", errors="replace")))
    return frozenset(name for name in TFLM_INT8_OPS if method(name) not in present)


def check_library(graph: Graph, missing: Collection[str], library: str, newer: bool = True) -> None:
    """Refuses a model with an operator that a library of TensorFlow Lite Micro lacks or would run wrongly.

    Args:
        newer: whether it `takes_scales_per_output`.

    Raises:
        TinymlError: names the operator and the tensor.
    """
    if not newer and (wrong := scales_per_output(graph)):
        raise TinymlError(
            f"The library {library} is too old for the model: {wrong}",
            "--engine tflm",
            "Convert again with Dense layers per tensor (tinyml convert does), use a newer library "
            "(--tflm DIR), or --engine aot.",
        )
    for operator in graph.operators:
        if operator.name in missing:
            made = f", which produces {output.label}" if (output := graph.output(operator)) else ""
            raise TinymlError(
                f"The library {library} has no operator {operator.name}{made} (operator {operator.index})",
                "--engine tflm",
                "Use a newer library (--tflm DIR), or --engine aot.",
            )


def model_data_header(model: bytes, model_sha256: str) -> str:
    """The text of model_data.h."""
    return f"""\
// The model {model_sha256[:12]} as an array. Generated by tinyml; do not edit.
#ifndef TINYML_MODEL_DATA_H
#define TINYML_MODEL_DATA_H

constexpr unsigned int kModelDataBytes = {len(model)};

extern const unsigned char kModelData[kModelDataBytes];

#endif  // TINYML_MODEL_DATA_H
"""


def model_data_source(model: bytes) -> str:
    """The text of model_data.cc; flatbuffers must be aligned to 16 bytes."""
    data = "\n".join(wrapped(f"0x{byte:02x}" for byte in model))
    return f"""\
// Generated by tinyml; do not edit.
#include "model_data.h"

alignas(16) const unsigned char kModelData[kModelDataBytes] = {{
{data}
}};
"""


def op_resolver_header(graph: Graph) -> str:
    """The text of op_resolver.h: exactly the model's operators, so the linker leaves out all others."""
    names = list(dict.fromkeys(operator.name for operator in graph.operators))
    variables = sum(operator.name == "VAR_HANDLE" for operator in graph.operators)
    calls = " &&\n         ".join(f"resolver.Add{method(name)}() == kTfLiteOk" for name in names)
    return f"""\
// Exactly the operators that the model uses. Generated by tinyml; do not edit.
#ifndef TINYML_OP_RESOLVER_H
#define TINYML_OP_RESOLVER_H

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

namespace tinyml {{

using OpResolver = tflite::MicroMutableOpResolver<{max(len(names), 1)}>;

// State that the model keeps from one inference to the next.
constexpr int kResourceVariables = {variables};

// Registers the operators; false if the library refused one.
inline bool register_ops(OpResolver& resolver) {{
  (void)resolver;
  return {calls or "true"};
}}

}}  // namespace tinyml

#endif  // TINYML_OP_RESOLVER_H
"""


def method(operator: str) -> str:
    """The name behind `Add` of an operator's method: CONV_2D -> Conv2D, CUSTOM SignalRfft -> Rfft."""
    if operator.startswith("CUSTOM Signal"):
        return operator.removeprefix("CUSTOM Signal")
    return _METHODS.get(operator) or "".join(
        part.capitalize() if part != "2D" else part for part in operator.split("_")
    )


def arena_bytes(*models: bytes) -> int:
    """Bytes of arena that TensorFlow Lite Micro needs for a model, or for several in turn in one arena.

    What persists adds up; the rest overlaps. The figures are those of a host, whose pointers of 64 bits make
    structs larger than on a Cortex-M, but whose reference kernels need less scratch memory than CMSIS-NN's.
    So what CMSIS-NN's kernels need on top and a margin of 1 KiB each are added, and the sum is rounded
    up to 1 KiB.

    Raises:
        TinymlError: the runtime is installed and refuses a model, or it is not and an operator's needs are
            not known.
    """
    needs = [_needs(model) for model in models]
    working = max(
        need.head + tflm_kernels.cmsis_nn_bytes(tflite_graph.parse(model))
        for need, model in zip(needs, models, strict=True)
    )
    total = working + sum(need.tail for need in needs) + _ARENA_MARGIN_BYTES * len(models)
    return math.ceil(total / _ARENA_ROUNDING_BYTES) * _ARENA_ROUNDING_BYTES


def _needs(model: bytes) -> ArenaBytes:
    """What is computed, and where TFLM's runtime is installed no less than it measures.

    The runtime reports what an inference uses, not what the planning before it needed.
    """
    if not has_tflm():
        return tflm_arena.compute(model)
    head, tail = _probe(model)
    try:
        computed = tflm_arena.compute(model)
    except TinymlError:  # an operator that only the runtime knows
        return ArenaBytes(head, tail)
    return ArenaBytes(max(head, computed.head), max(tail, computed.tail))


def _probe(model: bytes) -> tuple[int, int]:
    """(bytes that an inference needs, bytes that persist)."""
    # In a child process: the runtime writes its figures to the file descriptor, and aborts on some models.
    with temporary.folder("arena") as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(model)
        try:
            outcome = processes.run([sys.executable, "-c", _PROBE, str(path)], timeout_s=_PROBE_TIMEOUT_S)
        except processes.TimeoutExpired as error:
            raise _unmeasured("it did not end in time") from error
    text = outcome.stdout + outcome.stderr
    found = [re.search(rf"Arena allocation {part} (\d+) bytes", text) for part in ("head", "tail")]
    if outcome.returncode != 0 or not all(found):
        raise _unmeasured(with_custom_names(_said(text), model))
    head, tail = (int(part[1]) for part in found if part)
    return head, tail


_PROBE = f"""\
import pathlib, sys
from tflite_micro import runtime
model = pathlib.Path(sys.argv[1]).read_bytes()
interpreter = runtime.Interpreter.from_bytes(model, arena_size={TFLM_ARENA_BYTES})
interpreter.invoke()
interpreter.print_allocations()
"""


def _said(text: str) -> str:
    """The runtime's own messages, without Python's frames around them."""
    trace = re.compile(r"^(Traceback|\s|RuntimeError: TFLM failed|\[RecordingMicroAllocator\])")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    own = [line for line in text.splitlines() if line.strip() and not trace.match(line)]
    return "; ".join(own[:3]) or (lines or ["no reason given"])[-1]


def _unmeasured(reason: str) -> TinymlError:
    return TinymlError(
        f"TensorFlow Lite Micro's runtime refused the model ({reason})",
        "model_int8.tflite",
        model_again(),
    )
