"""Readers, the simulated machine, and that no fault can reach what learns."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.series import SeriesRecipe, UnitsRecipe
from tinyml_cli.tasks.anomaly.pool import (
    FaultInNormalDataError,
    FaultRecordings,
    MachineRecording,
    NormalRecordings,
    cut_faults,
    cut_normal,
    separate,
    split_normal,
)
from tinyml_cli.tasks.anomaly.read import read
from tinyml_cli.tasks.anomaly.simulate import FAULTS, RATE_HZ, simulate


def recording(name: str, is_normal: bool = True, n: int = 40, group: str | None = None) -> MachineRecording:
    samples = np.arange(n, dtype=np.int16)[:, None]
    return MachineRecording(name, samples, 10.0, group or name, "normal" if is_normal else "fault", is_normal)


def test_what_learns_cannot_hold_a_fault() -> None:
    with pytest.raises(FaultInNormalDataError):
        NormalRecordings([recording("a"), recording("b", is_normal=False)])
    with pytest.raises(FaultInNormalDataError):
        cut_normal(FaultRecordings([recording("b", is_normal=False)]), 4, 4, 1.0)  # type: ignore[arg-type]
    assert len(cut_faults(FaultRecordings([recording("b", is_normal=False)]), 4, 4, 1.0)) == 10


def test_windows_do_not_reach_across_recordings() -> None:
    windows = cut_normal(NormalRecordings([recording("a", n=10), recording("b", n=11)]), 4, 3, 1.0)
    assert windows.recording.tolist() == [0, 0, 0, 1, 1, 1]
    assert windows.samples[:, 0, 0].tolist() == [0, 3, 6, 0, 3, 6]


def test_groups_stay_together_and_every_condition_is_everywhere() -> None:
    recordings = [
        MachineRecording(f"{c}{i}", np.zeros((4, 1), np.int16), 1.0, f"{c}{i // 2}", c, True)
        for c in ("idle", "load")
        for i in range(20)
    ]
    parts = split_normal(NormalRecordings(recordings), 0.2, 0.2, 3, "here")
    groups = [part.groups for part in (parts.train, parts.threshold, parts.test)]
    assert not groups[0] & groups[1] and not groups[0] & groups[2] and not groups[1] & groups[2]
    assert all(
        set(part.conditions) == {"idle", "load"} for part in (parts.train, parts.threshold, parts.test)
    )
    assert [len(g) for g in groups] == [12, 4, 4]
    other = split_normal(NormalRecordings(recordings), 0.2, 0.2, 4, "here")
    assert other.test.groups != parts.test.groups


def test_one_long_recording_is_split_by_time() -> None:
    parts = split_normal(NormalRecordings([recording("a", n=1000)]), 0.2, 0.2, 1, "here")
    assert parts.by == "stretch of time"
    values = [
        np.concatenate([r.samples[:, 0] for r in part]) for part in (parts.train, parts.threshold, parts.test)
    ]
    assert sorted(np.concatenate(values).tolist()) == list(range(1000))


def test_what_the_data_holds_out_is_tested_on() -> None:
    kept = [
        MachineRecording(f"t{i}", np.zeros((4, 1), np.int16), 1.0, f"t{i}", "normal", True, True)
        for i in range(3)
    ]
    parts = split_normal(NormalRecordings([recording(str(i)) for i in range(10)] + kept), 0.2, 0.2, 1, "here")
    assert parts.test.groups == {"t0", "t1", "t2"} and len(parts.train) == 8


def test_nothing_normal_says_what_to_do() -> None:
    with pytest.raises(TinymlError, match="normal running") as caught:
        separate([recording("b", is_normal=False)], "here")
    assert "--normal" in caught.value.next_step
    with pytest.raises(TinymlError, match="Too few"):
        split_normal(NormalRecordings([recording("a", n=2)]), 0.2, 0.2, 1, "here")


def test_simulation_is_repeatable_and_faults_differ_from_normal() -> None:
    one, two = simulate(3, 1, 20.0, 0.05, 7), simulate(3, 1, 20.0, 0.05, 7)
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(one, two, strict=True))
    assert not np.array_equal(one[0].samples, simulate(3, 1, 20.0, 0.05, 8)[0].samples)
    assert {r.condition for r in one} == {"normal", *FAULTS}
    assert all(len(r.samples) == 20 * RATE_HZ and r.samples.dtype == np.int16 for r in one)
    spread = {r.condition: float(r.samples.astype(float).std(axis=0).sum()) for r in one}
    assert spread["imbalance"] > 1.2 * spread["normal"] > 2 * spread["slipping belt"]


def test_csv_with_time_labels_and_a_gap(tmp_path: Path) -> None:
    seconds = [index * 0.02 for index in range(60)]
    seconds[40:] = [value + 3.0 for value in seconds[40:]]
    lines = ["time_s,x,y,label"]
    lines += [f"{s:.3f},{i},{-i},{'normal' if i < 20 else 'worn'}" for i, s in enumerate(seconds)]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    found = read(tmp_path, (), None, 16000)
    assert found.channels == ("x", "y") and found.rate_hz == pytest.approx(50.0)
    assert [(r.condition, len(r.samples), r.is_normal) for r in found.recordings] == [
        ("normal", 20, True),
        ("worn", 20, False),
        ("worn", 20, False),
    ]
    assert "1 gap (split there)" in found.reading


@pytest.mark.parametrize(
    ("text", "complaint", "line"),
    [
        ("t,x\n0,1\n0.1,nan\n", "not a sensor reading", "line 3"),
        ("t,x\n0,1\n0.1,\n", "empty", "line 3"),
        ("t,x\n0,1\n0.1,1,2\n", "cells", "line 3"),
        ("0,1\n1,2\n", "no header", ""),
        ("t,x\n", "no samples", ""),
        ("t,x\n0,1\n0,2\n0,3\n", "does not increase", ""),
        ("t,x\n0,1\n1,2\n2,2\n1,3\n", "backwards", "line 5"),
        ("x\n1\n2\n", "no time column", ""),
    ],
)
def test_bad_csv_is_refused(tmp_path: Path, text: str, complaint: str, line: str) -> None:
    (tmp_path / "normal.csv").write_text(text)
    with pytest.raises(TinymlError, match=complaint) as caught:
        read(tmp_path, (), None, 16000)
    assert line in caught.value.where


def test_mixed_rates_are_resampled_and_mixed_columns_refused(tmp_path: Path) -> None:
    for name, step in (("normal_1", 0.01), ("normal_2", 0.01), ("normal_3", 0.02)):
        (tmp_path / f"{name}.csv").write_text("t,x\n" + "\n".join(f"{i * step},{i}" for i in range(9)))
    found = read(tmp_path, (), None, 16000)
    assert found.rate_hz == pytest.approx(100) and "1 file: 50 Hz → 100 Hz" in found.reading
    assert [len(each.samples) for each in found.recordings] == [9, 9, 18]
    assert read(tmp_path, (), None, 16000, wanted_hz=50).rate_hz == 50
    with pytest.raises(TinymlError, match="too few to make 1000") as caught:
        read(tmp_path, (), None, 16000, wanted_hz=1000)
    assert "--rate=" in caught.value.next_step
    (tmp_path / "normal_3.csv").write_text("t,z\n" + "\n".join(f"{i * 0.01},{i}" for i in range(9)))
    with pytest.raises(TinymlError, match="columns"):
        read(tmp_path, (), None, 16000)
    soundfile.write(tmp_path / "a.wav", np.zeros(800), 16000)
    with pytest.raises(TinymlError, match="mixes"):
        read(tmp_path, (), None, 16000)


def test_sound_folders_as_toyadmos_and_mimii_name_them(tmp_path: Path) -> None:
    for place in (
        "train/normal_id_01_00000000.wav",
        "train/normal_id_02_00000000.wav",
        "test/normal_id_01_00000001.wav",
        "test/anomaly_id_01_00000000.wav",
        "mimii/id_04/abnormal/00000000.wav",
        "mimii/id_04/normal/00000000.wav",
    ):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / place, np.zeros(800, np.float32), 8000)
    found = {r.name: r for r in read(tmp_path, (), None, 16000).recordings}
    assert found["train/normal_id_01_00000000.wav"].samples.shape == (1600, 1)
    assert {name for name, r in found.items() if r.is_normal} == {name for name in found if "/normal" in name}
    assert found["test/anomaly_id_01_00000000.wav"].group == "id_01"
    assert found["mimii/id_04/abnormal/00000000.wav"].group == "id_04"
    assert {name for name, r in found.items() if r.held_out} == {
        name for name in found if name[:5] == "test/"
    }


def test_motion_of_edge_impulse(shared: Path) -> None:
    found = read(shared / "data" / "imu_motion_nicla", ("Idle", "Terrestrial"), None, 16000)
    assert found.sensor == "imu" and found.rate_hz == pytest.approx(59.0) and len(found.recordings) == 40
    assert sum(r.is_normal for r in found.recordings) == 20
    idle = next(r for r in found.recordings if r.condition == "Idle")
    gravity = np.linalg.norm(idle.samples[:, :3].astype(float).mean(axis=0))
    assert 900 < gravity < 1100


def test_bad_motion_is_refused(tmp_path: Path) -> None:
    axes = [{"name": n, "units": "m/s2"} for n in ("accX", "accY", "accZ")]
    axes += [{"name": n, "units": "dps"} for n in ("gyrX", "gyrY", "gyrZ")]
    good = {"interval_ms": 10, "sensors": axes, "values": [[0, 0, 9.80665, 1, 2, 3]] * 4}
    file = tmp_path / "Idle.1.json"
    file.write_text(json.dumps({"payload": good}))
    assert read(tmp_path, ("idle",), None, 1).recordings[0].samples[0].tolist() == [0, 0, 1000, 10, 20, 30]
    for change in ({"values": [[0, 0, 0, 0, 0, float("nan")]]}, {"values": [[1, 2]]}, {"interval_ms": 0}):
        file.write_text(json.dumps({"payload": good | change}))
        with pytest.raises(TinymlError):
            read(tmp_path, ("idle",), None, 1)
    for text in ("[]", "{", '{"payload": 3}'):
        file.write_text(text)
        with pytest.raises(TinymlError, match=r"Edge Impulse|JSON"):
            read(tmp_path, ("idle",), None, 1)


def test_tables_of_windows(shared: Path, tmp_path: Path) -> None:
    found = read(shared / "data" / "ecg5000", (), None, 16000)
    assert len(found.recordings) == 500 and found.window_samples == 140
    assert sum(r.is_normal for r in found.recordings) == 292
    (tmp_path / "a.txt").write_text("1 2 3 4\n1 2 3\n")
    with pytest.raises(TinymlError, match="3 values"):
        read(tmp_path, (), None, 1)


def test_tables_with_decimal_commas_hold_the_same_windows(tmp_path: Path) -> None:
    rows = np.random.default_rng(0).normal(size=(6, 32))
    lines = ["\t".join(["1", *(f"{value:.5f}" for value in row)]) for row in rows]
    (tmp_path / "dot.txt").write_text("\n".join(lines))
    (tmp_path / "comma.txt").write_text("\n".join(lines).replace(".", ","))
    dot, comma = (read(tmp_path / name, (), None, 16000) for name in ("dot.txt", "comma.txt"))
    assert dot.window_samples == comma.window_samples == 32
    for one, other in zip(dot.recordings, comma.recordings, strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)
        assert (one.condition, one.is_normal) == (other.condition, other.is_normal) == ("1", True)


def test_three_axes_of_edge_impulse_and_one_file(tmp_path: Path) -> None:
    sensors = [{"name": f"acc{axis}", "units": "m/s2"} for axis in "XYZ"]
    payload = {"interval_ms": 16, "sensors": sensors, "values": [[0, 0, 9.80665]] * 40}
    file = tmp_path / "normal.1.json"
    file.write_text(json.dumps({"payload": payload}))
    for path in (file, tmp_path):
        found = read(path, (), None, 16000)
        assert (found.sensor, found.channels, found.rate_hz) == ("imu", ("ax_mg", "ay_mg", "az_mg"), 62.5)
        assert found.recordings[0].samples[0].tolist() == [0, 0, 1000] and found.recordings[0].is_normal


def test_one_value_a_row(tmp_path: Path) -> None:
    (tmp_path / "normal.txt").write_text("\n".join(f"{value},5" for value in range(30)))
    (tmp_path / "normal.csv").write_text("value\n" + "\n".join(f"{value},5" for value in range(30)))
    found = read(tmp_path / "normal.csv", (), 10.0, 16000)
    assert found.recordings[0].samples[:3, 0].tolist() == [0.5, 1.5, 2.5] and found.channels == ("value",)
    (tmp_path / "normal.txt").write_text("\n".join(f"{value}.5" for value in range(30)))
    assert read(tmp_path / "normal.txt", (), 10.0, 16000).recordings[0].samples.shape == (30, 1)


def test_vibration_without_gravity_keeps_its_own_unit(tmp_path: Path) -> None:
    shaken = 0.02 * np.sin(np.arange(300)[:, None] * [0.3, 0.5, 0.7])
    rows = "\n".join(f"{i / 100},{x:.6f},{y:.6f},{z:.6f}" for i, (x, y, z) in enumerate(shaken))
    (tmp_path / "normal.csv").write_text("time_s,ax,ay,az\n" + rows)
    with pytest.raises(TinymlError, match="gravity does not") as caught:
        read(tmp_path, (), None, 16000)
    assert "or own to leave it" in caught.value.next_step
    own = SeriesRecipe(units=UnitsRecipe(accel="own"))
    found = read(tmp_path, (), None, 16000, own)
    assert found.sensor == "series" and "own unit" in found.reading and found.units == {"accel": "own"}
    assert read(tmp_path, (), None, 16000, assumed=found.units).channels == found.channels
    np.testing.assert_allclose(found.recordings[0].samples, shaken, atol=1e-6)


def test_every_file_is_counted(tmp_path: Path) -> None:
    (tmp_path / "normal.csv").write_text("t,x\n" + "\n".join(f"{i / 10},{i}" for i in range(9)))
    (tmp_path / "slides.pdf").write_bytes(b"%PDF")
    left_out = read(tmp_path, (), None, 16000).left_out
    assert [(each.path.name, each.reason) for each in left_out] == [
        ("slides.pdf", "`.pdf` is not a supported recording format")
    ]
    (tmp_path / "normal.csv").unlink()
    with pytest.raises(TinymlError, match=r"slides\.pdf"):
        read(tmp_path, (), None, 16000)


def test_no_data_is_said(tmp_path: Path) -> None:
    with pytest.raises(TinymlError, match="No readable files"):
        read(tmp_path, (), None, 1)
    with pytest.raises(TinymlError, match="The data does not exist"):
        read(tmp_path / "x", (), None, 1)
