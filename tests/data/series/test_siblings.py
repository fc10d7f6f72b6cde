"""Kinds of files in which something used to be guessed, dropped or refused without a way on."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.data.series.dialects import motion
from tests.data.series.test_reader import (
    BOARD,
    COURSE,
    FORCE,
    NAMES,
    RATE,
    G,
    N,
    T,
    V,
    assert_same,
    series,
    table,
    takes,
)
from tinyml_cli.data.series.read import SUFFIXES, read_series
from tinyml_cli.data.series.sources import files_in, sources
from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.series import SeriesRecipe
from tinyml_cli.tasks.wand.takes import read_takes

UNITS = (*(f"a{a}_g" for a in "xyz"), *(f"g{a}_dps" for a in "xyz"))


@pytest.mark.parametrize("kept", [4, 5])
def test_a_missing_axis_is_no_zero(tmp_path: Path, kept: int) -> None:
    with pytest.raises(TinymlError, match="but not for") as refusal:
        takes(tmp_path / "wave.csv", table(("t_ms", *UNITS[:kept]), np.c_[T * 1000, V[:, :kept]]))
    assert "data.columns" in refusal.value.next_step


def test_files_with_and_without_rotation_or_gravity_do_not_mix(tmp_path: Path) -> None:
    whole = table(("t_ms", *UNITS), np.c_[T * 1000, V])
    (tmp_path / "wave.1.csv").write_text(whole)
    (tmp_path / "wave.2.csv").write_text(table(("t_ms", *UNITS[:3]), np.c_[T * 1000, FORCE]))
    with pytest.raises(TinymlError, match=r"wave\.2\.csv"):
        read_takes(tmp_path, 119, 119)
    names = [f"linear acceleration {a} (g)" for a in "xyz"]
    (tmp_path / "wave.1.csv").write_text(table(("t_ms", *names), np.c_[T * 1000, FORCE - [0, 0, 1]]))
    with pytest.raises(TinymlError, match="without gravity"):
        read_takes(tmp_path, 119, 119)


@pytest.mark.parametrize("rate", [40.0, 62.5, 119.0, 400.0])
@pytest.mark.parametrize("wanted", [None, 62.5])
def test_files_of_another_rate_are_resampled(tmp_path: Path, rate: float, wanted: float | None) -> None:
    seconds = np.arange(int(2 * rate)) / rate
    for number in range(4):
        (tmp_path / f"wave.{number}.csv").write_text(table(("t_ms", *UNITS), np.c_[T * 1000, V]))
    odd = table(("t_ms", *UNITS), np.c_[seconds * 1000, motion(seconds)])
    (tmp_path / "snake.csv").write_text(odd)
    recorded = read_takes(tmp_path, 119, 119, wanted_hz=wanted)
    used = wanted or (rate if rate == 400 else 100.0)
    assert recorded.rate_hz == pytest.approx(used, rel=0.01)
    (snake,) = (take for take in recorded.takes if take.label == "snake")
    expected = motion(np.arange(len(snake.samples)) / used) * ([1000.0] * 3 + [10.0] * 3)
    inner = slice(len(expected) // 8, -len(expected) // 8)
    np.testing.assert_allclose(snake.samples[inner], expected[inner], atol=15)
    if abs(rate - used) > 1:
        assert f"{rate:.4g} Hz → {used:.4g} Hz" in recorded.reading


@pytest.mark.parametrize("counts", [16384, 8192, 4096, 2048])
@pytest.mark.parametrize(("off", "told"), [(1.0, True), (1.03, True), (16000 / 16384, False), (0.74, False)])
def test_counts_are_told_at_rest_alone(tmp_path: Path, counts: int, off: float, told: bool) -> None:
    rest = np.tile([0.1, 0.2, 0.9747], (N, 1)) + np.random.default_rng(0).normal(0, 0.002, (N, 3))
    text = table(("t_ms", *NAMES[:3]), np.c_[T * 1000, np.rint(rest * counts * off)])
    if told:
        recorded = takes(tmp_path / "rest.csv", text)
        assert f"counts of 1/{counts} g" in recorded.reading
        return
    with pytest.raises(TinymlError, match="accX, accY, accZ") as refusal:
        takes(tmp_path / "rest.csv", text)
    assert "--set data.units.accel=" in refusal.value.next_step


PHYPHOX = {
    "de": ("Beschleunigung mit g", "Gyroskop", "Zeit (s)"), "es": ("Acelerómetro", "Giroscopio",
           "Tiempo (s)"),
    "pl": ("Akcelerometr", "Żyroskop", "Czas (s)"), "ru": ("Акселерометр", "Гироскоп", "Время (с)"),
    "ja": ("加速度計", "ジャイロスコープ", "時間 (s)"), "tr": ("İvmeölçer", "Jiroskop", "Zaman (s)"),
    "el": ("Επιταχυνσιόμετρο", "Γυροσκόπιο", "Χρόνος (s)"), "none": ("1", "2", "s"),
}  # fmt: skip


@pytest.mark.parametrize("language", PHYPHOX)
@pytest.mark.parametrize("zipped", [False, True])
def test_files_of_each_sensor_in_any_language(tmp_path: Path, language: str, zipped: bool) -> None:
    felt, turned, time = PHYPHOX[language]
    units = ("м/с^2", "рад/с") if language == "ru" else ("m/s^2", "rad/s")
    members = {
        f"{felt}.csv": table((time, *(f"{felt} {a} ({units[0]})" for a in "xyz")), np.c_[T, FORCE * G]),
        f"{turned}.csv": table(
            (time, *(f"{turned} {a} ({units[1]})" for a in "xyz")), np.c_[T, np.radians(RATE)]
        ),
        "Ohne.csv": table((time, *(f"? {a} ({units[0]})" for a in "xyz")), np.c_[T, (FORCE - [0, 0, 1]) * G]),
        "meta/time.csv": "event,experiment time\nSTART,0\nPAUSE,3\n",
        "meta/device.csv": "property,value\nversion,1\n",
    }
    folder = tmp_path / "wave" / "first"
    if zipped:
        folder.parent.mkdir()
        with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
            for name, text in members.items():
                archive.writestr(name, text)
    else:
        (folder / "meta").mkdir(parents=True)
        for name, text in members.items():
            (folder / name).write_text(text, encoding="utf-8")
    recorded = read_takes(tmp_path, 119, 119)
    assert_same(recorded)
    assert [take.label for take in recorded.takes] == ["wave"]
    if not zipped:
        assert {each.path.name for each in recorded.left_out} == {"Ohne.csv", "time.csv", "device.csv"}


def test_what_describes_a_single_file_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "wave" / "meta").mkdir(parents=True)
    (tmp_path / "wave" / "Raw Data.csv").write_text(table(("t_ms", *UNITS), np.c_[T * 1000, V]))
    (tmp_path / "wave" / "meta" / "time.csv").write_text("event,experiment time\nSTART,0\nPAUSE,3\n")
    assert_same(read_takes(tmp_path, 119, 119))


def test_an_archive_of_several_recordings_says_to_unpack_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for number in range(3):
            archive.writestr(f"training/wave.{number}.json", "{}")
    with pytest.raises(TinymlError, match="3 files") as refusal:
        read_takes(tmp_path, 119, 119)
    assert "Unpack it" in refusal.value.next_step


@pytest.mark.parametrize("units", [None, "", "N/A"])
def test_acquisitions_of_unnamed_axes(tmp_path: Path, units: str | None) -> None:
    sensors = [{"name": a} | ({} if units is None else {"units": units}) for a in "xyz"]
    payload = {"interval_ms": 10, "sensors": sensors, "values": (FORCE * G).tolist()}
    (tmp_path / "wave.1.json").write_text(json.dumps({"payload": payload}))
    assert_same(read_takes(tmp_path, 119, 119), 3)
    payload["values"] = (FORCE * 3.3).tolist()
    (tmp_path / "wave.1.json").write_text(json.dumps({"payload": payload}))
    with pytest.raises(TinymlError) as refusal:
        read_takes(tmp_path, 119, 119)
    assert "data.units.accel" in refusal.value.next_step


def test_axes_that_feel_gravity_are_acceleration_everywhere(tmp_path: Path) -> None:
    text = table(("time", "x", "y", "z"), np.c_[T * 1000, FORCE * G])
    assert series(tmp_path / "a.csv", text).is_only_motion
    position = table(("time_s", "x", "y", "z"), np.c_[T, V[:, 3:]])
    found = series(tmp_path / "b.csv", position)
    assert not found.is_motion and "x, y, z as in the file" in found.reading.text()


@pytest.mark.parametrize("between", ["\r\r\n", "\n\r", "\n\x0c\n"])
def test_a_blank_line_after_every_row_parts_nothing(tmp_path: Path, between: str) -> None:
    text = table(("t_ms", *UNITS), np.c_[T * 1000, V]).replace("\n", between)
    (tmp_path / "wave.csv").write_bytes(text.encode())
    recorded = read_takes(tmp_path / "wave.csv", 119, 119)
    assert len(recorded.takes) == 1
    assert_same(recorded)


@pytest.mark.parametrize(("whole", "rest"), [("sec", "usec"), ("datetime", "ms"), ("time_s", "time_us")])
def test_a_time_in_two_columns_is_joined(tmp_path: Path, whole: str, rest: str) -> None:
    per_second = 1000 if rest == "ms" else 1_000_000
    first = "2026-01-01 10:00:0{}" if whole == "datetime" else "170000000{}"
    rows = [[first.format(i // 100), f"{i % 100 * per_second // 100}", *V[i]] for i in range(N)]
    recorded = takes(tmp_path / "wave.csv", table((whole, rest, *UNITS), rows))
    assert len(recorded.takes) == 1 and "100 Hz (time in s)" in recorded.reading
    assert_same(recorded)


@pytest.mark.parametrize("name", ["dt", "dt_ms", "delta_t", "deltaTime"])
def test_the_time_since_the_row_before_is_no_time(tmp_path: Path, name: str) -> None:
    text = table((name, *UNITS), np.c_[np.full(N, 10), V])
    with pytest.raises(TinymlError, match=r"since the previous row.*--set data.rate_hz"):
        takes(tmp_path / "wave.csv", text)
    read = series(tmp_path / "wave.csv", text, SeriesRecipe(rate_hz=100))
    assert name not in read.channels and read.rate_hz == 100


@pytest.mark.parametrize(
    ("name", "cells", "says"),
    [
        ("date", [f"{45_292.4167 + t / 86_400:.11f}" for t in T], "time in d"),
        ("time_h", [f"{t / 3600:.12f}" for t in T], "time in h"),
        ("hours", [f"{t / 3600:.12f}" for t in T], "time in h"),
        ("Time (min)", [f"{t / 60:.9f}" for t in T], "time in min"),
    ],
)
def test_hours_and_days_of_spreadsheets(tmp_path: Path, name: str, cells: list[str], says: str) -> None:
    rows = [[cell, *row] for cell, row in zip(cells, V, strict=True)]
    recorded = takes(tmp_path / "wave.csv", table((name, *UNITS), rows))
    assert f"100 Hz ({says})" in recorded.reading
    assert_same(recorded)


def test_a_time_in_hours_that_nobody_names_is_asked_for(tmp_path: Path) -> None:
    rows = [[f"{t / 3600:.12f}", *row] for t, row in zip(T, V, strict=True)]
    with pytest.raises(TinymlError, match=r"100 Hz in h.*data.units.time=h"):
        takes(tmp_path / "wave.csv", table(("time", *UNITS), rows))


@pytest.mark.parametrize("suffix", [".jsonl", ".log", ".csv"])
@pytest.mark.parametrize("nested", [True, False])
def test_lines_of_json(tmp_path: Path, suffix: str, nested: bool) -> None:
    def line(t: float, row: list[float]) -> str:
        if nested:
            sensors = {"acc_g": dict(zip("xyz", row[:3], strict=True))}
            return json.dumps({"t_s": t} | sensors | {"gyro_dps": dict(zip("xyz", row[3:], strict=True))})
        return json.dumps({"t_s": t} | dict(zip(UNITS, row, strict=True)))

    text = "\n".join(line(t, row) for t, row in zip(T.tolist(), V.tolist(), strict=True))
    assert_same(takes(tmp_path / f"wave{suffix}", text))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_cells_in_single_quotes(tmp_path: Path, delimiter: str) -> None:
    rows = [("t_ms", *UNITS), *np.c_[T * 1000, V].tolist()]
    text = "\n".join(delimiter.join(f"'{cell}'" for cell in row) for row in rows)
    assert_same(takes(tmp_path / "wave.csv", text))


PULL = np.tile(FORCE.mean(axis=0), (N, 1))


@pytest.mark.parametrize(
    "names",
    [
        ("motionUserAcceleration{}(G)", "motionGravity{}(G)", "motionRotationRate{}(deg/s)"),
        ("user_acc_{}_g", "gravity_{}_g", "gyro_{}_dps"),
        ("linear_acceleration_{}", "gravity_{}", "gyro_{}_dps"),
    ],
)
def test_gravity_in_columns_of_its_own_is_added(tmp_path: Path, names: tuple[str, ...]) -> None:
    header = ("time_s", *(name.format(axis) for name in names for axis in "XYZ"))
    recorded = takes(tmp_path / "wave.csv", table(header, np.c_[T, FORCE - PULL, PULL, V[:, 3:]]))
    assert "gravity added" in recorded.reading and "without gravity," not in recorded.reading
    assert_same(recorded)


@pytest.mark.parametrize("motion", [0.1, 1.0])
@pytest.mark.parametrize("zipped", [True, False])
def test_gravity_in_a_file_of_its_own_is_added(tmp_path: Path, zipped: bool, motion: float) -> None:
    """Sensor Logger's, in which `Accelerometer` is without gravity."""
    clock = np.c_[1000 + T, T]
    turned, moved = np.radians(V[:, 3:]), motion * (FORCE - PULL) * G
    files = {"Accelerometer": moved, "Gravity": PULL * G, "Gyroscope": turned, "Orientation": turned}
    folder = tmp_path / "rec"
    folder.mkdir()
    for name, values in files.items():
        text = table(("time", "seconds_elapsed", "z", "y", "x"), np.c_[clock, values[:, ::-1]])
        if zipped:
            with zipfile.ZipFile(folder / "rec.zip", "a") as archive:
                archive.writestr(f"{name}.csv", text)
        else:
            (folder / f"{name}.csv").write_text(text)
    (read,) = read_series(sources(files_in(folder, SUFFIXES))[0], SeriesRecipe())
    columns = [read.axes["acceleration", axis] for axis in "xyz"]
    assert read.has_gravity and ("rotation", "x") in read.axes and len(read.channels) == 6
    np.testing.assert_allclose(read.stretches[0].values[:, columns], moved / G + PULL, atol=1e-3)


