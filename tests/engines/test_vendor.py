"""The vendor table: pinned, verified, cached, laid out."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from tinyml_cli.build import vendor
from tinyml_cli.errors import TinymlError


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small wheel in the table's shape, with its own pin, and an empty cache."""
    path = tmp_path / "given" / vendor.SOURCES["cmsis_nn"].wheel
    path.parent.mkdir()
    root = "bakenn/backend/cmsis_nn/vendor"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{root}/cmsis_nn/Include/arm.h", "/* h */")
        archive.writestr(f"{root}/cmsis_core/Include/core.h", "/* core */")
        archive.writestr(f"{root}/cmsis_nn/Source/Pool/pool.c", "/* c */")
        archive.writestr(f"{root}/cmsis_nn/Source/../../../evil.c", "/* no */")
        archive.writestr("bakenn/other.py", "no = 1")
    pinned = dataclasses.replace(
        vendor.SOURCES["cmsis_nn"], sha256=hashlib.sha256(path.read_bytes()).hexdigest()
    )
    monkeypatch.setitem(vendor.SOURCES, "cmsis_nn", pinned)
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TINYML_VENDOR_DIR", raising=False)
    return path


def test_lays_out_a_library(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYML_VENDOR_DIR", str(wheel.parent))
    library = tmp_path / "lib" / "cmsis_nn"
    vendor.lay_out("cmsis_nn", library)
    files = {path.relative_to(library).as_posix() for path in library.rglob("*") if path.is_file()}
    assert files == {"include/arm.h", "include/core.h", "src/Pool/pool.c", "library.json"}
    assert json.loads((library / "library.json").read_text())["name"] == "cmsis_nn"
    assert not list(tmp_path.rglob("evil.c"))
    before = {path: path.stat().st_mtime_ns for path in library.rglob("*")}
    vendor.lay_out("cmsis_nn", library)
    assert {path: path.stat().st_mtime_ns for path in library.rglob("*")} == before


def test_the_cache_serves_offline(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached = tmp_path / "cache" / "vendor" / wheel.name
    cached.parent.mkdir(parents=True)
    cached.write_bytes(wheel.read_bytes())
    monkeypatch.setattr("tinyml_cli.processes.run", lambda *_, **__: pytest.fail("went to the network"))
    assert vendor.fetch("cmsis_nn") == cached


def test_other_bytes_are_refused(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel.write_bytes(wheel.read_bytes() + b"\0")
    monkeypatch.setenv("TINYML_VENDOR_DIR", str(wheel.parent))
    with pytest.raises(TinymlError, match="SHA-256"):
        vendor.fetch("cmsis_nn")


def test_offline_says_what_to_do(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder as pip's only index is what a machine without a network looks like to us."""
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(empty))
    with pytest.raises(TinymlError) as caught:
        vendor.fetch("cmsis_nn")
    assert "pip download" in caught.value.next_step and "TINYML_VENDOR_DIR" in caught.value.next_step
    assert not (tmp_path / "cache" / "vendor").exists()


def test_pip_fetches_into_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real wheel through the user's own pip settings, then a second time without them."""
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TINYML_VENDOR_DIR", raising=False)
    try:
        first = vendor.fetch("cmsis_nn")
    except TinymlError as error:
        pytest.skip(f"no package index here: {error.what}")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert vendor.fetch("cmsis_nn") == first
    with zipfile.ZipFile(first) as wheel_file:
        assert any(name.endswith("arm_convolve_s8.c") for name in wheel_file.namelist())
