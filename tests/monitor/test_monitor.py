"""The monitor: what a person and a program see, and which firmware it refuses."""

from __future__ import annotations

import base64
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.doubles.reference_device import LABELS
from tests.processes import running
from tinyml_cli.build.target import build_target
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.image_settings import ImageInput
from tinyml_cli.link.protocol import Audio, Detection, Ready
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Artifact
from tinyml_cli.monitor.monitor import monitor
from tinyml_cli.monitor.tally import Summary
from tinyml_cli.monitor.task_monitor import MonitorOptions
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.tasks.kws.device_triggers import Triggers
from tinyml_cli.tasks.kws.replay import with_quiet

Double = Callable[..., Path]
MODEL = "0123456789ab"
LOUD = np.full(8000, 8000, np.int16)


@pytest.fixture
def run(tmp_path: Path, native_double: Double) -> Run:
    """A run whose firmware for `native` is a protocol test double."""
    run = Run(tmp_path / "run")
    run.path.mkdir()
    manifest = Manifest(task="kws", seed=1, labels=LABELS)
    manifest.artifacts[MODEL_INT8] = Artifact(sha256=MODEL + "0" * 52, bytes=1, made_by="test")
    run.save(manifest)
    native_double(to=run.path / "firmware" / "native" / "firmware.elf")
    return run


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    for name, audio in {"yes/a": LOUD, "yes/b": 0 * LOUD, "tree/c": LOUD, "_silence_/d": 0 * LOUD}.items():
        path = tmp_path / "clips" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, audio, 16_000)
    return tmp_path / "clips"


def test_the_sound_that_fired_is_saved(run: Run, clips: Path, tmp_path: Path) -> None:
    folder = tmp_path / "fired"
    monitor(run, build_target("native"), MonitorOptions(replay=clips, save_triggers=folder))
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["yes_tree_c_00000.04s.wav", "yes_yes_a_00000.04s.wav"]
    sound, rate_hz = soundfile.read(folder / names[1], dtype="int16")
    end = 1040 * 16
    assert rate_hz == 16_000
    assert np.array_equal(sound, with_quiet(LOUD, 16_000)[end - 16_000 : end])


def test_two_models_that_fire_at_once_leave_a_file_each(tmp_path: Path) -> None:
    kept = Triggers(tmp_path, clip_ms=1000, sample_rate_hz=16_000)
    kept.play("yes/a.wav", with_quiet(LOUD, 16_000))
    for model in ("near", "far"):
        kept.take(Detection.model_validate({"label": "yes", "score": 0.9, "t_ms": 1500, "model": model}))
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"yes_yes_a_near_00000.50s.wav", "yes_yes_a_far_00000.50s.wav"}


def test_what_a_run_cannot_do_is_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(TinymlError, match="no anomaly threshold"):
        monitor(run, build_target("native"), MonitorOptions(calibrate_s=20))
    manifest = run.manifest()
    manifest.task, manifest.image = "vww", ImageInput(size=32)
    run.save(manifest)
    with pytest.raises(TinymlError, match="detects no words"):
        monitor(run, build_target("native"), MonitorOptions(save_triggers=tmp_path / "new"))
    assert not (tmp_path / "new").exists()


def test_triggers_go_into_a_folder_of_their_own(run: Run, clips: Path, tmp_path: Path) -> None:
    with pytest.raises(TinymlError, match="folder is not empty"):
        monitor(run, build_target("native"), MonitorOptions(replay=clips, save_triggers=clips))
    with pytest.raises(TinymlError, match=r"no microphone.*--replay"):
        monitor(run, build_target("native"), MonitorOptions(save_triggers=tmp_path / "fired"))


def test_the_sound_of_the_board_s_microphone_is_saved(tmp_path: Path) -> None:
    sound = np.random.default_rng(1).integers(-9000, 9000, 48_000).astype(np.int16)
    folder = tmp_path / "fired"
    triggers = Triggers(folder, 1000, 16_000)

    def pass_on(first: int, last: int, size: int) -> None:
        for start in range(first, last, size):
            piece = sound[start : min(start + size, last)].astype("<i2").tobytes()
            triggers.take(Audio(sample=start, data=base64.b64encode(piece).decode()))

    def saved(t_ms: int, name: str) -> np.ndarray:
        triggers.take(Detection(label="yes", score=0.9, t_ms=t_ms))
        return soundfile.read(folder / name, dtype="int16")[0]

    triggers.take(Detection(label="yes", score=0.9, t_ms=2000))
    assert not folder.exists(), "nothing has come yet"
    pass_on(0, 40_100, 160)
    assert np.array_equal(saved(2500, "yes_microphone_00002.50s.wav"), sound[24_000:40_000])
    pass_on(41_000, 48_000, 100)
    after_the_gap = saved(2900, "yes_microphone_00002.90s.wav")
    assert np.array_equal(after_the_gap, sound[41_000:46_400])
    banner = {"protocol": 1, "tinyml": "", "app": "kws", "board": "", "engine": "", "model": ""}
    triggers.take(Ready.model_validate(banner))
    pass_on(0, 16_000, 640)
    assert np.array_equal(saved(1000, "yes_microphone-1_00001.00s.wav"), sound[:16_000])


def test_a_device_does_not_choose_where_triggers_are_written(tmp_path: Path) -> None:
    triggers = Triggers(tmp_path / "fired", 1000, 16_000)
    triggers.play("../a.wav", LOUD)
    triggers.take(Detection(label="../../x\0/y", score=1.0, t_ms=500))
    assert [path.parent for path in tmp_path.rglob("*.wav")] == [tmp_path / "fired"]