def test_all_accelerometers_of_a_file_are_converted_alike(tmp_path: Path) -> None:
    names = [f"acc{n}_{axis}{unit}" for n, unit in ((1, " (m/s2)"), (2, " (mg)")) for axis in "xyz"]
    read = series(tmp_path / "fan.csv", table(("time_s", *names), np.c_[T, FORCE * G, FORCE * 2000]))
    np.testing.assert_allclose(read.stretches[0].values, np.c_[FORCE, 2 * FORCE], atol=1e-6)
    bare = [f"acc{n}_{axis}" for n in (1, 2) for axis in "xyz"]
    read = series(tmp_path / "fan.csv", table(("time_s", *bare), np.c_[T, FORCE * G, 2 * FORCE * G]))
    np.testing.assert_allclose(read.stretches[0].values, np.c_[FORCE, 2 * FORCE], atol=1e-6)


def test_another_header_in_the_middle_is_refused(tmp_path: Path) -> None:
    first = table(("t_ms", *UNITS), np.c_[T * 1000, V])
    second = table(("t_ms", *(name.replace("_g", "_mg") for name in UNITS)), np.c_[T * 1000, V])
    with pytest.raises(TinymlError, match="Another header"):
        takes(tmp_path / "wave.csv", first + second)
    assert len(takes(tmp_path / "wave.csv", first + first).takes) == 2


