"""Named quantities, from the scores and features of an evaluation or from a board's events."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.wand.takes import CHANNELS as AXES
from tinyml_cli.device.protocol import Anomaly, Event, Features, Image, Input, Scores
from tinyml_cli.evaluation.drift import looks
from tinyml_cli.evaluation.drift.looks import Values
from tinyml_cli.features import raster
from tinyml_cli.features.drift_settings import Column, Reference
from tinyml_cli.features.gesture_settings import GestureInput
from tinyml_cli.manifest import Manifest

_QUANTILES = 40
# More features than these are averaged over time, so that a manifest stays readable.
_MOST_FEATURES = 128


def summarise(values: NDArray[np.float64]) -> Column:
    """Shares between quantiles of values [n], in order of time; equal values share an edge."""
    edges = np.unique(np.quantile(values, np.arange(1, _QUANTILES) / _QUANTILES, method="inverted_cdf"))
    counts = np.bincount(np.searchsorted(edges, values, "left"), minlength=len(edges) + 1)
    return Column(
        n=len(values),
        edges=edges.tolist(),
        shares=(counts / len(values)).tolist(),
        dependence=round(dependence(values), 2),
    )


def dependence(values: NDArray[np.float64]) -> float:
    """The integrated autocorrelation time of values [n]: how many are worth one independent value, 1 to n.

    Summed over pairs of lags while these are positive: C. J. Geyer, "Practical Markov Chain Monte
    Carlo", Statistical Science 7, 1992.
    """
    n = len(values)
    centred = values - values.mean()
    spectrum = np.fft.rfft(centred, 2 * n)
    covariance = np.fft.irfft(np.abs(spectrum) ** 2)[:n]
    if n < 2 or covariance[0] <= 1e-12 * max(1.0, float(np.abs(values).max()) ** 2):
        return 1.0
    pairs = covariance[: n // 2 * 2].reshape(-1, 2).sum(axis=1)
    negative = np.flatnonzero(pairs <= 0)
    last = int(negative[0]) if len(negative) else len(pairs)
    return float(np.clip(2 * pairs[:last].sum() / covariance[0] - 1, 1.0, n))


def reference_of(values: Values, of: str) -> Reference:
    """The reference of named quantities; those without a value are left out."""
    return Reference(of=of, columns={name: summarise(v) for name, v in values.items() if len(v)})


def anomaly_values(manifest: Manifest, scores: NDArray[np.int64], inputs: NDArray[np.int8]) -> Values:
    """Of anomaly detection: scores [n], int8 inputs of the network [n, features]."""
    return {"score": scores.astype(np.float64), **_features(inputs, _anomaly_names(manifest))}


def sound_values(labels: Sequence[str], outputs: NDArray[np.int8], frames: NDArray[np.uint16]) -> Values:
    """Of sound: int8 scores [n, labels] of inferences, features uint16 [m, channels] of frames."""
    return {**_scores(outputs, labels), **_features(frames, _channel_names(frames.shape[1]))}


def image_values(labels: Sequence[str], outputs: NDArray[np.int8], inputs: NDArray[np.int8]) -> Values:
    """Of images: int8 scores [n, labels], int8 pixels [n, rows, columns, channels]."""
    return {**_scores(outputs, labels), **looks.of_pictures(inputs)}


def gesture_values(
    gesture: GestureInput, labels: Sequence[str], outputs: NDArray[np.int8], inputs: NDArray[np.int8]
) -> Values:
    """Of a wand: int8 scores [n, labels], int8 pictures of strokes or windows of motion [n, ...]."""
    of_input = looks.of_strokes if gesture.input == "stroke" else looks.of_motion
    return {**_scores(outputs, labels), **of_input(inputs)}


def event_values(manifest: Manifest, events: Iterable[Event], name: str) -> Values:
    """From a board's events: scores and features of any task; other events are ignored.

    Args:
        manifest: of the run.
        events: in order.
        name: of the run; if a board holds two models, events name theirs.
    """
    scores: list[int] = []
    outputs: list[list[int]] = []
    frames: list[bytes] = []
    inputs: list[bytes] = []
    for event in events:
        match event:
            case Anomaly():
                scores.append(event.score)
            case Scores() | Image():
                if len(event.q) == len(manifest.labels) and getattr(event, "model", None) in (None, name):
                    outputs.append(event.q)
            case Features():
                frames.append(event.data)
            case Input():
                inputs.append(event.data)
    values: Values = {}
    if scores:
        values["score"] = np.array(scores, np.float64)
    if outputs:
        values |= _scores(np.array(outputs, np.int8), manifest.labels)
    return values | _frame_values(manifest, frames) | _input_values(manifest, inputs)


def _frame_values(manifest: Manifest, frames: Sequence[bytes]) -> Values:
    width = max(map(len, frames), default=0)
    whole = [frame for frame in frames if len(frame) == width]
    if not width or (manifest.anomaly is None and width % 2):
        return {}
    stacked = np.frombuffer(b"".join(whole), np.int8 if manifest.anomaly is not None else np.dtype("<u2"))
    stacked = stacked.reshape(len(whole), -1)
    if manifest.anomaly is None:
        return _features(stacked, _channel_names(stacked.shape[1]))
    names = _anomaly_names(manifest)
    return _features(stacked, names) if len(names) == stacked.shape[1] else {}


def _input_values(manifest: Manifest, inputs: Sequence[bytes]) -> Values:
    """From the model inputs in a board's events; those of another size are ignored."""
    image, gesture = manifest.image, manifest.gesture
    shape: tuple[int, ...]
    if image is not None:
        shape = image.size, image.size, image.channels
        of_input: Callable[[NDArray[np.int8]], Values] = looks.of_pictures
    elif gesture is not None:
        imu = gesture.imu
        shape = (imu.window_samples, AXES, 1) if imu else (raster.SIZE, raster.SIZE, raster.CHANNELS)
        of_input = looks.of_motion if imu else looks.of_strokes
    else:
        return {}
    whole = [each for each in inputs if len(each) == math.prod(shape)]
    return of_input(np.frombuffer(b"".join(whole), np.int8).reshape(-1, *shape)) if whole else {}


def _scores(outputs: NDArray[np.int8], labels: Sequence[str]) -> Values:
    return {f"score {label}": outputs[:, index].astype(np.float64) for index, label in enumerate(labels)}


def _channel_names(count: int) -> list[str]:
    return [f"channel {index}" for index in range(count)]


def _anomaly_names(manifest: Manifest) -> list[str]:
    assert manifest.anomaly is not None
    return manifest.anomaly.feature_names


def _features(values: NDArray[np.generic], names: Sequence[str]) -> Values:
    """One quantity per feature; if there are too many, one per name, averaged over time."""
    if len(names) <= _MOST_FEATURES:
        return {f"feature {name}": values[:, i].astype(np.float64) for i, name in enumerate(names)}
    places: defaultdict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(names):
        places[name.partition("[")[0]].append(index)
    return {f"feature {name}": values[:, own].mean(axis=1) for name, own in places.items()}
