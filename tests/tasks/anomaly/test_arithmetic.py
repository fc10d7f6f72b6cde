"""The firmware's C and the host's numpy give the same integers."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from tests.tasks.anomaly import c_library
from tinyml_cli.errors import TinymlError
from tinyml_cli.features import signal
from tinyml_cli.features.anomaly_settings import Alarm, SignalInput
from tinyml_cli.manifest_sections import TensorQuantization
from tinyml_cli.tasks.anomaly import alarm, score

RNG = np.random.default_rng(5)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return c_library.compile_library(tmp_path_factory.mktemp("anomaly"))


def settings(window: int, channels: int, bands: int, floor: int = 4) -> SignalInput:
    return SignalInput(
        sample_rate_hz=100,
        window_samples=window,
        stride_samples=window,
        channels=[f"c{i}" for i in range(channels)],
        bands=bands,
        floor_lsb=floor,
    )


def some_windows(window: int, channels: int) -> np.ndarray:
    """Noise of every size, extremes, steps, constants and tones."""
    shape = (4, window, channels)
    kinds = [RNG.normal(0, size, shape) for size in (0.5, 30, 3000, 30000)]
    kinds += [RNG.choice([-32768, 32767], shape), np.zeros(shape), np.full(shape, -32768), np.full(shape, 7)]
    tone = 8000 * np.sin(np.arange(window)[None, :, None] * RNG.uniform(0, np.pi, (4, 1, channels)))
    kinds += [tone, np.where(np.arange(window)[None, :, None] < window // 2, -32768, 32767) + np.zeros(shape)]
    return np.clip(np.rint(np.concatenate(kinds)), -32768, 32767).astype(np.int16)


@pytest.mark.parametrize(
    ("window", "channels", "bands", "floor"),
    [(128, 3, 16, 4), (512, 1, 64, 1), (64, 6, 31, 50), (8, 1, 3, 1), (140, 1, 0, 4), (25, 6, 0, 4)],
)
def test_features_are_the_same(
    library: ctypes.CDLL, window: int, channels: int, bands: int, floor: int
) -> None:
    of = settings(window, channels, bands, floor)
    windows = some_windows(window, channels)
    assert np.array_equal(signal.extract_windows(windows, of), c_library.features(library, windows, of))
    assert len(signal.feature_names(of)) == of.n_features


def test_a_tone_lies_in_its_band() -> None:
    of = settings(128, 1, 16)
    tone = (3000 * np.sin(2 * np.pi * 20.0 * np.arange(128) / 100)).astype(np.int16)[None, :, None]
    features = signal.extract_windows(tone, of)[0]
    names = signal.feature_names(of)
    low, high = map(float, names[4 + int(np.argmax(features[4:]))].split()[1].split("-"))
    assert low <= 20 <= high
    assert features[1] == pytest.approx(256 * np.log2(128 * 3000**2 / 2), abs=20)


def test_logarithm_at_every_edge(library: ctypes.CDLL) -> None:
    edges = [value for bit in range(63) for value in (2**bit - 1, 2**bit, 2**bit + 1) if value > 0]
    values = np.array([*edges, 2**63 + 5, 2**64 - 1], np.uint64)
    library.signal_log2_q8.restype = ctypes.c_int32
    expected = [library.signal_log2_q8(ctypes.c_uint64(int(value))) for value in values]
    assert signal.log2_q8(values).tolist() == expected
    assert np.abs(np.array(expected) / 256 - np.log2(values.astype(float))).max() < 1.5 / 256


def test_standardised_input_is_the_same(library: ctypes.CDLL) -> None:
    n = 200
    features = RNG.integers(-40000, 40000, (20, n)).astype(np.int32)
    offsets = RNG.integers(-3000, 3000, n).astype(np.int32)
    deviations = [0.0 if i % 17 == 0 else float(10 ** RNG.uniform(-1, 4)) for i in range(n)]
    mine = signal.standardize(features, offsets.tolist(), deviations, 0.041, -3)
    factor, shift = signal.multipliers(deviations, 0.041)
    for row, wanted in zip(features, mine, strict=True):
        output = np.zeros(n, np.int8)
        library.signal_standardize(
            *(ctypes.c_void_p(c_library.pointer(a)) if isinstance(a, np.ndarray) else a for a in (row,)),
            ctypes.c_size_t(n),
            ctypes.c_void_p(c_library.pointer(offsets)),
            ctypes.c_void_p(c_library.pointer(factor)),
            shift,
            -3,
            ctypes.c_void_p(c_library.pointer(output)),
        )
        assert np.array_equal(output, wanted)
    real = signal.to_real(features, offsets.tolist(), deviations, 1e9) / 0.041 - 3
    inside = np.abs(real) < 120
    assert np.abs(mine[inside] - real[inside]).max() <= 0.51


def test_features_that_never_change_are_left_out() -> None:
    features = np.array([[5, 9], [-4000, 9]], np.int32)
    assert signal.standardize(features, [0, 9], [0.0, 2.0], 0.1, 4).tolist() == [[4, 4], [4, 4]]
    with pytest.raises(TinymlError, match="are constant"):
        signal.multipliers([0.0, 0.0], 0.1)


def test_reconstruction_score_is_the_same(library: ctypes.CDLL) -> None:
    source, target = (
        TensorQuantization(scale=0.05, zero_point=-4),
        TensorQuantization(scale=0.031, zero_point=9),
    )
    inputs = RNG.integers(-128, 128, (50, 640)).astype(np.int8)
    outputs = RNG.integers(-128, 128, (50, 640)).astype(np.int8)
    outputs[0] = 127
    inputs[0] = -128
    library.anomaly_reconstruction_score.restype = ctypes.c_uint32
    theirs = [
        library.anomaly_reconstruction_score(
            ctypes.c_void_p(c_library.pointer(a)),
            ctypes.c_void_p(c_library.pointer(b)),
            ctypes.c_size_t(640),
            -4,
            9,
            score.ratio_q16(source, target),
        )
        for a, b in zip(inputs, outputs, strict=True)
    ]
    mine = score.reconstruction_scores(inputs, outputs, source, target)
    assert mine.tolist() == theirs
    real = (0.05 * (inputs.astype(float) + 4) - 0.031 * (outputs.astype(float) - 9)) ** 2
    assert mine / 256 * 0.05**2 == pytest.approx(real.mean(axis=1), rel=1e-3)


def test_mixture_score_is_the_same_and_near_the_float_one(library: ctypes.CDLL) -> None:
    target = TensorQuantization(scale=0.06, zero_point=3)
    centers, precisions = RNG.normal(0, 2, (5, 12)), 10 ** RNG.uniform(-1, 1.5, (5, 12))
    constants = RNG.uniform(0, 9, 5)
    table = score.quantize_mixture(centers, precisions, constants, target)
    points = RNG.integers(-128, 128, (300, 12)).astype(np.int8)
    mine = score.mixture_scores(points, table)
    assert mine.tolist() == c_library.mixture_scores(library, points, table)
    real = score.float_mixture_scores(0.06 * (points.astype(float) - 3), centers, precisions, constants)
    assert mine / 256 == pytest.approx(real, rel=0.02)


def test_alarm_is_the_same_and_does_not_flicker(library: ctypes.CDLL) -> None:
    of = Alarm(raise_windows=3, clear_windows=2, hold_windows=6, release_permille=800)
    config, theirs, mine = c_library.alarm_config(of), c_library.AlarmState(), alarm.AlarmState(of)
    library.anomaly_alarm_push.restype = ctypes.c_bool
    changes = 0
    for value in RNG.integers(60, 130, 5000).tolist():
        changed = library.anomaly_alarm_push(ctypes.byref(theirs), ctypes.byref(config), value, 100)
        assert changed == mine.push(value, 100)
        assert (theirs.on, theirs.run, theirs.held) == (mine.on, mine.run, mine.held)
        changes += changed
    assert changes > 100
    state = alarm.AlarmState(of)
    on = [
        (state.push(v, 100) and state.on) or state.on
        for v in [100, 120, 99, 100, 100, 100, 81, 10, 10, 10, 10, 10]
    ]
    assert on == [False] * 5 + [True] * 6 + [False]
    assert alarm.alarms([100] * 12, 100, of) == 1
    assert alarm.alarms([100] * 1100, 100, of) == 100


def test_level_is_the_same_and_drift_is_reported_not_learnt(library: ctypes.CDLL) -> None:
    theirs, mine = c_library.LevelState(), alarm.Level(40, 6)
    library.anomaly_level_reset(ctypes.byref(theirs), 40)
    library.anomaly_level_push.restype = ctypes.c_bool
    scores = [*RNG.integers(20, 60, 300), *RNG.integers(60, 100, 600), *RNG.integers(0, 50, 900), 2**32 - 1]
    told = []
    for index, value in enumerate(map(int, scores)):
        changed = library.anomaly_level_push(ctypes.byref(theirs), value, 40, 100, 6)
        assert changed == mine.push(value, 100)
        assert (theirs.level_q8, theirs.drifting) == (mine.level_q8, mine.drifting)
        if changed:
            told.append((index, mine.drifting))
    assert [state for _, state in told] == [True, False]
    assert 300 < told[0][0] < 900 < told[1][0]


def test_calibrated_threshold_is_the_same(library: ctypes.CDLL) -> None:
    needs, limit = library.anomaly_calibration_needs, library.anomaly_calibration_limit
    needs.restype = limit.restype = ctypes.c_uint32
    library.anomaly_calibration_threshold.restype = ctypes.c_bool
    library.anomaly_calibration_level.restype = ctypes.c_uint32
    for share, count in ((10_000, 99), (10_000, 100), (10_000, 3000), (333_333, 190), (50_000, 1279)):
        state, answer = c_library.Calibration(), ctypes.c_uint32()
        library.anomaly_calibration_start(ctypes.byref(state))
        values = RNG.integers(0, 500, count).tolist()
        for value in values:
            library.anomaly_calibration_push(ctypes.byref(state), value)
        found = library.anomaly_calibration_threshold(ctypes.byref(state), share, ctypes.byref(answer))
        wanted = alarm.threshold_of(values, share)
        assert (answer.value if found else None) == wanted, (share, count)
        assert needs(share) == alarm.windows_needed(share)
        assert library.anomaly_calibration_level(ctypes.byref(state)) == sum(values) // count
        if wanted is not None:
            assert sum(value >= wanted for value in values) <= count * share / 1e6
    state = c_library.Calibration()
    library.anomaly_calibration_start(ctypes.byref(state))
    for value in range(limit(100_000) + 1):
        assert library.anomaly_calibration_threshold(ctypes.byref(state), 100_000, ctypes.byref(answer)) == (
            state.windows >= 10
        )
        library.anomaly_calibration_push(ctypes.byref(state), value)
    assert not library.anomaly_calibration_threshold(ctypes.byref(state), 100_000, ctypes.byref(answer))
