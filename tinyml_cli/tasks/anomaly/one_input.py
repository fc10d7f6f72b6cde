"""The first window of a recording as the anomaly model takes it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinyml_cli.errors import TinymlError
from tinyml_cli.inspection.model_input import ModelInput
from tinyml_cli.run import Run
from tinyml_cli.tasks.anomaly.model import AnomalyModel
from tinyml_cli.tasks.anomaly.pool import FaultRecordings, cut_faults
from tinyml_cli.tasks.anomaly.replay import read_as_trained


def window_input(recording: Path, run: Run) -> ModelInput:
    """Standardised features of the first window, and its samples.

    Raises:
        TinymlError: an unreadable or too short recording, or one of another kind.
    """
    model = AnomalyModel(run, run.manifest())
    source = model.source
    found = read_as_trained(run, run.manifest(), recording)
    recordings = FaultRecordings(list(found.recordings))
    windows = cut_faults(recordings, source.window_samples, source.stride_samples, source.sample_scale)
    if not len(windows):
        raise TinymlError("The recording is too short for a window", str(recording), "Use a longer one.")
    samples = windows.samples[:1]
    shown = np.asarray(samples[0], np.float64).reshape(source.window_samples, -1)
    return ModelInput(model.real(source.features(samples)), shown, "motion")
