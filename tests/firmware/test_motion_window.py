"""Windows of raw motion: the C library against the host's twin."""

from __future__ import annotations

import ctypes
import shutil
import subprocess

import numpy as np
import pytest

from tests.firmware.native import LIBRARIES
from tinyml_cli.features.gesture_settings import ImuInput
from tinyml_cli.features.motion_windows import MotionWindow, quantize
from tinyml_cli.features.signal import multipliers

SCALE, ZERO_POINT = 0.0157, 3


class Config(ctypes.Structure):
    _fields_ = [
        ("window_samples", ctypes.c_uint16),
        ("stride_samples", ctypes.c_uint16),
        ("start_mg", ctypes.c_uint16),
        ("suppression_samples", ctypes.c_uint32),
        ("multipliers", ctypes.c_int32 * 6),
        ("shift", ctypes.c_uint8),
        ("zero_point", ctypes.c_int8),
    ]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc here")
    path = tmp_path_factory.mktemp("window") / "window.so"
    command = ["gcc", "-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared"]
    command += ["-fsanitize=undefined", "-fno-sanitize-recover=all"]
    subprocess.run([*command, LIBRARIES / "motion" / "motion_window.c", "-o", path], check=True)
    library = ctypes.CDLL(str(path))
    library.motion_window_reset.restype = library.motion_window_push.restype = ctypes.c_bool
    return library


def config_of(imu: ImuInput) -> Config:
    factors, shift = multipliers(imu.deviations, SCALE)
    return Config(
        imu.window_samples,
        imu.stride_samples,
        imu.start_mg,
        imu.suppression_samples,
        (ctypes.c_int32 * 6)(*factors.tolist()),
        shift,
        ZERO_POINT,
    )


@pytest.mark.parametrize("start_mg", [0, 2500])
@pytest.mark.parametrize("accepts", [False, True])
def test_windows_begin_and_read_as_on_the_host(library: ctypes.CDLL, start_mg: int, accepts: bool) -> None:
    imu = ImuInput(window_samples=50, stride_samples=20, start_mg=start_mg, suppression_ms=300)
    rng = np.random.default_rng(3)
    loudness = np.where((np.arange(900) // 70) % 3 == 1, 1500, 300)[:, None]
    samples = np.clip(rng.normal(0, 1, (900, 6)) * loudness * [1, 1, 1, 20, 20, 20], -32768, 32767)
    samples = samples.astype(np.int16)
    memory, config, host = ctypes.create_string_buffer(8192), config_of(imu), MotionWindow(imu)
    assert library.motion_window_reset(memory, ctypes.byref(config))
    ends = []
    for index, sample in enumerate(samples.tolist()):
        is_due = host.push(sample)
        assert library.motion_window_push(memory, (ctypes.c_int16 * 6)(*sample)) == is_due
        if not is_due:
            continue
        ends.append(index)
        given = np.zeros((50, 6, 1), np.int8)
        library.motion_window_input(memory, given.ctypes.data_as(ctypes.c_void_p))
        window = samples[None, index - 49 : index + 1]
        np.testing.assert_array_equal(given, quantize(window, imu, SCALE, ZERO_POINT)[0])
        if accepts:
            host.accept()
            library.motion_window_accept(memory)
    gaps = np.diff(ends)
    assert len(ends) >= 4
    if accepts:
        assert gaps.min() >= imu.suppression_samples
    elif start_mg == 0:
        assert set(gaps) == {20} and ends[0] == 49


def test_impossible_settings_are_refused(library: ctypes.CDLL) -> None:
    memory = ctypes.create_string_buffer(8192)
    for name, value in (("window_samples", 0), ("window_samples", 513), ("stride_samples", 0), ("shift", 0)):
        config = config_of(ImuInput())
        setattr(config, name, value)
        assert not library.motion_window_reset(memory, ctypes.byref(config))


def test_the_model_s_numbers_are_those_of_the_float_model() -> None:
    imu = ImuInput(accelerometer_mg=2000, gyroscope_ddps=2500)
    window = np.array([[[1000, -2000, 4000, 2500, -5000, 30000]]], np.int16)
    real = (quantize(window, imu, SCALE, 0)[0, 0, :, 0] * SCALE).tolist()
    assert real[:5] == pytest.approx([0.5, -1, 2, 1, -2], abs=SCALE)
    assert real[5] == pytest.approx(127 * SCALE)
