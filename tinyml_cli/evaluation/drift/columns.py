"""Named quantities: from scores and features of evaluation, and from the events that a board has sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.device.protocol import Anomaly, Event, Features, Scores
from tinyml_cli.features.drift_settings import Column, Reference
from tinyml_cli.manifest import Manifest

Values = dict[str, NDArray[np.float64]]

_QUANTILES = 40
# More features than these are averaged over time, so that a manifest stays readable.
_MOST_FEATURES = 128


def summarise(values: NDArray[np.float64]) -> Column:
    """Shares between quantiles of values [n]; equal values share an edge."""
    edges = np.unique(np.quantile(values, np.arange(1, _QUANTILES) / _QUANTILES, method="inverted_cdf"))
    counts = np.bincount(np.searchsorted(edges, values, "left"), minlength=len(edges) + 1)
    return Column(n=len(values), edges=edges.tolist(), shares=(counts / len(values)).tolist())


def reference_of(values: Values, of: str) -> Reference:
    """The summary of named quantities; those without a value are left out."""
    return Reference(of=of, columns={name: summarise(v) for name, v in values.items() if len(v)})


def anomaly_values(manifest: Manifest, scores: NDArray[np.int64], inputs: NDArray[np.int8]) -> Values:
    """Of anomaly detection: scores [n], int8 inputs of the network [n, features]."""
    return {"score": scores.astype(np.float64), **_features(inputs, _anomaly_names(manifest))}


def clip_values(labels: Sequence[str], outputs: NDArray[np.int8], features: NDArray[np.uint16]) -> Values:
    """Of clips: int8 scores [n, labels], features uint16 [n, frames, channels] frame by frame."""
    frames = features.reshape(-1, features.shape[-1])
    names = [f"channel {index}" for index in range(frames.shape[1])]
    return {**_scores(outputs, labels), **_features(frames, names)}


def event_values(manifest: Manifest, events: Iterable[Event]) -> Values:
    """Of what a board has reported: `anomaly`, `scores` and `features` events; others are passed over."""
    scores: list[int] = []
    outputs: list[list[int]] = []
    frames: list[bytes] = []
    for event in events:
        if isinstance(event, Anomaly):
            scores.append(event.score)
        elif isinstance(event, Scores) and len(event.q) == len(manifest.labels):
            outputs.append(event.q)
        elif isinstance(event, Features):
            frames.append(event.data)
    values: Values = {}
    if scores:
        values["score"] = np.array(scores, np.float64)
    if outputs:
        values |= _scores(np.array(outputs, np.int8), manifest.labels)
    kind = np.int8 if manifest.anomaly is not None else np.dtype("<u2")
    width = max((len(frame) for frame in frames), default=0)
    whole = [np.frombuffer(frame, kind) for frame in frames if len(frame) == width and width]
    if whole:
        stacked = np.stack(whole)
        names = (
            _anomaly_names(manifest)
            if manifest.anomaly is not None
            else [f"channel {index}" for index in range(stacked.shape[1])]
        )
        values |= _features(stacked, names) if len(names) == stacked.shape[1] else {}
    return values


def _scores(outputs: NDArray[np.int8], labels: Sequence[str]) -> Values:
    return {f"score {label}": outputs[:, index].astype(np.float64) for index, label in enumerate(labels)}


def _anomaly_names(manifest: Manifest) -> list[str]:
    assert manifest.anomaly is not None
    return manifest.anomaly.feature_names


def _features(values: NDArray[np.generic], names: Sequence[str]) -> Values:
    """One quantity for each feature; of too many, one for each name without its place in time."""
    if len(names) <= _MOST_FEATURES:
        return {f"feature {name}": values[:, i].astype(np.float64) for i, name in enumerate(names)}
    places: defaultdict[str, list[int]] = defaultdict(list)
    for index, name in enumerate(names):
        places[name.partition("[")[0]].append(index)
    return {f"feature {name}": values[:, own].mean(axis=1) for name, own in places.items()}
