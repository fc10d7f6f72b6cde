"""Building the plugin: cached, refused in words, never half-made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.profile.programs import require
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.virtual import VirtualDevice
from tinyml_cli.profile import plugin

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="QEMU for Windows loads no such plugins")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    require("qemu-system-arm")
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CC", raising=False)
    return tmp_path / "cache"


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_it_is_compiled_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require("cc")
    first = plugin.plugin()
    assert files(cache) == [first]
    stamp = first.stat().st_mtime_ns
    monkeypatch.setenv("CC", "no-such-compiler")
    assert plugin.plugin() == first
    assert first.stat().st_mtime_ns == stamp


def test_without_a_compiler(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(TinymlError, match="No C compiler") as caught:
        plugin.plugin()
    assert "apt-get install gcc" in caught.value.next_step
    assert not files(cache)


def test_a_compiler_that_fails_leaves_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require("false")
    monkeypatch.setenv("CC", "false")
    with pytest.raises(TinymlError, match="does not compile"):
        plugin.plugin()
    assert not files(cache)


def test_without_qemu(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TinymlError, match="qemu-system-arm"):
        plugin.plugin()


def test_a_damaged_plugin_is_reported(cache: Path, tmp_path: Path) -> None:
    library = tmp_path / "damaged.so"
    library.write_bytes(b"no library")
    elf = tmp_path / "firmware.elf"
    elf.write_bytes(b"")
    with (
        pytest.raises(TinymlError, match=r"damaged\.so"),
        VirtualDevice("sim", elf, plugin.options(library, tmp_path / "spec", tmp_path / "out")) as device,
    ):
        _wait(device)


def test_a_missing_specification_stops_qemu(cache: Path, tmp_path: Path) -> None:
    require("cc")
    answer = subprocess.run(
        ["qemu-system-arm", "-M", "mps2-an386", "-display", "none", "-S",
         *plugin.options(plugin.plugin(), tmp_path / "nowhere", tmp_path / "out")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert answer.returncode != 0
    assert "nowhere" in answer.stderr


def _wait(device: VirtualDevice) -> None:
    from tinyml_cli.link.link import Link

    with Link(device.url) as link:
        link.wait_ready()
