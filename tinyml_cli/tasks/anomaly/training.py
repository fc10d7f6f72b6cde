"""The training of anomaly detection: normal windows, a network or clusters, and the manifest."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data import inventory
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.anomaly_settings import Alarm, AnomalyInput
from tinyml_cli.features.signal import to_real
from tinyml_cli.files import write_arrays
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Data, Epochs, Model
from tinyml_cli.models import count_macs
from tinyml_cli.outcomes.stages import Trained
from tinyml_cli.recipes.anomaly import AnomalyRecipe
from tinyml_cli.run import CHECKPOINT, Run
from tinyml_cli.tasks.anomaly import data as anomaly_data
from tinyml_cli.tasks.anomaly import federation
from tinyml_cli.tasks.anomaly import held_out as anomaly_held_out
from tinyml_cli.tasks.anomaly import threshold as thresholds
from tinyml_cli.tasks.anomaly.data import PreparedRecordings
from tinyml_cli.tasks.anomaly.model import CLUSTERS
from tinyml_cli.tasks.anomaly.pool import NormalRecordings, NormalWindows
from tinyml_cli.training.checkpoint import Checkpoint, Resume
from tinyml_cli.training.run_training import RunTraining

if TYPE_CHECKING:
    import keras

TRAINING_SAMPLE = "logs/training_sample.npz"
THRESHOLD_SAMPLE = "logs/threshold_normal.npz"
_TRAINING_SAMPLE_SIZE = 4000


def train(run: Run, recipe: AnomalyRecipe, resume: Resume | bool = False) -> Trained:
    """Learns normal running; see `TaskSpec.train`.

    Raises:
        TinymlError: unusable data, or packages that are missing.
    """
    training = RunTraining(run, recipe, resume)
    data = anomaly_data.prepare(recipe)
    train, held = data.windows(data.splits.train), data.windows(data.splits.threshold)
    features = data.source.features(train.samples)
    standard = anomaly_data.standard(features, data.source, data.found.window_samples is not None)
    asked = recipe.threshold
    thresholds.check_reachable(len(held), data.source.window_s, asked.fpr, asked.false_alarms_per_hour)
    held_features = data.source.features(held.samples)
    training.begin()
    fit = _fit(run, recipe, data, train, features, held_features, standard, resume)
    manifest = _describe(recipe, data, standard, fit, {"train": train, "threshold": held})
    rows = np.random.default_rng([recipe.seed, 6]).permutation(len(features))[:_TRAINING_SAMPLE_SIZE]
    arrays: dict[str, dict[str, NDArray[Any]]] = {
        TRAINING_SAMPLE: {"features": features[rows]},
        THRESHOLD_SAMPLE: {
            "features": held_features,
            "recording": held.recording,
            "sources": np.array([each.group for each in data.splits.threshold], np.str_)[held.recording],
        },
    }
    if fit.clusters is not None:
        arrays[CLUSTERS] = vars(fit.clusters)
    for name, content in arrays.items():
        write_arrays(run.file(name), content)
    kept = anomaly_held_out.save(run, data.splits.test, data.faults, data.source.sample_scale)
    return training.finish(
        manifest,
        fit.model,
        [*arrays, anomaly_held_out.HELD_OUT, *fit.files],
        (len(train), len(held), kept),
        notes=list(data.notes),
        left_out=inventory.counts(data.found.left_out),
    )


@dataclass(frozen=True)
class _Fit:
    """What training made."""

    model: keras.Model
    metrics: Mapping[str, float]
    clusters: Any = None
    epochs: Epochs | None = None
    files: Sequence[str] = ()


def build(recipe: AnomalyRecipe, data: PreparedRecordings) -> keras.Model:
    """The untrained autoencoder of a recipe.

    Raises:
        TinymlError: a network that needs a time axis, on features without one.
    """
    from tinyml_cli.models import autoencoders

    of = recipe.autoencoder
    values = len(data.source.feature_names())
    if of.network == "mlperf_fc":
        return autoencoders.mlperf_fc(values)
    if of.network == "small_fc":
        return autoencoders.small_fc(values, of.hidden, of.bottleneck)
    per_step = data.source.values_per_step
    if not per_step:
        raise TinymlError(
            "Spectrum bands have no time axis for a convolution",
            "autoencoder.network=conv1d",
            "Use --set signal.bands=0, or another network.",
        )
    return autoencoders.conv1d(values // per_step, per_step, of.bottleneck)


def _fit(
    run: Run,
    recipe: AnomalyRecipe,
    data: PreparedRecordings,
    windows: NormalWindows,
    features: NDArray[np.int32],
    held_features: NDArray[np.int32],
    standard: anomaly_data.Standard,
    resume: Resume | bool,
) -> _Fit:
    clip = recipe.training.clip
    real = to_real(features, standard.offsets, standard.deviations, clip)
    if recipe.method != "autoencoder":
        Checkpoint(run.file(CHECKPOINT)).clear()
        return _fit_clusters(recipe, real)
    held = to_real(held_features, standard.offsets, standard.deviations, clip)
    digest = hashlib.sha256(recipe.to_yaml().encode())
    digest.update(features.tobytes())
    mark, logs = digest.hexdigest(), run.file("logs")
    files: Sequence[str] = ()
    if recipe.federation is None:
        from tinyml_cli.training.reconstruct import fit

        fitted = fit(lambda: build(recipe, data), real, held, recipe, logs, mark, resume)
    else:
        from tinyml_cli.training.federated import telling

        plan, federated = federation.train(
            lambda: build(recipe, data), data, windows, real, held, standard, recipe, logs, mark, resume
        )
        files, fitted = telling.write(run, plan, federated), federated.fitted
    metrics = {"validation_loss": round(fitted.validation_loss, 5), "epochs": fitted.epochs}
    planned = recipe.training.epochs
    return _Fit(fitted.model, metrics, epochs=Epochs(done=fitted.epochs, planned=planned), files=files)


def _fit_clusters(recipe: AnomalyRecipe, real: NDArray[np.float32]) -> _Fit:
    from tinyml_cli.models import projection
    from tinyml_cli.training import clusters

    found = clusters.components(real, recipe.mixture, recipe.seed)
    points = real.astype(np.float64) @ found.matrix + found.bias
    made = clusters.fit(points, recipe.method, recipe.mixture, recipe.seed)
    metrics = {"dimensions": found.matrix.shape[1], "clusters": len(made.constants)}
    return _Fit(projection.build(found.matrix, found.bias), metrics, made)


def _describe(
    recipe: AnomalyRecipe,
    data: PreparedRecordings,
    standard: anomaly_data.Standard,
    fit: _Fit,
    windows: dict[str, NormalWindows],
) -> Manifest:
    source = data.source
    parts: dict[str, NormalRecordings] = {
        "train": data.splits.train,
        "threshold": data.splits.threshold,
        "test": data.splits.test,
    }
    return Manifest(
        task=recipe.task,
        seed=recipe.seed,
        complete=fit.epochs is None or fit.epochs.done == fit.epochs.planned,
        epochs=fit.epochs,
        features=source.frontend,
        data=Data(
            source="folder" if recipe.data_path else "synthetic",
            path=recipe.data_path,
            split_by=data.splits.by,
            counts={split: _by_condition(each) for split, each in windows.items()},
            groups={split: len(part.groups) for split, part in parts.items()},
            notes=list(data.notes),
            units=dict(data.found.units),
            left_out=inventory.counts(data.found.left_out),
        ),
        model=Model(
            name=recipe.autoencoder.network if recipe.method == "autoencoder" else recipe.method,
            parameters=fit.model.count_params(),
            macs=count_macs(fit.model),
        ),
        anomaly=AnomalyInput(
            method=recipe.method,
            sensor=data.found.sensor,
            signal=source.signal,
            sound=source.sound,
            feature_names=source.feature_names(),
            offsets=standard.offsets,
            deviations=standard.deviations,
            clip=recipe.training.clip,
            alarm=_alarm(recipe, source.window_s),
            fpr=recipe.threshold.fpr,
            false_alarms_per_hour=recipe.threshold.false_alarms_per_hour,
            confidence=recipe.threshold.confidence,
        ),
        metrics={"train": dict(fit.metrics)},
    )


def _by_condition(windows: NormalWindows) -> dict[str, int]:
    return dict(Counter(windows.conditions[index] for index in windows.recording))


def _alarm(recipe: AnomalyRecipe, window_s: float) -> Alarm:
    of = recipe.alarm
    return Alarm(
        raise_windows=of.raise_windows,
        clear_windows=of.clear_windows,
        hold_windows=min(60_000, round(of.minimum_s / window_s)),
        release_permille=max(1, round(1000 * of.release_share)),
        level_shift=of.level_shift,
    )
