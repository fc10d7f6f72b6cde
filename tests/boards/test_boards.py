"""Boards as data: the packaged ones, those of a user, and what a damaged file says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from tests.conftest import Tinyml
from tinyml_cli.boards import board_files
from tinyml_cli.boards.boards import board_names, load_board
from tinyml_cli.errors import TinymlError

PACKAGED = Path(board_files.__file__).parent


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a user's own boards."""
    mine = tmp_path / "my boards"
    mine.mkdir()
    monkeypatch.setenv("TINYML_BOARDS", str(mine))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return mine


def write(folder: Path, name: str, **changes: object) -> Path:
    document = yaml.safe_load((PACKAGED / "nano33ble.yaml").read_text()) | {"name": name} | changes
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in document.items() if value is not None}))
    return path


@pytest.mark.parametrize(
    ("name", "imu", "library"),
    [
        ("nano33ble", "lsm9ds1", "arduino-libraries/Arduino_LSM9DS1@1.1.1"),
        ("nano33ble_rev2", "bmi270", "arduino-libraries/Arduino_BMI270_BMM150@1.2.3"),
    ],
)
def test_the_two_revisions_differ_in_their_motion_sensor_alone(name: str, imu: str, library: str) -> None:
    board = load_board(name)
    assert board.arduino is not None
    assert (board.arduino.imus, board.arduino.lib_deps) == ((imu,), (library,))
    assert board.sensors == ("microphone", imu)
    assert board.default_engine == "tflm" and set(board.engines) == {"tflm", "aot"}
    assert board.pio_platform == "nordicnrf52@10.11.0"
    assert (board.clock_hz, board.flash_bytes, board.ram_bytes) == (64_000_000, 0xF0000, 0x40000)
    assert {usb_id.id: usb_id.role for usb_id in board.usb_ids} == {
        "2341:805a": "sketch", "2341:015a": "sketch", "2341:025a": "sketch", "2341:005a": "bootloader",
    }  # fmt: skip


def test_a_user_adds_a_board_with_one_file(folder: Path, tinyml: Tinyml, tmp_path: Path) -> None:
    write(folder, "kitchen", sensors=["microphone"], clock_hz=48_000_000)
    assert "kitchen" in board_names()
    listed = {board["name"]: board for board in tinyml("boards", "--json", cwd=tmp_path).json["boards"]}
    assert set(listed) >= {"kitchen", "nano33ble", "nano33ble_rev2", "native", "sim"}
    assert listed["kitchen"]["clock_hz"] == 48_000_000
    assert listed["sim"]["usb_ids"] == [] and listed["native"]["flash_bytes"] is None
    table = tinyml("boards", cwd=tmp_path, env={"COLUMNS": "80"}).out
    assert "kitchen" in table and "2341:805a" in table and "…" not in table.split("nano33ble_r")[0]


def test_a_folder_of_the_user_s_settings_is_read_too(folder: Path, tmp_path: Path) -> None:
    settings = board_files.user_folders()[-1]
    if not settings.is_relative_to(tmp_path):
        pytest.skip("this system keeps settings where a test must not write")
    settings.mkdir(parents=True)
    write(settings, "garage")
    assert load_board("garage").name == "garage"


def test_a_changed_file_is_read_again(folder: Path) -> None:
    path = write(folder, "kitchen", clock_hz=1)
    assert load_board("kitchen").clock_hz == 1
    write(folder, "kitchen", clock_hz=16_000_000)
    os.utime(path, (2, 2))
    assert load_board("kitchen").clock_hz == 16_000_000


def test_a_packaged_board_cannot_be_replaced(folder: Path) -> None:
    write(folder, "nano33ble", clock_hz=1)
    assert load_board("nano33ble").clock_hz == 64_000_000


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"clock_hz": -1}, "`clock_hz`"),
        ({"kind": "usbb"}, "`kind`"),
        ({"colour": "blue"}, "`colour`"),
        ({"hal": None}, "`hal`"),
        ({"usb_ids": [{"id": "2341-805a", "role": "sketch"}]}, "`usb_ids.0.id`"),
        ({"usb_ids": [{"id": "2341:805a", "role": "app"}]}, "`usb_ids.0.role`"),
        ({"usb_ids": []}, "usb_ids are required for boards of kind usb"),
        ({"engines": ["aot"]}, "default_engine is not one of engines"),
        ({"arduino": None}, "the section arduino is required"),
        ({"power": {"supply_v": 3}}, "`power.active_ma`"),
    ],
)
def test_a_damaged_file_names_the_field(folder: Path, changes: dict[str, object], problem: str) -> None:
    path = write(folder, "kitchen", **changes)
    with pytest.raises(TinymlError) as caught:
        load_board("kitchen")
    assert problem in caught.value.what
    assert caught.value.where == str(path) and "docs/boards.md" in caught.value.next_step


def test_a_file_must_be_called_like_its_board(folder: Path) -> None:
    write(folder, "kitchen").rename(folder / "bathroom.yaml")
    with pytest.raises(TinymlError, match=r"is `kitchen`, but the file is called bathroom\.yaml"):
        load_board("bathroom")


@pytest.mark.parametrize("text", ["- a list", "name: [", "\x00\x01", "{}"])
def test_nonsense_is_an_error_and_hides_no_other_board(
    folder: Path, text: str, tinyml: Tinyml, tmp_path: Path
) -> None:
    (folder / "kitchen.yaml").write_text(text)
    with pytest.raises(TinymlError, match="invalid"):
        load_board("kitchen")
    if text == "{}":
        answer = tinyml("boards", "--json", cwd=tmp_path)
        assert "kitchen" not in {board["name"] for board in answer.json["boards"]}
        assert "kitchen.yaml" in answer.err