def _events(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_replay_for_a_person(run: Run, clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = monitor(run, build_target("native"), MonitorOptions(replay=clips))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("native: tinyml 0.1.0, kws, engine none, model 0123456789ab")
    assert lines[1].startswith("Listening for: yes, no")
    assert "Heard yes (94%) @1040ms" in lines
    assert "yes/a.wav: expected yes, heard yes at 0.04 s of the recording" in lines
    assert "1 hit, 1 miss, 1 false accept, 1 rejection" in lines[-1]
    assert summary.n == 4 and summary.detections == 2


def test_replay_for_a_program(run: Run, clips: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = monitor(run, build_target("native"), MonitorOptions(replay=clips, as_json=True))
    events = _events(capsys.readouterr().out)
    assert events[0]["event"] == "ready" and events[0]["model"] == MODEL
    assert events[-1] == summary.as_dict()
    assert {"event": "detection", "label": "yes", "score": 0.94, "t_ms": 1040} in events
    clip_events = [event for event in events if event["event"] == "clip"]
    assert [(e["file"], e["expected"], e["detected"]) for e in clip_events] == [
        ("_silence_/d.wav", "silence", None),
        ("tree/c.wav", "unknown", "yes"),
        ("yes/a.wav", "yes", "yes"),
        ("yes/b.wav", "yes", None),
    ]
    assert {event["event"] for event in events} == {"ready", "detection", "led", "clip", "summary"}


def test_live_on_a_given_port_until_duration(
    run: Run, reference_device: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    summary = monitor(
        run, build_target("native", port=reference_device()), MonitorOptions(duration_s=0.3, as_json=True)
    )
    captured = capsys.readouterr()
    assert [event["event"] for event in _events(captured.out)] == ["ready", "summary"]
    assert "no microphone" in captured.err
    assert 0.3 <= summary.seconds < 5


def test_a_real_board_passes_on_what_it_heard(
    run: Run, reference_device: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = MonitorOptions(save_triggers=tmp_path / "fired", duration_s=0.5, as_json=True)
    summary = monitor(run, build_target("nano33ble", port=reference_device()), options)
    assert summary.detections == 1
    events = [event["event"] for event in _events(capsys.readouterr().out)]
    assert events == ["ready", "detection", "summary"], "sound is kept, not shown"
    (path,) = (tmp_path / "fired").iterdir()
    sound, rate_hz = soundfile.read(path, dtype="int16")
    assert (path.name, rate_hz) == ("yes_microphone_00001.20s.wav", 16_000)
    assert np.array_equal(sound, np.arange(3200, 19_200))


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT to a process is POSIX")
def test_ctrl_c_ends_with_the_summary(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    summary = monitor(run, build_target("native"), MonitorOptions(duration_s=30, as_json=True))
    assert summary.seconds < 10
    assert _events(capsys.readouterr().out)[-1]["event"] == "summary"


def test_damaged_recordings_still_give_a_summary(
    run: Run, clips: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (clips / "yes" / "zz.wav").write_bytes(b"junk")
    with pytest.raises(TinymlError, match=r"zz\.wav"):
        monitor(run, build_target("native"), MonitorOptions(replay=clips, as_json=True))
    events = _events(capsys.readouterr().out)
    assert events[-1]["event"] == "summary" and events[-1]["n"] == 4


def test_stale_firmware_is_refused(
    run: Run, native_double: Double, capsys: pytest.CaptureFixture[str]
) -> None:
    native_double("--model", "ffffffffffff", to=run.path / "firmware" / "native" / "firmware.elf")
    with pytest.raises(TinymlError, match="Stale firmware") as caught:
        monitor(run, build_target("native"), MonitorOptions(as_json=True))
    assert caught.value.next_step == "Run `tinyml flash --board native`."
    assert capsys.readouterr().out == ""


def test_other_labels_are_refused(run: Run) -> None:
    manifest = run.manifest()
    manifest.labels = ["silence", "unknown", "go", "stop"]
    run.save(manifest)
    with pytest.raises(TinymlError, match=r"labels silence, unknown, yes, no.*go, stop"):
        monitor(run, build_target("native"))


def test_firmware_that_was_not_built(run: Run) -> None:
    (run.path / "firmware" / "native" / "firmware.elf").unlink()
    with pytest.raises(TinymlError, match="No firmware") as caught:
        monitor(run, build_target("native"))
    assert "tinyml build --board native" in caught.value.next_step


def test_unknown_board_is_refused(run: Run) -> None:
    with pytest.raises(TinymlError, match="Unknown board `toaster`"):
        monitor(run, build_target("toaster"))


def test_summary_adds_up() -> None:
    summary = Summary()
    pairs = [("yes", "yes"), ("yes", "no"), ("yes", None), ("unknown", "yes"), ("unknown", "unknown")]
    for expected, detected in [*pairs, ("silence", None), (None, "yes")]:
        summary.count(expected, detected)
    assert (summary.n, summary.hits, summary.misses) == (6, 1, 2)
    assert (summary.false_accepts, summary.rejections) == (1, 2)


@pytest.mark.skipif(not hasattr(signal, "SIGPIPE"), reason="a closed pipe is a POSIX matter")
def test_the_device_is_gone_when_the_monitor_ends(run: Run, clips: Path) -> None:
    monitor(run, build_target("native"), MonitorOptions(replay=clips / "yes" / "a.wav"))
    assert not [process for process in running() if str(run.path) in process.command]
