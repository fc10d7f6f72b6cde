"""firmware/lib/anomaly as a shared library, called through ctypes."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tinyml_cli.features.anomaly_settings import Alarm, Mixture, SignalInput
from tinyml_cli.features.signal import cosine_table
from tinyml_cli.files import firmware_dir

_FLAGS = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-fsanitize=undefined"]


def compile_library(folder: Path) -> ctypes.CDLL:
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("no gcc here")
    library = folder / "anomaly.so"
    sources = sorted((firmware_dir() / "lib" / "anomaly").glob("*.c"))
    trap = ["-fno-sanitize-recover=all"]
    subprocess.run([compiler, *_FLAGS, *trap, *sources, "-o", library], check=True)
    return ctypes.CDLL(str(library))


class SignalConfig(ctypes.Structure):
    _fields_ = [
        ("window_samples", ctypes.c_uint16),
        ("channels", ctypes.c_uint16),
        ("bands", ctypes.c_uint16),
        ("floor_lsb", ctypes.c_uint16),
        ("cosine", ctypes.c_void_p),
    ]


class MixtureTable(ctypes.Structure):
    _fields_ = [
        ("clusters", ctypes.c_uint16),
        ("dimensions", ctypes.c_uint16),
        ("shift", ctypes.c_uint16),
        ("centers", ctypes.c_void_p),
        ("weights", ctypes.c_void_p),
        ("constants", ctypes.c_void_p),
    ]


class AlarmConfig(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint16) for name in ("raise_", "clear", "hold", "release")]


class AlarmState(ctypes.Structure):
    _fields_ = [("on", ctypes.c_bool), ("run", ctypes.c_uint32), ("held", ctypes.c_uint32)]


class LevelState(ctypes.Structure):
    _fields_ = [("level_q8", ctypes.c_uint64), ("drifting", ctypes.c_bool)]


class Calibration(ctypes.Structure):
    _fields_ = [("windows", ctypes.c_uint32), ("sum", ctypes.c_uint64), ("highest", ctypes.c_uint32 * 64)]


def pointer(array: np.ndarray) -> int:
    assert array.flags.c_contiguous
    return int(array.ctypes.data)


def features(library: ctypes.CDLL, windows: np.ndarray, settings: SignalInput) -> np.ndarray:
    table = cosine_table(settings.window_samples)
    config = SignalConfig(
        settings.window_samples, len(settings.channels), settings.bands, settings.floor_lsb, pointer(table)
    )
    library.signal_feature_count.restype = ctypes.c_size_t
    assert library.signal_feature_count(ctypes.byref(config)) == settings.n_features
    output = np.zeros((len(windows), settings.n_features), np.int32)
    for window, row in zip(np.ascontiguousarray(windows), output, strict=True):
        library.signal_features(
            ctypes.byref(config), ctypes.c_void_p(pointer(window)), ctypes.c_void_p(pointer(row))
        )
    return output


def mixture_scores(library: ctypes.CDLL, points: np.ndarray, mixture: Mixture) -> list[int]:
    arrays = (
        np.array(mixture.centers, np.int16),
        np.array(mixture.weights, np.uint16),
        np.array(mixture.constants, np.uint32),
    )
    table = MixtureTable(*arrays[0].shape, mixture.shift, *map(pointer, arrays))
    library.anomaly_mixture_score.restype = ctypes.c_uint32
    return [
        library.anomaly_mixture_score(ctypes.c_void_p(pointer(point)), ctypes.byref(table))
        for point in np.ascontiguousarray(points)
    ]


def alarm_config(settings: Alarm) -> AlarmConfig:
    return AlarmConfig(
        settings.raise_windows, settings.clear_windows, settings.hold_windows, settings.release_permille
    )
