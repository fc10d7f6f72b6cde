"""`native` on a computer without GCC: the compiler that pip installs takes its place, with the same bytes."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.firmware.board_tools import require_tools
from tinyml_cli import processes
from tinyml_cli.boards import boards
from tinyml_cli.boards.boards import load_board
from tinyml_cli.build import platformio, tenants
from tinyml_cli.build.build import build
from tinyml_cli.build.project import generate
from tinyml_cli.build.target import BuildTarget, build_target
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.link import Link
from tinyml_cli.link.virtual import VirtualDevice
from tinyml_cli.run import Run

INPUTS = 200
Programs = Callable[..., None]


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Sets which programs are on PATH, and which packages are installed."""

    def here(*names: str, packages: tuple[str, ...] = ()) -> None:
        found = lambda name: f"/usr/bin/{name}" if name in names else None  # noqa: E731
        monkeypatch.setattr(boards.shutil, "which", found)
        spec_of = boards.spec_of
        monkeypatch.setattr(boards, "spec_of", lambda name: spec_of("numpy") if name in packages else None)

    return here


@pytest.mark.parametrize(
    ("names", "packages", "compiler"),
    [(("g++",), (), "gcc"), (("g++",), ("ziglang",), "gcc"), ((), ("ziglang",), "zig")],
)
def test_gcc_comes_first_and_the_package_takes_its_place(
    names: tuple[str, ...], packages: tuple[str, ...], compiler: str, programs: Programs
) -> None:
    programs(*names, packages=packages)
    board = load_board("native")
    board.require("build")
    assert board.compiler == compiler


@pytest.mark.parametrize("system", ["linux", "darwin", "win32"])
def test_without_any_compiler_the_package_is_named(
    system: str, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs()
    monkeypatch.setattr(sys, "platform", system)
    with pytest.raises(TinymlError, match="`g\\+\\+` is missing") as caught:
        load_board("native").require("build")
    assert "pip install ziglang" in caught.value.next_step


@pytest.mark.parametrize(("answer", "compiler"), [(0, "gcc"), (2, "zig")])
def test_the_file_by_which_macos_offers_a_compiler_is_none(
    answer: int, compiler: str, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs("g++", packages=("ziglang",))
    monkeypatch.setattr(sys, "platform", "darwin")
    boards._has_xcode_tools.cache_clear()
    answered = processes.CompletedProcess([], answer, "", "")
    monkeypatch.setattr(processes, "run", lambda *command, **options: answered)
    assert load_board("native").compiler == compiler
    boards._has_xcode_tools.cache_clear()


@pytest.mark.parametrize(
    ("names", "links", "packages", "compiler"),
    [
        (("clang",), True, (), "clang"),
        (("clang",), True, ("ziglang",), "clang"),
        (("clang",), False, ("ziglang",), "zig"),
        ((), True, ("ziglang",), "zig"),
        (("clang",), False, (), ""),
        (("g++", "zig", "node"), True, (), ""),
    ],
)
def test_the_page_is_built_by_a_clang_that_can_and_else_by_the_package(
    names: tuple[str, ...], links: bool, packages: tuple[str, ...], compiler: str, programs: Programs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    programs(*names, packages=packages)
    monkeypatch.setattr(boards, "_links_for", lambda program, target: links)
    board = load_board("browser")
    if compiler:
        board.require("build")
        assert board.compiler == compiler
    else:
        lacks = "cannot link for wasm32-wasi" if "clang" in names else "is missing"
        with pytest.raises(TinymlError, match=f"`clang` {lacks}"):
            board.require("build")


@pytest.mark.parametrize(("script", "links"), [('touch "$5"', True), ("exit 1", False), ("true", False)])
@pytest.mark.skipif(sys.platform == "win32", reason="a script stands in for the compiler")
def test_a_compiler_links_for_a_machine_where_it_writes_a_program(
    script: str, links: bool, tmp_path: Path
) -> None:
    compiler = tmp_path / "clang"
    compiler.write_text(f'#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\nset -- 1 2 3 4 "$2"\n{script}\n')
    compiler.chmod(0o755)
    assert boards._links_for(compiler, "wasm32-wasi") is links


def outputs(board: str, elf: Path) -> list[bytes]:
    rng = np.random.default_rng(6)
    with VirtualDevice(board, elf) as device, Link(device.url) as link:
        shape = link.info().input_bytes
        given = (rng.integers(-128, 128, shape).astype(np.int8) for _ in range(INPUTS))
        answers = []
        for one in given:
            link.write_input(one)
            answers.append(link.run_inference().data)
        return answers


def by_zig(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, target: str = "") -> Path:
    """The firmware of `native`, built by Zig for this computer or for another."""
    monkeypatch.setattr(boards, "_program", lambda name: None)
    chosen = BuildTarget(load_board("native"), "aot")
    assert chosen.board.compiler == "zig"
    folder.mkdir()
    generate(folder, tenants.gather(run, chosen))
    if target:
        with (folder / "platformio.ini").open("a", encoding="utf-8") as config:
            config.write(f"board_build.target = {target}\n")
    platformio.run(folder, chosen.board, folder / "build.log", 0)
    return folder / ".pio" / "build" / "native" / "firmware.elf"


@pytest.fixture
def zig() -> None:
    require_tools("native")
    pytest.importorskip("ziglang", reason="the extra `browser` is not installed")
    console.quiet = True


@pytest.mark.nightly
@pytest.mark.usefixtures("zig")
def test_pip_alone_builds_the_bytes_of_gcc(
    firmware_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elf = Path(build(firmware_run, build_target("native", "aot")).elf)
    expected = outputs("native", elf)
    assert len(set(expected)) > 20
    assert outputs("native", by_zig(firmware_run, tmp_path / "zig", monkeypatch)) == expected


@pytest.mark.nightly
@pytest.mark.usefixtures("zig")
def test_the_same_sources_build_for_macos(
    firmware_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = by_zig(firmware_run, tmp_path / "zig", monkeypatch, "aarch64-macos")
    assert program.read_bytes()[:4] == b"\xcf\xfa\xed\xfe"  # Mach-O of 64 bits


@pytest.mark.nightly
@pytest.mark.usefixtures("zig")
def test_the_same_sources_build_for_windows_and_run_where_wine_is(
    firmware_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = by_zig(firmware_run, tmp_path / "zig", monkeypatch, "x86_64-windows-gnu")
    assert program.read_bytes()[:2] == b"MZ"
    wine = shutil.which("wine64") or shutil.which("wine")
    if wine is None:
        pytest.skip("built; no Wine here to run it")
    monkeypatch.undo()
    expected = outputs("native", Path(build(firmware_run, build_target("native", "aot")).elf))
    script = tmp_path / "run.sh"
    script.write_text(f'#!/bin/sh\nexec "{wine}" "{program}"\n')
    script.chmod(0o755)
    assert outputs("native", script) == expected
