"""Named quantities, from the scores and features of an evaluation or from a board's events."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.drift import image_columns as looks
from tinyml_cli.drift.image_columns import Values
from tinyml_cli.features import raster
from tinyml_cli.features.anomaly_settings import AnomalyInput
from tinyml_cli.features.drift_settings import DriftColumn, Reference
from tinyml_cli.features.gesture_settings import AXES, GestureInput
from tinyml_cli.features.image_settings import ImageInput
from tinyml_cli.link.protocol import Anomaly, Event, Features, Image, Input, Scores

_QUANTILES = 40
# More features than these are averaged over time, so that a manifest stays readable.
_MOST_FEATURES = 128


def summarise(values: NDArray[np.float64]) -> DriftColumn:
    """Shares between quantiles of values [n], in order of time; equal values share an edge."""
    edges = np.unique(np.quantile(values, np.arange(1, _QUANTILES) / _QUANTILES, method="inverted_cdf"))
    counts = np.bincount(np.searchsorted(edges, values, "left"), minlength=len(edges) + 1)
    return DriftColumn(
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


def anomaly_values(of: AnomalyInput, scores: NDArray[np.int64], inputs: NDArray[np.int8]) -> Values:
    """Of anomaly detection: scores [n], int8 inputs of the network [n, features]."""
    return {"score": scores.astype(np.float64), **_features(inputs, of.feature_names)}


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


def score_values(labels: Sequence[str], events: Iterable[Event], name: str) -> Values:
    """Of the scores that a board has reported, of whatever task; other events are passed over.

    Args:
        labels: of the manifest.
        events: in order.
        name: of the run; if a board holds two models, events name theirs.
    """
    scores: list[int] = []
    outputs: list[list[int]] = []
    for event in events:
        match event:
            case Anomaly():
                scores.append(event.score)
            case Scores() | Image():
                if len(event.q) == len(labels) and getattr(event, "model", None) in (None, name):
                    outputs.append(event.q)
    values: Values = {}
    if scores:
        values["score"] = np.array(scores, np.float64)
    if outputs:
        values |= _scores(np.array(outputs, np.int8), labels)
    return values


def frame_values(events: Iterable[Event]) -> Values:
    """Of the frames of a front end, uint16, that a board has reported."""
    frames = _whole_frames(events)
    width = len(frames[0]) if frames else 0
    if not width or width % 2:
        return {}
    stacked = np.frombuffer(b"".join(frames), "<u2").reshape(len(frames), -1)
    return _features(stacked, _channel_names(stacked.shape[1]))


def feature_values(of: AnomalyInput, events: Iterable[Event]) -> Values:
    """Of the int8 features of windows that a board has reported."""
    frames = _whole_frames(events)
    if not frames or len(frames[0]) != len(of.feature_names):
        return {}
    return _features(np.frombuffer(b"".join(frames), np.int8).reshape(len(frames), -1), of.feature_names)


def picture_values(image: ImageInput, events: Iterable[Event]) -> Values:
    """Of the images that a board has reported as its model's input."""
    inputs = _inputs(events, (image.size, image.size, image.channels))
    return looks.of_pictures(inputs) if len(inputs) else {}


def motion_values(gesture: GestureInput, events: Iterable[Event]) -> Values:
    """Of the pictures of strokes, or windows of motion, that a board has reported as its model's input."""
    imu = gesture.imu
    inputs = _inputs(
        events, (imu.window_samples, AXES, 1) if imu else (raster.SIZE, raster.SIZE, raster.CHANNELS)
    )
    of_input = looks.of_motion if imu else looks.of_strokes
    return of_input(inputs) if len(inputs) else {}


def _whole_frames(events: Iterable[Event]) -> list[bytes]:
    """Features that a board has reported; those that were cut off are passed over."""
    frames = [event.data for event in events if isinstance(event, Features)]
    width = max(map(len, frames), default=0)
    return [frame for frame in frames if len(frame) == width]


def _inputs(events: Iterable[Event], shape: tuple[int, ...]) -> NDArray[np.int8]:
    """Inputs int8 [n, *shape] that a board has reported; those of another size are passed over."""
    whole = [e.data for e in events if isinstance(e, Input) and len(e.data) == math.prod(shape)]
    return np.frombuffer(b"".join(whole), np.int8).reshape(-1, *shape)


def _scores(outputs: NDArray[np.int8], labels: Sequence[str]) -> Values:
    return {f"score {label}": outputs[:, index].astype(np.float64) for index, label in enumerate(labels)}


def _channel_names(count: int) -> list[str]:
    return [f"channel {index}" for index in range(count)]


def _features(values: NDArray[np.generic], names: Sequence[str]) -> Values:
    """One quantity per feature; if there are too many, one per name, averaged over time."""
    if len(names) <= _MOST_FEATURES:
        return {f"feature {name}": values[:, i].astype(np.float64) for i, name in enumerate(names)}
    places: defaultdict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(names):
        places[name.partition("[")[0]].append(index)
    return {f"feature {name}": values[:, own].mean(axis=1) for name, own in places.items()}
