"""Fixtures: a base that has all names a base needs, and packages that need no network."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tinyml_cli.container import own_package, packages

MINOR = 13
Wheel = Callable[[str, dict[str, str]], str]


def make_base(folder: Path, python_minor: int = MINOR) -> Path:
    """A root file system whose programs are empty, as Debian lays it out."""
    programs = folder / "usr/bin"
    library = folder / "usr/lib/x86_64-linux-gnu"
    for place in (programs, library, folder / "etc", folder / "usr/lib/arm-none-eabi/lib"):
        place.mkdir(parents=True)
    (folder / "bin").symlink_to("usr/bin")
    for program in (f"python3.{python_minor}", "g++", "arm-none-eabi-g++", "qemu-system-arm"):
        (programs / program).write_text("")
        (programs / program).chmod(0o755)
    (programs / "python3").symlink_to(f"python3.{python_minor}")
    (folder / "usr/lib/arm-none-eabi/lib/nano.specs").write_text("")
    header = b"\x7fELF" + bytes(14) + (62).to_bytes(2, "little")
    text = b"GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.\n"
    (library / "libc.so.6").write_bytes(header + bytes(40) + text)
    (folder / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    return folder


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A root file system with Python 3.13."""
    return make_base(tmp_path / "rootfs")


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wheel:
    """Makes a wheel that pip finds without a network: wheel("one-1", {"one.py": ""}) is its pinned line."""
    place = tmp_path / "wheels"
    place.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(place))

    def make(name: str, files: dict[str, str]) -> str:
        path = place / f"{name}-py3-none-any.whl"
        package, version = name.split("-")
        described = f"{package}-{version}.dist-info"
        basics = {
            f"{described}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n",
            f"{described}/WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n",
            f"{described}/RECORD": "",
        }
        with zipfile.ZipFile(path, "w") as archive:
            for file, text in (basics | files).items():
                archive.writestr(file, text)
        return f"{package}=={version} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"

    return make


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images hold little of tinyml, one small package, and no bytecode."""
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(packages, "compiler_of", lambda target: None)

    def lay_out(copied: Path, target: packages.ImageTarget) -> None:
        copied.mkdir(parents=True)
        (copied / "main.py").write_text("")

    def seed(target: packages.ImageTarget) -> list[str]:
        return ["one==1"]

    def install(pinned: list[str], target: packages.ImageTarget, folder: Path) -> None:
        site = folder / "root" / packages.site_packages(target)
        site.mkdir(parents=True)
        (site / "pinned.json").write_text(json.dumps(pinned))

    monkeypatch.setattr(own_package, "_lay_out", lay_out)
    monkeypatch.setattr(packages, "requirements", seed)
    monkeypatch.setattr(packages, "_install", install)
