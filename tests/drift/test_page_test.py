"""Page's test: the board's C and its Python twin, the choice of thresholds, and the board's events."""

from __future__ import annotations

import ctypes
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.doubles import fake_run
from tests.firmware.board_tools import require_tools
from tests.store import kept
from tinyml_cli.build.build import build
from tinyml_cli.build.target import build_target
from tinyml_cli.connect import open_board
from tinyml_cli.console import console
from tinyml_cli.drift import page_test
from tinyml_cli.drift.watch import LEAST_INFERENCES, NormalRunning, block_means, choose, drawn
from tinyml_cli.engines.settings import drift_tests
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.audio_frontend import extract, quantize_features
from tinyml_cli.features.drift_settings import (
    LARGEST_THRESHOLD,
    LARGEST_VALUE,
    MOST_BLOCK,
    DriftWatch,
    PageLimits,
    PageSettings,
)
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.files import firmware_dir
from tinyml_cli.link.protocol import Drift

INT32 = st.integers(-(1 << 31), (1 << 31) - 1)


class CTest(ctypes.Structure):
    _fields_ = [
        ("sum", ctypes.c_int32),
        ("count", ctypes.c_uint32),
        ("mean", ctypes.c_int32),
        ("above", ctypes.c_int32 * 2),
        ("below", ctypes.c_int32 * 2),
        ("drifting", ctypes.c_bool),
        ("is_above", ctypes.c_bool),
        ("pace", ctypes.c_uint),
    ]


@pytest.fixture(scope="module")
def library() -> ctypes.CDLL:
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("no gcc here")
    source = firmware_dir() / "lib" / "drift" / "page_test.c"
    flags = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-fsanitize=undefined"]

    def make(folder: Path) -> None:
        out = folder / "page_test.so"
        subprocess.run([compiler, *flags, "-fno-sanitize-recover=all", source, "-o", out], check=True)

    library = ctypes.CDLL(str(kept("page-test", [source, Path(__file__)], make) / "page_test.so"))
    library.page_test_push.restype = ctypes.c_bool
    return library


def limits(largest: int = LARGEST_THRESHOLD) -> st.SearchStrategy[PageLimits]:
    return st.builds(PageLimits, delta=st.integers(0, 2 * LARGEST_VALUE), threshold=st.integers(1, largest))


SETTINGS = st.builds(
    PageSettings,
    reference=st.integers(-LARGEST_VALUE, LARGEST_VALUE),
    sudden=limits() | limits(50),
    slow=limits() | limits(50),
)
# Extremes, and walks that go up and down.
VALUES = st.lists(INT32 | st.integers(-300, 300), max_size=60) | st.lists(
    st.sampled_from([(-1 << 31), (1 << 31) - 1, LARGEST_VALUE, -LARGEST_VALUE, 0]), max_size=60
)


@given(SETTINGS, st.sampled_from([1, 2, 7]), VALUES)
def test_c_and_python_agree(
    library: ctypes.CDLL, settings: PageSettings, block: int, values: list[int]
) -> None:
    row = [settings.reference]
    for pace in (settings.sudden, settings.slow):
        row += [pace.delta, pace.threshold]
    config = (ctypes.c_int32 * 5)(*row)
    ours, theirs = page_test.PageTest(settings, block), CTest()
    library.page_test_reset(ctypes.byref(theirs))
    for value in values:
        changed = library.page_test_push(ctypes.byref(theirs), config, ctypes.c_uint32(block), value)
        assert changed == ours.push(value)
        assert (theirs.drifting, theirs.mean) == (ours.drifting, ours.mean)
        if ours.drifting:
            assert (theirs.is_above, ("sudden", "slow")[theirs.pace]) == (ours.is_above, ours.pace)


def test_the_longest_block_of_the_largest_values_does_not_overflow(library: ctypes.CDLL) -> None:
    config, test = (ctypes.c_int32 * 5)(-LARGEST_VALUE, 0, LARGEST_THRESHOLD, 0, LARGEST_THRESHOLD), CTest()
    for number in range(3000 * 1):
        library.page_test_push(ctypes.byref(test), config, ctypes.c_uint32(1), (1 << 31) - 1)
        assert test.above[0] == min(LARGEST_THRESHOLD, (number + 1) * 2 * LARGEST_VALUE)
    for _ in range(MOST_BLOCK):
        library.page_test_push(ctypes.byref(test), config, ctypes.c_uint32(MOST_BLOCK), -(1 << 31))
    assert test.mean == -LARGEST_VALUE and test.drifting


@pytest.mark.parametrize(
    "changes",
    [
        {"block_inferences": 0},
        {"block_inferences": MOST_BLOCK + 1},
        {"score": {"reference": LARGEST_VALUE + 1}},
        {"score": {"sudden": {"delta": -1, "threshold": 1}}},
        {"input": {"slow": {"delta": 1, "threshold": 0}}},
        {"input": {"slow": {"delta": 1, "threshold": LARGEST_THRESHOLD + 1}}},
        {"input": {"slow": {"delta": "much", "threshold": 1}}},
        {"inferences_per_day": float("nan")},
    ],
)
def test_a_manifest_with_impossible_settings_is_refused(changes: dict[str, Any]) -> None:
    document = json.loads(watch().model_dump_json())
    for name, change in changes.items():
        document[name] = document[name] | change if isinstance(change, dict) else change
    with pytest.raises(ValidationError):
        DriftWatch.model_validate(document)


