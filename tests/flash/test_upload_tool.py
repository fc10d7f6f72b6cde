"""The upload tool: how it is found, called, watched and understood."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

import pytest

from tinyml_cli.boards.network import require_network
from tinyml_cli.errors import TinymlError
from tinyml_cli.flash.upload_tool import (
    UploadError,
    UploadTool,
    explain_failure,
    find_tool,
    require_tool,
    upload_command,
)

pytestmark = pytest.mark.serial


def test_the_call_is_the_one_that_platformio_ends_in() -> None:
    command = upload_command(("bossac",), "/dev/ttyACM0", Path("firmware.bin"))
    assert " ".join(command) == "bossac --port ttyACM0 --write --erase -U --reset firmware.bin"
    assert "COM5" in upload_command(("bossac",), "COM5", Path("firmware.bin"))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("No device found on ttyACM0", "bootloader does not answer"),
        ("\nSAM-BA operation failed", "upload failed"),
        ("bossac: /dev/ttyACM0: Permission denied", "No permission to open"),
        ("open: Device or resource busy", "in use by another program"),
        ("Flash command failed", "exit code 1: Flash command failed"),
        ("", "exit code 1: it printed nothing"),
    ],
)
def test_what_the_tool_says_becomes_advice(said: str, expected: str) -> None:
    error = explain_failure(said.splitlines(), 1, "/dev/ttyACM0")
    assert expected in error.what and error.next_step and error.where == "/dev/ttyACM0"


@pytest.mark.skipif(sys.platform == "win32", reason="an ended program has an ordinary exit code there")
def test_a_tool_that_hangs_is_ended(tmp_path: Path) -> None:
    tool = UploadTool((sys.executable, "-c", "import time; time.sleep(60)"), timeout_s=0.5)
    with pytest.raises(UploadError, match="hung"):
        tool.upload("/dev/ttyACM0", tmp_path)


def test_a_tool_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(TinymlError, match="Cannot start") as caught:
        UploadTool((str(tmp_path / "bossac"),)).upload("/dev/ttyACM0", tmp_path)
    assert "1.9.1-arduino2" in caught.value.next_step


@pytest.fixture
def bare_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without any package, behind a proxy that refuses."""
    for name in ("HOME", "USERPROFILE", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    for name in ("TINYML_BOSSAC", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_a_missing_tool_without_a_network_is_known_in_seconds(bare_home: Path) -> None:
    started = time.monotonic()
    with pytest.raises(TinymlError, match="No network connection to download the upload tool") as caught:
        require_tool()
    assert time.monotonic() - started < 6.0
    assert "HTTPS_PROXY" in caught.value.next_step


def test_a_server_that_never_answers_is_given_up(bare_home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        started = time.monotonic()
        with pytest.raises(TinymlError, match="No network"):
            require_network("a package", [url, "http://127.0.0.1:9/"], timeout_s=0.5)
        assert time.monotonic() - started < 2.0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the folder has another name elsewhere")
def test_the_tool_of_the_arduino_ide_is_found(bare_home: Path) -> None:
    assert find_tool() is None
    bossac = bare_home / ".arduino15/packages/arduino/tools/bossac/1.9.1-arduino2/bossac"
    bossac.parent.mkdir(parents=True)
    bossac.touch()
    assert find_tool() == bossac and require_tool().program == (str(bossac),)


def test_an_override_that_names_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYML_BOSSAC", "/no/bossac")
    with pytest.raises(TinymlError, match="TINYML_BOSSAC is not a file"):
        require_tool()
