"""The benchmarks of MLPerf Tiny, as data: what a host sends, and what counts as a result.

Source: mlcommons/tiny, `benchmark/evaluation/datasets/README.md` (file formats), the runner's test scripts
(inferences and warm-ups), and Banbury et al., "MLPerf Tiny Benchmark", NeurIPS Datasets and Benchmarks 2021.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tinyml_cli.errors import TinymlError
from tinyml_cli.tflite.graph import Graph

InputFormat = Literal["int8", "uint8_minus_128", "float32"]
ResultKind = Literal["scores", "squared_error"]


@dataclass(frozen=True)
class Benchmark:
    """One benchmark.

    Attributes:
        name: what `--benchmark` takes.
        dataset: its folder in the runner's data, which is also the model's name in the protocol.
        input_shape, outputs: of the reference model, without the batch; None fits any model.
        input_format: the bytes of a data file: "int8" as the model takes them, "uint8_minus_128" pixels whose
            int8 value is 128 less, "float32" (little endian) values that the device quantises.
        result: "scores" are the dequantised outputs; "squared_error" is the mean squared difference of the
            dequantised output and the float input (an autoencoder's anomaly score).
        inferences, warmups: of one window in the runner's performance mode.
    """

    name: str
    dataset: str
    input_shape: tuple[int, ...] | None
    outputs: int | None
    input_format: InputFormat
    result: ResultKind
    inferences: int
    warmups: int

    @property
    def item_bytes(self) -> int:
        """Bytes that the host sends for one value of the input."""
        return 4 if self.input_format == "float32" else 1


BENCHMARKS = {
    benchmark.name: benchmark
    for benchmark in (
        Benchmark("kws", "kws01", (49, 10, 1), 12, "int8", "scores", 70, 10),
        Benchmark("vww", "vww01", (96, 96, 3), 2, "uint8_minus_128", "scores", 20, 5),
        Benchmark("ic", "ic01", (32, 32, 3), 10, "uint8_minus_128", "scores", 20, 5),
        Benchmark("ad", "ad01", (640,), 640, "float32", "squared_error", 1500, 10),
        Benchmark("model", "model", None, None, "int8", "scores", 20, 5),
    )
}
ANY_MODEL = BENCHMARKS["model"]


def choose(graph: Graph, name: str | None = None) -> Benchmark:
    """The benchmark of that name; for None the one whose reference model has these shapes, else ANY_MODEL.

    Raises:
        TinymlError: there is no such benchmark, or the model cannot be measured with it.
    """
    if name is None:
        return next((item for item in BENCHMARKS.values() if _has_shapes(graph, item)), ANY_MODEL)
    if name not in BENCHMARKS:
        raise TinymlError(
            f"Unknown benchmark `{name}`", "--benchmark", f"Choose from: {', '.join(BENCHMARKS)}."
        )
    benchmark = BENCHMARKS[name]
    source, target = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    single = len(graph.inputs) == 1 or benchmark.input_format == "int8"
    if not single or (benchmark.result == "squared_error" and source.elements != target.elements):
        raise TinymlError(
            f"The benchmark `{name}` does not support a model with input {source.shape} and output "
            f"{target.shape}",
            "--benchmark",
            "Omit it to detect the benchmark from the model's shapes.",
        )
    return benchmark


def _has_shapes(graph: Graph, benchmark: Benchmark) -> bool:
    if benchmark.input_shape is None or len(graph.inputs) != 1:
        return False
    source, target = graph.tensors[graph.inputs[0]], graph.tensors[graph.outputs[0]]
    return source.shape[1:] == benchmark.input_shape and target.elements == benchmark.outputs
