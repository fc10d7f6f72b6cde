"""`tinyml data check` on folders of motion with known faults."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Tinyml
from tests.data.series.dialects import motion
from tests.data.series.test_reader import COURSE, NAMES, table
from tests.outcomes import check as check_outcome
from tinyml_cli.tasks.wand.motion_file import write_motion

N = 120


def take(seed: int) -> np.ndarray:
    """int16 [120, 6] of a hand that waves in a way of its own."""
    rng = np.random.default_rng(seed)
    t = np.arange(N) / 100
    values = motion(t * rng.uniform(0.5, 2) + rng.uniform(0, 9)) * rng.uniform(0.5, 1.5, 6)
    values[:, 2] += rng.uniform(0, 0.4) * np.sin(rng.uniform(5, 20) * t)
    return np.rint(values * ([1000.0] * 3 + [10.0] * 3)).astype(np.int16)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two gestures of three people, four takes each, nothing wrong."""
    for g, gesture in enumerate(("wave", "snake")):
        for p, person in enumerate(("anna", "ben", "cleo")):
            for number in range(4):
                path = tmp_path / "motion" / gesture / person / f"{number}.csv"
                write_motion(path, take(100 * g + 10 * p + number), 100)
    return tmp_path / "motion"


def found(document: dict) -> dict[str, set[str]]:
    places: dict[str, set[str]] = {}
    for finding in document["findings"]:
        places.setdefault(finding["kind"], set()).add(finding["place"])
    return places


def test_a_folder_of_motion(tinyml: Tinyml, folder: Path) -> None:
    document = tinyml("data", "check", folder, "--json", cwd=folder.parent).json
    assert document["ok"] and document["findings"] == [] and document["kind"] == "motion"
    assert (document["n"], document["people"]) == (24, 3)
    assert document["labels"]["wave"] == {"recordings": 12, "people": 3, "seconds": 14.4, "bad": 0}
    assert document["reading"] == "100 Hz (time in ms), acceleration mg → g, rotation ddps → deg/s"
    assert (folder.parent / "motion-check.png").read_bytes().startswith(b"\x89PNG")


def break_it(folder: Path) -> dict[str, set[str]]:
    """Puts one fault of each kind into the folder; what has to be found."""
    wave = folder / "wave" / "anna"
    seconds = np.arange(N) / 100
    real = take(1) / ([1000.0] * 3 + [10.0] * 3)
    (wave / "copy.csv").write_text(
        table(("time_s", *COURSE), np.c_[seconds, take(0) / ([1000.0] * 3 + [10.0] * 3)])
    )
    (folder / "snake" / "ben" / "wave.csv").write_bytes((folder / "wave" / "ben" / "1.csv").read_bytes())
    (folder / "wave" / "ben" / "cleos.csv").write_bytes((folder / "wave" / "cleo" / "2.csv").read_bytes())
    noisy = take(2) + np.random.default_rng(0).normal(0, 3, (N, 6))
    write_motion(wave / "again.csv", noisy.astype(np.int16), 100)
    write_motion(wave / "quick.csv", take(901), 200)
    write_motion(wave / "stuck.csv", np.tile(np.array([0, 0, 1000, 0, 0, 0], np.int16), (N, 1)), 100)
    still = np.tile([0, 0, 1000, 0, 0, 0], (N, 1)) + np.random.default_rng(1).integers(-2, 3, (N, 6))
    write_motion(wave / "still.csv", still.astype(np.int16), 100)
    loud = np.clip(take(903).astype(int) * 4, -2000, 2000).astype(np.int16)
    write_motion(wave / "loud.csv", loud, 100)
    rows = np.c_[(seconds + 5 * (seconds > 0.6)) * 1000, take(904) / ([1000.0] * 3 + [10.0] * 3)]
    (wave / "gap.csv").write_text(
        table(("t_ms", *(f"{n}_{u}" for n, u in zip(NAMES, ["g"] * 3 + ["dps"] * 3, strict=True))), rows)
    )
    (wave / "half.csv").write_text("t_ms,ax_g,ay_g,az_g\n0,1,2\n")
    (wave / "three.csv").write_text(
        table(("t_ms", "ax_g", "ay_g", "az_g"), np.c_[seconds * 1000, real[:, :3]])
    )
    (wave / "notes.pdf").write_bytes(b"%PDF")
    return {
        "duplicate": {"wave/anna/copy.csv"},
        "two_labels": {"snake/ben/wave.csv", "wave/ben/1.csv"},
        "two_people": {"wave/cleo/2.csv"},
        "near_duplicate": {"wave/anna/again.csv"},
        "other_rate": {"wave/anna/quick.csv"},
        "stuck": {"wave/anna/stuck.csv"},
        "still": {"wave/anna/still.csv"},
        "clipped": {"wave/anna/loud.csv"},
        "gaps": {"wave/anna/gap.csv"},
        "unreadable": {"wave/anna/half.csv"},
        "other_columns": {"wave/anna/three.csv"},
        "other_file": {"wave/anna/notes.pdf"},
    }


