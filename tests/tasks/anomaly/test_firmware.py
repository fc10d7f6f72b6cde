"""The application `anomaly` as a host process and on the virtual board: the host's scores, byte for byte."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="extra `train` is not installed")

from tests.conftest import Tinyml
from tests.firmware.board_tools import require_tools
from tests.outcomes import check as check_outcome
from tests.tasks.anomaly import runs
from tests.tasks.anomaly.device import AnomalyDevice
from tinyml_cli.build import build
from tinyml_cli.build.target import build_target
from tinyml_cli.console import console
from tinyml_cli.evaluation.evaluate import evaluate
from tinyml_cli.run import Run
from tinyml_cli.tasks.anomaly import held_out as anomaly_held_out
from tinyml_cli.tasks.anomaly.alarm import AlarmState, Level, threshold_of
from tinyml_cli.tasks.anomaly.evaluate import score_windows
from tinyml_cli.tasks.anomaly.model import AnomalyModel
from tinyml_cli.tasks.anomaly.pool import MachineRecording


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    console.quiet = True
    return tmp_path_factory.mktemp("anomaly_firmware")


@pytest.fixture(scope="module")
def made(folder: Path) -> dict[str, Run]:
    """One run of each kind of sensor and score."""
    beats, sounds = runs.write_beats(folder / "beats"), runs.write_sounds(folder / "sounds")
    return {
        "imu": runs.train(folder / "imu", training__epochs=10),
        "series": runs.train(folder / "series", beats, method="gmm", mixture__clusters=3),
        "sound": runs.train(folder / "sound", sounds, method="kmeans", mixture__clusters=2),
    }


@pytest.fixture(scope="module")
def boot(made: dict[str, Run]) -> Callable[[str, str], AnomalyDevice]:
    def start(kind: str, board: str) -> AnomalyDevice:
        require_tools(board)
        console.quiet = True
        elf = Path(build.build(made[kind], build_target(board)).elf)
        device = AnomalyDevice(board, elf)
        device.is_imu = kind == "imu"
        device.wait("ready")
        return device

    return start


def test_clusters_find_the_faults(made: dict[str, Run]) -> None:
    for kind in ("series", "sound"):
        outcome = evaluate(made[kind])
        assert outcome.int8.auc > 0.95
        assert abs(outcome.int8.auc - outcome.float32.auc) < 0.01


def some(run: Run) -> list[MachineRecording]:
    """A normal recording and one of each of two faults."""
    kept = anomaly_held_out.load(run)
    normal = [each for each in kept if each.is_normal]
    faults = [each for each in kept if not each.is_normal]
    return [normal[0], faults[0], faults[-1]]


@pytest.mark.parametrize(
    ("kind", "board"),
    [
        ("imu", "native"),
        pytest.param("imu", "sim", marks=pytest.mark.slow),
        ("series", "native"),
        ("sound", "sim"),
    ],
)
def test_scores_are_the_hosts(
    made: dict[str, Run], boot: Callable[[str, str], AnomalyDevice], kind: str, board: str
) -> None:
    device, run = boot(kind, board), made[kind]
    model = AnomalyModel(run, run.manifest())
    for recording in some(run):
        device.ask("reset")
        events = device.feed(recording.samples, recording.samples.shape[1])
        judged = score_windows(model, [recording])
        assert [event["score"] for event in events] == judged.scores.tolist()
        assert {event["threshold"] for event in events} == {model.threshold()}
        state, level = AlarmState(model.settings.alarm), Level(*_trained(model))
        for event in events:
            state.push(event["score"], event["threshold"])
            if not state.on:
                level.push(event["score"], event["threshold"])
            assert (event["alarm"], event["level"]) == (state.on, level.level)
    device.process.kill()


def test_evaluate_feeds_a_board(
    made: dict[str, Run], boot: Callable[[str, str], AnomalyDevice], tinyml: Tinyml, tmp_path: Path
) -> None:
    boot("sound", "native").process.kill()
    command = ("evaluate", made["sound"].path, "--on", "native", "--limit", "6", "--json")
    judged = tinyml(*command, cwd=tmp_path).json
    check_outcome("evaluate", judged)
    device = judged["device"]
    assert (device["board"], device["level"], device["recordings"]) == ("native", "host", 6)
    assert device["mismatches"] == 0 and device["n"] >= 6


@pytest.mark.slow
def test_a_machine_is_heard_by_this_computers_microphone(
    made: dict[str, Run],
    boot: Callable[[str, str], AnomalyDevice],
    tinyml: Tinyml,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    boot("sound", "native").process.kill()
    sounds = runs.write_sounds(tmp_path / "sounds")
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "data" / "microphone")
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    told = {}
    for name in ("normal_00", "anomaly_00"):
        monkeypatch.setenv("FAKE_MICROPHONE", str(sounds / f"{name}.wav"))
        monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
        options = ("--board", "native", "--microphone", "--duration", "1", "--json")
        answer = tinyml("monitor", made["sound"].path, *options, cwd=tmp_path)
        events = [json.loads(line) for line in answer.out.splitlines()]
        scores = [event["score"] for event in events if event.get("event") == "anomaly"]
        told[name] = scores[:3]  # the file lasts a second
    assert min(told["anomaly_00"]) > max(told["normal_00"])


def _trained(model: AnomalyModel) -> tuple[int, int]:
    assert model.settings.threshold is not None
    return model.settings.threshold.level, model.settings.alarm.level_shift


def test_a_slow_drift_is_told_and_not_learnt(
    made: dict[str, Run], boot: Callable[[str, str], AnomalyDevice]
) -> None:
    device, run = boot("imu", "native"), made["imu"]
    model = AnomalyModel(run, run.manifest())
    normal = np.concatenate([e.samples for e in anomaly_held_out.load(run) if e.is_normal] * 4)
    ramp = np.minimum(1.0, np.linspace(0, 3, len(normal)))[:, None]
    told = []
    for strength_mg in (3, 5, 7, 9, 12):
        device.ask("reset")
        rougher = np.random.default_rng(0).normal(0, strength_mg, normal.shape) * ramp
        events = device.feed(np.rint(normal + rougher).astype(np.int16), 3)
        assert {event["threshold"] for event in events} == {model.threshold()}
        told.append([event["drifting"] for event in events])
        assert not any(told[-1][:10])
    assert any(map(any, told))
    device.process.kill()


def test_samples_in_any_pieces_give_the_same_scores(
    made: dict[str, Run], boot: Callable[[str, str], AnomalyDevice]
) -> None:
    device, samples = boot("imu", "native"), some(made["imu"])[1].samples
    whole = [event["score"] for event in device.feed(samples, 3)]
    device.ask("reset")
    pieces: list[int] = []
    start = 0
    for size in [1, 7, 105, 50] * 100:
        pieces += [event["score"] for event in device.feed(samples[start : start + size], 3)]
        start += size
    assert pieces == whole
    device.process.kill()


def test_a_fault_raises_the_alarm_and_lights_the_led(
    made: dict[str, Run], boot: Callable[[str, str], AnomalyDevice]
) -> None:
    device, (normal, _, _) = boot("imu", "native"), some(made["imu"])
    strong = [e for e in anomaly_held_out.load(made["imu"]) if e.condition == "bearing outer race"][-1]
    assert not any(event["alarm"] for event in device.feed(normal.samples, 3)[:3])
    assert any(event["alarm"] for event in device.feed(strong.samples, 3))
    colors = [(e["r"], e["g"], e["b"]) for e in device.heard if e["event"] == "led"]
    assert colors[-1] == (255, 0, 0)
    device.process.kill()


def test_calibration_finds_the_threshold_anew_and_is_kept(
    made: dict[str, Run],
    boot: Callable[[str, str], AnomalyDevice],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = made["imu"]
    monkeypatch.setenv("TINYML_STORE", str(tmp_path / "store"))
    device = boot("imu", "native")
    assert device.ask("calibrate", 1)["reason"] == "range"
    assert device.ask("calibrate", 999_999_999)["reason"] == "range"
    # Another machine: normal running of this one is a fault of the trained one.
    fault = [e for e in anomaly_held_out.load(run) if e.condition == "imbalance"][-1]
    long = np.concatenate([fault.samples] * 2)
    assert device.ask("calibrate", 25)["event"] == "ack"
    scores = [event["score"] for event in device.feed(long, 3)]
    calibrated = next(event for event in device.heard if event["event"] == "calibrated")
    anomaly = run.manifest().anomaly
    assert anomaly is not None and anomaly.threshold is not None
    wanted = threshold_of(scores[: calibrated["windows"]], anomaly.threshold.share_ppm)
    assert calibrated["done"] and calibrated["stored"] and calibrated["threshold"] == wanted
    assert calibrated["previous"] == anomaly.threshold.score
    device.process.kill()
    again = boot("imu", "native")
    assert again.feed(fault.samples, 3)[0]["threshold"] == wanted
    assert again.ask("calibrate", 0)["event"] == "ack"
    assert again.feed(fault.samples, 3)[0]["threshold"] == anomaly.threshold.score
    again.process.kill()
    stored = tmp_path / "store"
    stored.write_bytes(bytes(byte ^ 1 for byte in stored.read_bytes()))
    damaged = boot("imu", "native")
    assert damaged.feed(fault.samples, 3)[0]["threshold"] == anomaly.threshold.score
    damaged.process.kill()


def test_other_sensors_commands_are_refused(boot: Callable[[str, str], AnomalyDevice]) -> None:
    device = boot("imu", "native")
    assert device.ask("pcm", bulk=bytes(4))["reason"] == "command"
    assert device.ask("imu", bulk=bytes(14))["reason"] == "format"
    series = boot("series", "native")
    assert series.ask("imu", bulk=bytes(12))["reason"] == "command"
    device.process.kill()
    series.process.kill()


def test_monitor_replays_and_draws(
    made: dict[str, Run], boot: Callable[[str, str], AnomalyDevice], tinyml: Tinyml, tmp_path: Path
) -> None:
    boot("imu", "native").process.kill()
    run = made["imu"]
    replay = anomaly_held_out.write_replay(run, 1)
    log, picture = tmp_path / "log.jsonl", tmp_path / "scores.png"
    command: list[Any] = ["monitor", run.path, "--board", "native", "--replay", replay]
    answer = tinyml(*command, "--png", picture, "--log", log, cwd=tmp_path)
    assert "faults found" in answer.out and picture.stat().st_size > 5000
    assert log.read_text().count('"anomaly"') > 50
    refused = tinyml(*command, "--calibrate", "1", cwd=tmp_path, code=2)
    assert "seconds of normal running" in refused.err
    refused = tinyml(*command[:-2], "--calibrate", "15", cwd=tmp_path, code=2)
    assert "add --replay" in refused.err  # there is nothing that could end it
    calibrated = tinyml(*command[:-1], replay / "normal", "--calibrate", "15", cwd=tmp_path)
    assert "Calibrated on" in calibrated.out