def test_what_a_wand_has_no_use_for_is_named(tmp_path: Path) -> None:
    names = ("t_ms", *UNITS, "mx_uT", "temp_C")
    recorded = takes(tmp_path / "wave.csv", table(names, np.c_[T * 1000, V, T, 20 + T]))
    assert_same(recorded)
    assert "mx_uT, temp_C not used" in recorded.reading


def test_gravity_is_missed_whatever_the_name(tmp_path: Path) -> None:
    names = [f"acc{a} (m/s2)" for a in "XYZ"]
    said = takes(tmp_path / "a.csv", table(("t_ms", *names), np.c_[T * 1000, 0.5 * (FORCE - [0, 0, 1]) * G]))
    assert "without gravity, unlike the board's sensor" in said.reading
    ros = [f"linear_acceleration.{a}" for a in "xyz"]
    felt = takes(tmp_path / "b.csv", table(("t_ms", *ros), np.c_[T * 1000, FORCE * G]))
    assert "m/s2 → g" in felt.reading and "without gravity" not in felt.reading
    assert BOARD[0, 2] == felt.takes[0].samples[0, 2]


def test_own_is_no_unit_of_a_wand(tmp_path: Path) -> None:
    path = tmp_path / "wave.csv"
    path.write_text(table(("t_ms", *COURSE[:3]), np.c_[T * 1000, FORCE * 3.3]))
    with pytest.raises(TinymlError, match="own unit"):
        read_takes(path, 119, 119, SeriesRecipe.model_validate({"units": {"accel": "own"}}))