def test_every_fault_is_found_moved_and_put_back(tinyml: Tinyml, folder: Path) -> None:
    expected = break_it(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    document = tinyml("data", "check", folder, "--json", cwd=folder.parent, code=1).json
    check_outcome("data check", document)
    places = found(document)
    assert {kind: places.get(kind, set()) for kind in expected} == expected
    assert document["left_out"] == {"`.pdf` is not a supported recording format": 1}
    shown = sum(label["bad"] for label in document["labels"].values())
    bad = {finding["place"] for finding in document["findings"] if finding["severity"] == "bad"}
    assert shown == document["bad_files"] == len(bad)

    fixed = tinyml("data", "check", folder, "--fix", "--json", cwd=folder.parent).json
    assert fixed["moved"] == document["bad_files"] and fixed["ok"]
    again = tinyml("data", "check", folder, "--json", cwd=folder.parent).json
    assert not [finding for finding in again["findings"] if finding["severity"] == "bad"]
    undone = tinyml("data", "check", folder, "--undo", "--json", cwd=folder.parent).json
    assert undone["restored"] == fixed["moved"]
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_copies_across_splits(tinyml: Tinyml, tmp_path: Path) -> None:
    for split, seeds in (("training", range(3)), ("testing", range(2, 5))):
        for seed in seeds:
            write_motion(tmp_path / "export" / split / f"wave.{seed}.csv", take(seed), 100)
    document = tinyml("data", "check", tmp_path / "export", "--json", cwd=tmp_path, code=1).json
    assert set(document["labels"]) == {"wave"}
    assert found(document)["two_splits"] == {"training/wave.2.csv"}


def test_units_are_asked_for_and_taken(tinyml: Tinyml, tmp_path: Path) -> None:
    (tmp_path / "motion" / "wave").mkdir(parents=True)
    values = motion(np.arange(N) / 100)
    text = table(("t_ms", *NAMES), np.c_[np.arange(N) * 10, values[:, :3], np.radians(values[:, 3:])])
    (tmp_path / "motion" / "wave" / "1.csv").write_text(text)
    answer = tinyml("data", "check", "motion", "--json", cwd=tmp_path, code=2).json
    assert "data.units.gyro" in answer["error"]["next_step"]
    document = tinyml(
        "data", "check", "motion", "--set", "data.units.gyro=rad/s", "--json", cwd=tmp_path
    ).json
    assert "rotation rad/s → deg/s" in document["reading"]
    imported = tinyml("data", "import", "motion", "--out", "out", "--json", cwd=tmp_path, code=2).json
    assert "data.units.gyro" in imported["error"]["next_step"] and not (tmp_path / "out").exists()
    imported = tinyml(
        "data", "import", "motion", "--out", "out", "--set", "data.units.gyro=rad/s", "--json", cwd=tmp_path
    ).json
    assert imported["labels"] == [{"label": "wave", "kind": "motion", "files": 1}]
    answer = tinyml("data", "check", "motion", "--set", "seed=3", "--json", cwd=tmp_path, code=2).json
    assert "data.units.accel" in answer["error"]["next_step"]


def test_all_files_of_a_bad_recording_move_and_come_back(tinyml: Tinyml, tmp_path: Path) -> None:
    seconds = np.arange(N) / 100
    for number in range(3):
        place = tmp_path / "motion" / "wave" / str(number)
        (place / "meta").mkdir(parents=True)
        values = motion(seconds + number) if number else np.tile([0, 0, 1.0, 0, 0, 0], (N, 1))
        for name, part, unit in (
            ("Accelerometer", values[:, :3] * 9.80665, "m/s^2"),
            ("Gyroscope", np.radians(values[:, 3:]), "rad/s"),
            ("Magnetometer", values[:, :3], "uT"),
        ):
            names = ("Time (s)", *(f"{axis} ({unit})" for axis in "XYZ"))
            (place / f"{name}.csv").write_text(table(names, np.c_[seconds, part]))
        (place / "meta" / "time.csv").write_text("event,experiment time\nSTART,0\n")
    before = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    fixed = tinyml("data", "check", "motion", "--fix", "--json", cwd=tmp_path).json
    assert (fixed["bad_files"], fixed["moved"], fixed["ok"]) == (1, 4, True)
    assert not list((tmp_path / "motion" / "wave" / "0").rglob("*.csv"))
    assert tinyml("data", "check", "motion", "--json", cwd=tmp_path).json["n"] == 2
    assert tinyml("data", "check", "motion", "--undo", "--json", cwd=tmp_path).json["restored"] == 4
    assert sorted(p for p in tmp_path.rglob("*") if p.is_file() and p.suffix != ".png") == before


def test_a_file_alone(tinyml: Tinyml, folder: Path) -> None:
    """As `train anomaly` takes one; what lies beside it is not looked at."""
    one = folder / "wave" / "anna" / "0.csv"
    document = tinyml("data", "check", one, "--json", cwd=folder.parent).json
    assert document["ok"] and document["left_out"] == {} and set(document["counts"]) == {"few_takes"}
    assert document["labels"] == {"0": {"recordings": 1, "people": 0, "seconds": 1.2, "bad": 0}}
    refused = tinyml("data", "check", one, "--fix", "--json", cwd=folder.parent, code=2).json["error"]
    assert "--fix works on folders" in refused["what"] and one.is_file()
    sound = folder.parent / "a.wav"
    sound.write_bytes(b"RIFF")
    assert "single file" in tinyml("data", "check", sound, cwd=folder.parent, code=2).err


def test_a_table_of_windows(tinyml: Tinyml, tmp_path: Path) -> None:
    """Of UCR's archive: a label, then the samples."""
    rng = np.random.default_rng(0)
    rows = [[1 + n % 2, *np.round(rng.normal(size=32), 6)] for n in range(20)]
    rows += [[1, *rows[0][1:]], [2, *rows[2][1:]], [2, *[0.5] * 32]]
    path = tmp_path / "Fan_TRAIN.txt"
    path.write_text("\n".join("  ".join(map(str, row)) for row in rows))
    document = tinyml("data", "check", path, "--json", cwd=tmp_path).json
    details = {each["kind"]: each["detail"] for each in document["findings"]}
    assert (
        details["repeated"] == "21 as Fan_TRAIN.txt:1" and details["contradicted"] == "22 as Fan_TRAIN.txt:3"
    )
    assert details["constant"] == "1" and document["n"] == 23
    assert {label: each["recordings"] for label, each in document["labels"].items()} == {"1": 11, "2": 12}


def test_strokes(tinyml: Tinyml, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)

    def stroke(label: str) -> dict:
        points = [{"x": float(x), "y": float(y)} for x, y in rng.uniform(-0.5, 0.5, (20, 2))]
        return {"index": 0, "strokePoints": points, "label": label}

    strokes = [stroke(label) for label in ("0", "1") for _ in range(10)]
    strokes += [strokes[0], strokes[10] | {"label": "0"}]
    for person, part in (("anna", strokes[:15]), ("ben", strokes[15:])):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / f"{person}.json").write_text(json.dumps({"strokes": part}))
    document = tinyml("data", "check", tmp_path / "data", "--json", cwd=tmp_path).json
    kinds = {(each["kind"], each["place"]) for each in document["findings"]}
    assert {("repeated", "ben.json"), ("contradicted", "ben.json")} <= kinds
    assert document["n"] == 22 and document["labels"]["0"]["recordings"] == 12


def test_a_damaged_archive_is_moved_and_put_back(tinyml: Tinyml, folder: Path) -> None:
    archive = folder / "wave" / "anna" / "phone.zip"
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr("Accelerometer.csv", table(("time_s", "x", "y", "z"), take(1)[:, :4]))
    archive.write_bytes(archive.read_bytes()[:-30])
    content = archive.read_bytes()
    document = tinyml("data", "check", folder, "--json", cwd=folder.parent, code=1).json
    assert found(document)["unreadable"] == {"wave/anna/phone.zip"} and document["bad_files"] == 1
    assert tinyml("data", "check", folder, "--fix", "--json", cwd=folder.parent).json["moved"] == 1
    assert not archive.exists()
    tinyml("data", "check", folder, "--undo", "--json", cwd=folder.parent)
    assert archive.read_bytes() == content
