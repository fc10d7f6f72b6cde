"""A run's two models as window scores: float for comparison, int8 exactly as the firmware computes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError
from tinyml_cli.features.anomaly_settings import AnomalyInput, Mixture
from tinyml_cli.features.signal import standardize, to_real
from tinyml_cli.manifest import Manifest
from tinyml_cli.next_step import on_this_run
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8, Run
from tinyml_cli.tasks.anomaly import score
from tinyml_cli.tasks.anomaly.windows import WindowInput
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse

CLUSTERS = "clusters.npz"


@dataclass(frozen=True)
class FloatClusters:
    """Clusters before quantisation: float64 [clusters, dimensions] twice, float64 [clusters]."""

    centers: NDArray[np.float64]
    precisions: NDArray[np.float64]
    constants: NDArray[np.float64]


class AnomalyModel:
    """The models of a run, and the computation of scores from their outputs.

    Raises:
        TinymlError: a flatbuffer is missing or stale, or the run is not anomaly detection.
    """

    def __init__(self, run: Run, manifest: Manifest) -> None:
        self.source = WindowInput.of(manifest)
        assert manifest.anomaly is not None
        self.settings: AnomalyInput = manifest.anomaly
        self._float = run.require(manifest, MODEL_FLOAT32).read_bytes()
        self._int8 = run.require(manifest, MODEL_INT8).read_bytes()
        self.input, self.output = interpret.io_quantization(parse(self._int8))
        self.clusters: FloatClusters | None = None
        if self.settings.method != "autoencoder":
            with np.load(run.require(manifest, CLUSTERS)) as archive:
                self.clusters = FloatClusters(*(archive[n] for n in ("centers", "precisions", "constants")))
        self.mixture: Mixture | None = self.settings.mixture
        if self.clusters is not None and self.mixture is None:
            self.mixture = score.quantize_mixture(
                self.clusters.centers, self.clusters.precisions, self.clusters.constants, self.output
            )

    def inputs(self, features: NDArray[np.int32]) -> NDArray[np.int8]:
        """The int8 model input of features int32 [n, features]."""
        of = self.settings
        return standardize(features, of.offsets, of.deviations, self.input.scale, self.input.zero_point)

    def outputs(self, inputs: NDArray[np.int8]) -> NDArray[np.int8]:
        """The firmware's outputs: TensorFlow Lite Micro's bytes if its runtime is installed."""
        return interpret.run_int8(self._int8, inputs, interpret.reference_runtime())

    def scores(self, features: NDArray[np.int32]) -> NDArray[np.int64]:
        """Scores of features int32 [n, features] as the firmware computes them, int64 [n]."""
        if not len(features):
            return np.empty(0, np.int64)
        inputs = self.inputs(features)
        outputs = self.outputs(inputs)
        if self.mixture is not None:
            return score.mixture_scores(outputs, self.mixture)
        return score.reconstruction_scores(inputs, outputs, self.input, self.output)

    def float_scores(self, features: NDArray[np.int32]) -> NDArray[np.float64]:
        """The same for the float model, float64 [n], in its own units."""
        if not len(features):
            return np.empty(0, np.float64)
        real = self.real(features)
        outputs = interpret.run_float(self._float, real)
        if self.clusters is not None:
            of = self.clusters
            return score.float_mixture_scores(outputs, of.centers, of.precisions, of.constants)
        scores: NDArray[np.float64] = ((outputs - real).astype(np.float64) ** 2).mean(axis=1)
        return scores

    def real(self, features: NDArray[np.int32]) -> NDArray[np.float32]:
        """The float model's input."""
        return to_real(features, self.settings.offsets, self.settings.deviations, self.settings.clip)

    def float_outputs(self, real: NDArray[np.float32]) -> NDArray[np.float32]:
        """The float model's output for inputs float32 [n, values]."""
        return interpret.run_float(self._float, real)

    def threshold(self) -> int:
        """The threshold of the int8 score.

        Raises:
            TinymlError: there is none yet.
        """
        if self.settings.threshold is None:
            raise TinymlError(
                "The run has no threshold yet", "manifest.json", f"Run `{on_this_run('convert')}`."
            )
        return self.settings.threshold.score
