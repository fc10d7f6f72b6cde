"""`tinyml build`: the generated project, what it measures, and what it says when something is wrong."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.doubles import fake_run
from tinyml_cli.boards.boards import Board, board_names, load_board
from tinyml_cli.build import build as builder
from tinyml_cli.build import build_folder, platformio
from tinyml_cli.build.inputs import EXPORTS
from tinyml_cli.build.target import build_target
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import firmware_dir
from tinyml_cli.outcomes.stages import Built
from tinyml_cli.run import Run


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "quiet", True)


@pytest.fixture
def sim_tools() -> None:
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("no arm-none-eabi-gcc here")


def build(run: Run, board: str = "sim", **options: Any) -> Built:
    return builder.build(run, build_target(board, **options))


def times(folder: Path) -> dict[str, int]:
    return {path.as_posix(): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_boards_are_data() -> None:
    assert {"sim", "native"} <= set(board_names())
    sim = load_board("sim")
    assert (sim.flash_bytes, sim.ram_bytes) == (1 << 20, 256 << 10)
    for name in board_names():
        board = load_board(name)
        assert board.name == name
        assert all(need.debian and need.macos and need.windows for need in board.needs)


def test_an_unknown_board_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(TinymlError, match="Unknown board `uno`") as caught:
        build(fake_run.make(tmp_path / "run"), "uno")
    assert "native, sim" in caught.value.next_step


def test_the_linker_script_enforces_what_the_board_promises() -> None:
    script = (firmware_dir() / "platforms/tinyml-local/ldscripts/sim.ld").read_text()
    sim = load_board("sim")
    assert sim.flash_bytes is not None and sim.ram_bytes is not None
    assert f"ORIGIN = 0x00000000, LENGTH = {sim.flash_bytes // 1024}K" in script
    assert f"ORIGIN = 0x20000000, LENGTH = {sim.ram_bytes // 1024}K" in script


@pytest.mark.usefixtures("sim_tools")
def test_sim_builds_once_and_measures(tmp_path: Path) -> None:
    run = fake_run.make(tmp_path / "a run with spaces")
    first = build(run)
    assert first.board == "sim" and first.engine == "aot" and not first.fresh
    assert first.arena_bytes == 2048
    assert 10_000 < first.flash_bytes < 40_000
    assert 8192 + 2048 + 4096 < first.ram_bytes < 40_000
    assert first.largest_symbols[0].bytes >= first.largest_symbols[1].bytes
    assert [each.part for each in first.parts] == ["model", "firmware", "core"]
    assert 0.98 * first.flash_bytes < sum(each.flash_bytes for each in first.parts) <= first.flash_bytes
    assert Path(first.elf).read_bytes().startswith(b"\x7fELF")
    assert json.loads((run.path / "firmware/sim/size.json").read_text())["ram_bytes"] == first.ram_bytes
    assert run.manifest().firmware["sim"]["flash_bytes"] == first.flash_bytes
    assert run.is_fresh(run.manifest(), "firmware/sim/firmware.elf")

    before = times(run.path / "firmware")
    program = run.path / "firmware/sim/firmware.elf"
    os.utime(program, (1, 1))
    second = build(run)
    assert second.fresh
    assert second == first.model_copy(update={"fresh": True, "seconds": second.seconds})
    # Only the program is touched: make must see it newer than the export it fits.
    assert program.stat().st_mtime > 1
    after = times(run.path / "firmware")
    assert {p for p in before if before[p] != after[p]} == {program.as_posix()}

    manifest = run.manifest()
    manifest.firmware, kept = {}, manifest.firmware
    run.save(manifest)
    assert build(run).fresh and run.manifest().firmware == kept


@pytest.mark.usefixtures("sim_tools")
def test_a_changed_model_recompiles_only_what_uses_it(tmp_path: Path) -> None:
    first = build(fake_run.make(tmp_path / "run"))
    second = build(fake_run.make(tmp_path / "run", weight_bytes=5000))
    assert not second.fresh
    assert second.flash_bytes - first.flash_bytes == pytest.approx(5000 - 64, abs=64)
    compiled = [
        line
        for line in (tmp_path / "run/firmware/sim/build.log").read_text().splitlines()
        if line.startswith("Compiling")
    ]
    assert all("network" in line for line in compiled)


@pytest.mark.usefixtures("sim_tools")
def test_a_damaged_program_is_built_again(tmp_path: Path) -> None:
    run = fake_run.make(tmp_path / "run")
    elf = Path(build(run).elf)
    elf.write_bytes(b"half")
    assert not build(run).fresh
    assert elf.read_bytes().startswith(b"\x7fELF")


@pytest.mark.usefixtures("sim_tools")
def test_too_much_flash_is_refused_with_the_excess(tmp_path: Path) -> None:
    run = fake_run.make(tmp_path / "run", weight_bytes=2 << 20)
    with pytest.raises(TinymlError) as caught:
        build(run)
    assert "does not fit the board `sim`" in caught.value.what
    assert "of flash too many (the board has 1,048,576)" in caught.value.what
    assert f"big_weights {2 << 20:,} B of flash" in caught.value.what
    assert not (run.path / "firmware/sim/firmware.elf").exists()


@pytest.mark.usefixtures("sim_tools")
def test_too_much_ram_is_refused_with_the_excess(tmp_path: Path) -> None:
    with pytest.raises(TinymlError) as caught:
        build(fake_run.make(tmp_path / "run", arena_bytes=300_000))
    assert "of RAM too many (the board has 262,144)" in caught.value.what
    assert "app 3" in caught.value.what  # the application object holds the arena


@pytest.mark.usefixtures("sim_tools")
def test_a_compile_error_is_quoted(tmp_path: Path) -> None:
    source = "this is not C;\n" + fake_run.NETWORK_C
    with pytest.raises(TinymlError, match=r"does not compile: .*error: ") as caught:
        build(fake_run.make(tmp_path / "run", source=source))
    assert caught.value.where.endswith("build.log")


def test_a_missing_toolchain_is_named_with_the_way_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = fake_run.make(tmp_path / "run")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TinymlError, match="`arm-none-eabi-gcc` is missing") as caught:
        build(run)
    for word in ("apt-get install", "brew install", "winget install"):
        assert word in caught.value.next_step
    assert not (run.path / "firmware").exists()


def test_a_run_without_export_says_what_to_run(tmp_path: Path) -> None:
    run = fake_run.make(tmp_path / "run")
    with pytest.raises(TinymlError, match="not been exported for engine tflm") as caught:
        build(run, engine="tflm")
    assert "export-c-array" in caught.value.next_step


def test_a_changed_export_is_refused(tmp_path: Path) -> None:
    run = fake_run.make(tmp_path / "run")
    run.file("export/aot/network.c").write_text("int tampered;\n")
    with pytest.raises(TinymlError, match=r"network\.c"):
        build(run)


def test_tflm_needs_its_sources(tmp_path: Path) -> None:
    run = fake_run.make(tmp_path / "run")
    for name in (*EXPORTS["tflm"], "audio_frontend_tables.h"):
        run.file(f"export/tflm/{name}").parent.mkdir(exist_ok=True)
        run.file(f"export/tflm/{name}").write_text("\n")
    with pytest.raises(TinymlError, match="needs the TensorFlow Lite Micro sources") as caught:
        build(run, engine="tflm")
    assert "--tflm" in caught.value.next_step
    with pytest.raises(TinymlError, match="does not contain `tensorflow/lite/micro`"):
        build(run, engine="tflm", tflm_dir=tmp_path)
    with pytest.raises(TinymlError, match="no engine `onnx`"):
        build(run, engine="onnx")


def explain(text: str, board: Board | None = None) -> TinymlError:
    return platformio.explain_failure(
        text.splitlines(), board or load_board("sim"), Path("log"), Path("none")
    )


def test_failures_of_tools_become_advice() -> None:
    libc = explain("arm-none-eabi-g++: fatal error: cannot read spec file 'nano.specs': No such file")
    assert "no C library" in libc.what and "libnewlib-arm-none-eabi" in libc.next_step
    cxx = explain("engine_tflm.cpp:7:10: fatal error: new: No such file or directory")
    assert "libstdc++-arm-none-eabi-newlib" in cxx.next_step
    both = explain("ld: region `FLASH' overflowed by 1234 bytes\nld: region `RAM' overflowed by 99 bytes")
    assert "1,234 bytes of flash" in both.what and "99 bytes of RAM" in both.what
    assert "PlatformIO printed nothing" in explain("").what


def test_what_is_remembered_of_a_build_stays_in_its_folder(sim_tools: None, tmp_path: Path) -> None:
    # Among the objects it would be mixed up with that of other folders, whose objects have equal paths.
    build(fake_run.make(tmp_path / "run"))
    builds = build_folder.builds_dir()
    assert list(builds.glob("*-0/.pio/build/sim/.sconsign*"))
    assert not list(builds.with_name("objects").glob(".sconsign*"))
