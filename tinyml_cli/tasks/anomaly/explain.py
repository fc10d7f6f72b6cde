"""tinyml explain for anomaly detection: which inputs contributed to the score of the worst window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError
from tinyml_cli.features.anomaly_settings import SUMMARY_FEATURES
from tinyml_cli.outcomes.explanations import ExplainedInput, ExplainedRecording, ScoredRecording, ScoredWindow
from tinyml_cli.run import Run
from tinyml_cli.tasks.anomaly import score
from tinyml_cli.tasks.anomaly.judged import Explained, Grid
from tinyml_cli.tasks.anomaly.model import AnomalyModel
from tinyml_cli.tasks.anomaly.pool import FaultRecordings, cut_faults
from tinyml_cli.tasks.anomaly.replay import read_as_trained
from tinyml_cli.tasks.anomaly.windows import WindowInput
from tinyml_cli.wording import counted

_NAMED = 10


def explain(clip: Path, run: Run, out: Path | None = None) -> ExplainedRecording:
    """Scores a recording as the firmware does, and shows where the worst window differs.

    Args:
        clip: a recording of the same kind as the training data; of a table of windows, all are used.
        run: with an int8 model and a threshold.
        out: the picture; report/explain-CLIP.png in the run by default.

    Raises:
        TinymlError: an unreadable or too short recording.
    """
    manifest = run.manifest()
    model = AnomalyModel(run, manifest)
    threshold = model.threshold()
    samples = _windows(clip, run, model)
    features = model.source.features(samples)
    scores = model.scores(features)
    worst = int(scores.argmax())
    errors = input_errors(model, features[worst : worst + 1])[0]
    source = model.source
    ends = [source.window_samples + index * source.stride_samples for index in range(len(scores))]
    explained = Explained(
        [round(1000 * end / source.rate_hz) for end in ends], scores, worst, _grid(errors, source)
    )
    picture = out or run.file(f"report/explain-{clip.stem}.png")
    outcome = ExplainedRecording.extending(
        _describe(explained, errors, source.feature_names(), threshold),
        clip=str(clip),
        run=str(run.path),
        picture=str(picture),
    )
    from tinyml_cli.tasks.anomaly.pictures import explain_png

    with run.writing_to(picture):
        explain_png(picture, explained, threshold, clip.name)
    return outcome


def input_errors(model: AnomalyModel, features: NDArray[np.int32]) -> NDArray[np.float64]:
    """Squared error of each input, float64 [n, features], in squared standard deviations.

    An autoencoder's output is compared with its input. With clusters, the nearest centre is mapped back to
    the inputs by the pseudo-inverse of the linear network: the window at the centre of the cluster.
    """
    inputs = model.inputs(features)
    outputs = model.outputs(inputs)
    if model.mixture is None:
        steps = score.squared_errors(inputs, outputs, model.input, model.output)
        unit = (model.input.scale / (1 << score.STEP_BITS)) ** 2
        squares: NDArray[np.float64] = steps.astype(np.float64) * unit
        return squares
    assert model.clusters is not None
    real = model.real(features)
    identity = np.concatenate([np.zeros((1, real.shape[1])), np.eye(real.shape[1])]).astype(np.float32)
    answers = model.float_outputs(identity).astype(np.float64)
    bias, matrix = answers[0], answers[1:] - answers[0]
    centers = model.clusters.centers[score.nearest(outputs, model.mixture)]
    usual: NDArray[np.float64] = (centers - bias) @ np.linalg.pinv(matrix)
    differences: NDArray[np.float64] = real.astype(np.float64) - usual
    return differences**2


def _windows(clip: Path, run: Run, model: AnomalyModel) -> NDArray[np.int16]:
    if not clip.is_file():
        raise TinymlError("The recording does not exist", str(clip), "Give a file.")
    source = model.source
    recordings = read_as_trained(run, run.manifest(), clip).recordings
    windows = cut_faults(
        FaultRecordings(recordings), source.window_samples, source.stride_samples, source.sample_scale
    )
    if not len(windows):
        raise TinymlError(
            f"The recording is shorter than a window of {counted(source.window_samples, 'sample')}",
            str(clip),
            f"Use one of at least {source.window_samples / source.rate_hz:.2g} s.",
        )
    return windows.samples


def _grid(errors: NDArray[np.float64], source: WindowInput) -> Grid:
    signal, names = source.signal, source.feature_names()
    if signal is not None and signal.bands:
        parts = [name.removeprefix(f"{signal.channels[0]} ") for name in names]
        columns = parts[: len(SUMMARY_FEATURES) + signal.bands]
        return Grid(errors.reshape(len(signal.channels), -1), signal.channels, columns)
    per_step = source.values_per_step
    by_step = errors.reshape(-1, per_step).T
    rows = signal.channels if signal is not None else [f"mel{band}" for band in range(per_step)]
    step_ms = 1000.0 / source.rate_hz
    if source.frontend is not None:
        step_ms = float(source.frontend.stride_ms)
    return Grid(by_step, list(rows), [f"{step * step_ms:.0f} ms" for step in range(by_step.shape[1])])


def _describe(
    of: Explained, errors: NDArray[np.float64], names: list[str], threshold: int
) -> ScoredRecording:
    total = float(errors.sum()) or 1.0
    order = np.argsort(errors)[::-1][:_NAMED]
    top = [ExplainedInput(input=names[index], share=float(errors[index] / total)) for index in order]
    rows = (of.grid.errors.sum(axis=1) / total).tolist()
    columns = (of.grid.errors.sum(axis=0) / total).tolist()
    highest = int(of.scores[of.worst])
    above = int((of.scores >= threshold).sum())
    leading = ", ".join(f"{each.input} ({each.share:.0%})" for each in top[:3])
    relation = "reaches" if highest >= threshold else "stays below"
    return ScoredRecording(
        threshold=threshold,
        score=highest,
        t_ms=of.t_ms[of.worst],
        windows=len(of.scores),
        above=above,
        why=f"The highest score, {highest} at {of.t_ms[of.worst] / 1000:.2f} s, {relation} the threshold, "
        f"{threshold}; {above} of {counted(len(of.scores), 'window')} reach it. Furthest from normal "
        f"there: {leading}.",
        top=top,
        by_row=dict(zip(of.grid.rows, rows, strict=True)),
        by_column=dict(zip(of.grid.columns, columns, strict=True)),
        scores=[
            ScoredWindow(t_ms=t_ms, score=int(value)) for t_ms, value in zip(of.t_ms, of.scores, strict=True)
        ],
    )
