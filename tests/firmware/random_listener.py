"""A run that listens with random weights: what it hears means nothing, but every byte of it is defined."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.engines.flatbuffer_models import Model
from tinyml_cli.features.audio_frontend import extract, quantize_features
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import RecognizerSettings
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.tasks.kws.recognizer import RecognizerConfig, ReportedWord
from tinyml_cli.tasks.kws.stream_recognizer import detections, smooth
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse


def make(path: Path, words: list[str], seed: int, recognizer: RecognizerSettings) -> Run:
    """One dense layer over all features, and a softmax."""
    rng = np.random.default_rng(seed)
    features = AudioFrontendSettings()
    labels = ["silence", "unknown", *words]
    inputs = features.frames(features.sample_rate_hz) * features.channels
    model = Model()
    source = model.tensor((1, inputs // features.channels, features.channels, 1), 0.1, -128)
    weights = model.tensor((len(labels), inputs), 0.02, data=rng.integers(-127, 128, (len(labels), inputs)))
    bias = model.tensor((len(labels),), 0.002, dtype="int32", data=np.zeros(len(labels)))
    hidden = model.tensor((1, len(labels)), 0.2, 0)
    output = model.tensor((1, len(labels)), 1 / 256, -128)
    model.operator("FULLY_CONNECTED", [source, weights, bias], [hidden], "FullyConnectedOptions")
    model.operator("SOFTMAX", [hidden], [output], "SoftmaxOptions", beta=1.0)
    run = Run.create(path)
    run.file(MODEL_INT8).write_bytes(model.build([source], [output]))
    manifest = Manifest(task="kws", seed=seed, labels=labels, features=features, recognizer=recognizer)
    run.record(manifest, MODEL_INT8, "test")
    run.save(manifest)
    return run


def scores(run: Run, audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Times int64 [n] and int8 [n, labels] that TensorFlow Lite Micro gives for a stream int16 [samples]."""
    manifest, model = run.manifest(), run.file(MODEL_INT8).read_bytes()
    features = manifest.features
    assert features is not None
    source, _ = interpret.io_quantization(parse(model))
    rows = quantize_features(extract(audio, features), source.scale, source.zero_point)
    frames = features.frames(features.sample_rate_hz)
    starts = np.arange(0, len(rows) - frames + 1, manifest.recognizer.inference_stride_frames)
    windows = np.stack([rows[start : start + frames] for start in starts])
    samples = features.window_samples + (starts + frames - 1) * features.stride_samples
    return samples * 1000 // features.sample_rate_hz, interpret.run_int8(model, windows, "tflm")


def heard(run: Run, audio: np.ndarray) -> list[ReportedWord]:
    """What firmware has to report of the stream."""
    manifest = run.manifest()
    _, output = interpret.io_quantization(parse(run.file(MODEL_INT8).read_bytes()))
    settings = RecognizerConfig.of(manifest.recognizer, manifest.labels, output)
    return detections(smooth(*scores(run, audio), settings), settings)


def sounds(seconds: int, seed: int) -> np.ndarray:
    """int16 [samples]: tones and noises that come and go, so that the features keep changing."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(16_000) / 16_000
    parts = []
    for _ in range(seconds):
        tone = np.sin(2 * np.pi * rng.uniform(150, 5000) * time_s) * rng.uniform(0, 9000)
        parts.append(tone + rng.normal(0, 10 ** rng.uniform(0, 3.5), 16_000))
    return np.clip(np.concatenate(parts), -32768, 32767).astype(np.int16)