def watch(block: int = 4) -> DriftWatch:
    limit = PageLimits(delta=3000, threshold=20_000)
    slow = PageLimits(delta=500, threshold=60_000)
    return DriftWatch(
        block_inferences=block,
        score=PageSettings(reference=-30_000, sudden=limit, slow=slow),
        input=PageSettings(reference=-30_000, sudden=limit, slow=slow),
        inferences_per_day=864_000,
        false_alarms_per_day=0.1,
        blocks=100,
        of="nothing",
    )


def stream(rng: np.random.Generator, n: int, mean: float = 0.0) -> np.ndarray:
    """Values whose blocks of 30 s are correlated."""
    noise = rng.normal(0, 100, n + 50)
    return np.rint(mean + np.convolve(noise, np.ones(50), "valid")[:n]).astype(np.int64)


def normal(rng: np.random.Generator, n: int = 40_000) -> NormalRunning:
    return NormalRunning([(stream(rng, n), stream(rng, n)) for _ in range(3)], 86_400.0, "noise")


def test_chosen_thresholds_keep_to_the_false_alarms_and_find_changes() -> None:
    rng = np.random.default_rng(1)
    wanted = 4.0
    watch = choose(normal(rng), wanted, seed=1)
    assert watch.block_inferences == 30
    days, alarms = 10, 0
    for settings in (watch.score, watch.input):
        test = page_test.PageTest(settings, 30)
        means = block_means(stream(rng, days * 86_400), 30).tolist()
        alarms += sum(test.push_mean(mean) and test.drifting for mean in means)
    assert alarms <= 1.7 * wanted * days, f"{alarms} in {days} days"
    deviation = watch.score.sudden.delta
    for change, longest in ((4.0, 8), (1.0, 300)):  # of a block's standard deviation; blocks
        moved = stream(rng, 400 * 30, change * deviation)
        first = next(each for each in page_test.told(watch, moved, stream(rng, len(moved))) if each.drifting)
        assert first.signal == "score" and first.is_above and first.inferences <= longest * 30


def test_drift_is_over_when_the_mean_is_back() -> None:
    test = page_test.PageTest(watch().score, 1)
    told = [test.push(value) for value in [-30_000] * 5 + [-10_000] * 5 + [-30_000] * 200]
    assert told.index(True) == 6 and told.count(True) == 2
    assert not test.drifting


def test_too_little_normal_running_is_refused() -> None:
    short = NormalRunning([(np.zeros(40 * LEAST_INFERENCES - 1, np.int64),) * 2], 86_400.0, "a moment")
    with pytest.raises(TinymlError, match="199 inferences"):
        choose(short, 0.1, seed=1)


def test_normal_running_that_never_changes_gives_usable_tests() -> None:
    flat = NormalRunning([(np.full(3000, 7, np.int64),) * 2], 86_400.0, "a stopped clock")
    chosen = choose(flat, 5, seed=1)
    assert chosen.score.reference == 7 and chosen.score.slow.delta > 0 and chosen.block_inferences == 30
    shorter = NormalRunning([(np.full(400, 7, np.int64),) * 2], 86_400.0, "a stopped clock")
    assert choose(shorter, 5, seed=1).block_inferences == 10


def test_pieces_are_drawn_from_streams_of_any_length() -> None:
    rng = np.random.default_rng(0)
    found = drawn([np.arange(3), np.arange(100, 150), np.empty(0, np.int64)], 1000, rng)
    assert len(found) == 1000 and set(found) == {0, 1, 2, *range(100, 150)}


# The score is the sound's level in the window's middle.
_LEVEL = fake_run.NETWORK_C.replace(
    "scores[loud ? 2 : 0] = 127;", "scores[loud ? 2 : 0] = (int8_t)arena[1000];"
)


@pytest.mark.slow
@pytest.mark.parametrize("board", ["native", "sim", "browser"])
def test_the_board_tells_what_the_host_computes(board: str, tmp_path: Path) -> None:
    """Noise, which becomes loud and quiet again; `run` from the host counts for nothing."""
    require_tools(board)
    console.quiet = True
    settings = watch(block=2)
    with pytest.MonkeyPatch.context() as patch:
        text = f"{fake_run.MODEL_SETTINGS_H}\n{drift_tests(settings)}\n"
        patch.setattr(fake_run, "MODEL_SETTINGS_H", text)
        run = fake_run.make(tmp_path / "run", source=_LEVEL)
    build(run, build_target(board))
    rng = np.random.default_rng(5)
    sound = np.concatenate([rng.normal(0, level, 24_000) for level in (2, 6000, *[1] * 6)]).astype(np.int16)
    with open_board(run, build_target(board)) as link:
        link.info()
        link.run_inference()
        link.take_events()
        for piece in np.split(sound, len(sound) // 400):
            link.feed_pcm(piece)
        events = [event for event in link.take_events() if isinstance(event, Drift)]
    expected = page_test.told(settings, *expected_signals(sound))
    assert len(expected) >= 3 and {event.drifting for event in expected} == {True, False}, expected
    assert [(e.signal, e.drifting, e.direction == "up", e.pace, e.inferences, e.mean) for e in events] == [
        (e.signal, e.drifting, e.is_above, e.pace, e.inferences, e.mean) for e in expected
    ]


def expected_signals(sound: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    rows = quantize_features(extract(sound, AudioFrontendSettings()), 0.1, -128)
    windows = np.lib.stride_tricks.sliding_window_view(rows, 49, axis=0)[::5].transpose(0, 2, 1)
    flat = windows.reshape(len(windows), -1)
    return np.maximum(flat[:, 1000].astype(np.int64), -128) * 256, page_test.of_inputs(flat)
