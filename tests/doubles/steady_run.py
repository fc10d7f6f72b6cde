"""Runs of anomaly detection whose networks are made tensor by tensor: one dense layer, trained by nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tests.engines.flatbuffer_models import Model
from tinyml_cli.features.anomaly_settings import (
    Alarm,
    AnomalyInput,
    AnomalyThreshold,
    Mixture,
    SignalInput,
    SoundInput,
)
from tinyml_cli.features.audio_frontend import extract
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.features.signal import extract_windows
from tinyml_cli.files import write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Quantization
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse

Kind = Literal["imu", "series", "sound"]
_IMU = SignalInput(
    sample_rate_hz=119, window_samples=64, stride_samples=32, channels=["x", "y", "z"], bands=6
)
_SERIES = SignalInput(sample_rate_hz=40, window_samples=40, stride_samples=10, channels=["x"])
_SOUND = SoundInput(frames=8, stride_frames=4)
_CLUSTER_VALUES = 4
_THRESHOLDS = {"imu": 3_900_000, "series": 3_000_000, "sound": 2_000_000}


def make(path: Path, kind: Kind) -> Run:
    """A run of one kind of sensor; sound is scored by clusters, the others by reconstruction."""
    frontend = AudioFrontendSettings() if kind == "sound" else None
    signal = {"imu": _IMU, "series": _SERIES, "sound": None}[kind]
    values = signal.n_features if signal else _SOUND.frames * AudioFrontendSettings().channels
    network = _network(values, _CLUSTER_VALUES if frontend else values)
    run = Run.create(path)
    write_atomic(run.file(MODEL_INT8), network)
    source, target = interpret.io_quantization(parse(network))
    manifest = Manifest(
        task="anomaly",
        seed=1,
        features=frontend,
        anomaly=_settings(kind, values),
        quantization=Quantization(method="ptq", calibration_samples=1, input=source, output=target),
    )
    run.record(manifest, MODEL_INT8, "tinyml convert")
    run.save(manifest)
    return run


def recording(kind: Kind) -> NDArray[np.int16]:
    """Values of all channels in turn: a steady machine that is noisy in the middle."""
    channels = {"imu": 3, "series": 1, "sound": 1}[kind]
    samples = 16000 if kind == "sound" else 2000
    rng, time = np.random.default_rng(4), np.arange(samples)
    noise = np.where((time > samples // 3) & (time < samples // 2), 6000, 50)
    waves = 800 * np.sin(time[:, None] / 9 + np.arange(channels)) + noise[:, None] * rng.normal(
        size=(samples, channels)
    )
    return waves.clip(-32768, 32767).astype(np.int16)


def features(manifest: Manifest, values: NDArray[np.int16]) -> NDArray[np.int32]:
    """int32 [n, features] of each window of a recording, as the host computes them."""
    of = manifest.anomaly
    assert of is not None
    if of.signal is not None:
        starts = range(0, len(values) - of.signal.window_samples + 1, of.signal.stride_samples)
        windows = np.stack([values[start : start + of.signal.window_samples] for start in starts])
        return extract_windows(windows, of.signal)
    assert of.sound is not None and manifest.features is not None
    rows = extract(values[:, 0].copy(), manifest.features)
    starts = range(0, len(rows) - of.sound.frames + 1, of.sound.stride_frames)
    return np.stack([rows[start : start + of.sound.frames].reshape(-1) for start in starts]).astype(np.int32)


def _settings(kind: Kind, values: int) -> AnomalyInput:
    signal = {"imu": _IMU, "series": _SERIES, "sound": None}[kind]
    clusters = Mixture(
        shift=8,
        centers=[[-20] * _CLUSTER_VALUES, [20] * _CLUSTER_VALUES],
        weights=[[256] * _CLUSTER_VALUES] * 2,
        constants=[0, 16],
    )
    return AnomalyInput(
        method="kmeans" if signal is None else "autoencoder",
        sensor={"imu": "imu", "series": "series", "sound": "microphone"}[kind],
        signal=signal,
        sound=_SOUND if signal is None else None,
        feature_names=[f"feature {index}" for index in range(values)],
        offsets=[300] * values,
        deviations=[200.0] * values,
        clip=6.0,
        alarm=Alarm(raise_windows=2, clear_windows=3, hold_windows=4, release_permille=900),
        mixture=clusters if signal is None else None,
        threshold=AnomalyThreshold(
            score=_THRESHOLDS[kind],
            level=1_000_000, share_ppm=10_000, target="1 % of normal windows", windows=500,
            hours=1.0, exceeded=5, rate=0.01, rate_upper=0.02, confidence=0.95, float_score=1.0,
        ),
    )  # fmt: skip


def _network(inputs: int, outputs: int) -> bytes:
    rng = np.random.default_rng(inputs)
    network = Model()
    source, target = network.tensor((1, inputs), 6 / 127, 0), network.tensor((1, outputs), 8 / 127, 3)
    weights = network.tensor((outputs, inputs), 0.002, data=rng.integers(-127, 128, (outputs, inputs)))
    bias = network.tensor((outputs,), 6 / 127 * 0.002, dtype="int32", data=np.zeros(outputs))
    network.operator("FULLY_CONNECTED", [source, weights, bias], [target], "FullyConnectedOptions")
    return network.build([source], [target])
