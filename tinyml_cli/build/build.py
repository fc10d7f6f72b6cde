"""From a run to firmware: generates a PlatformIO project, builds it, and measures the program."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tinyml_cli import __version__
from tinyml_cli.boards.boards import Board
from tinyml_cli.build import budget, link_map, platformio, tenants
from tinyml_cli.build.build_folder import build_folder, check_plain
from tinyml_cli.build.inputs import model_graph
from tinyml_cli.build.page import write_page
from tinyml_cli.build.project import SOURCE_SUFFIXES, ProjectInputs, generate, project_dir
from tinyml_cli.build.sizes import measure
from tinyml_cli.build.target import BuildTarget, main_stack_bytes, peripherals
from tinyml_cli.console import console
from tinyml_cli.documents import load_json
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import atomic_path, firmware_dir, sha256_file, write_atomic
from tinyml_cli.next_step import on_this_run
from tinyml_cli.outcomes.stages import Built, LinkedProgram, ProgramPart, ProgramSymbol
from tinyml_cli.run import Run, writes

_PROGRAM_SUFFIXES = (".elf", ".bin", ".hex")
_ARENA_DEFINE = {
    "aot": ("network.h", "NETWORK_ARENA_BYTES"),
    "tflm": ("model_settings.h", "TFLM_ARENA_BYTES"),
}


@writes
def build(run: Run, target: BuildTarget) -> Built:
    """Builds the run's firmware for a board, unless nothing has changed since the last build.

    Args:
        run: a run whose model was exported for the engine; a run of a bare model is exported here.
        target: the board, the engine, the application and the model that shares the board.

    Returns:
        Its flash_bytes and ram_bytes are None where the program is not an ELF file.

    Raises:
        TinymlError: an engine that the board lacks, missing export, sources or tool, a program that does not
            compile or does not fit the board (says how many bytes are over).
    """
    started = time.monotonic()
    inputs = tenants.gather(run, target)
    board = target.board
    board.require("build")
    platformio.require_installed()
    if inputs.target.tflm_dir is not None:
        check_plain(
            inputs.target.tflm_dir, "folder given with --tflm", "Rename it; use letters, digits and _."
        )
    graphs = [graph for each in (run, target.second) if each and (graph := model_graph(each))]
    stack_bytes = main_stack_bytes(inputs.target, inputs.app)
    budget.check_estimate(board, graphs, _arena_bytes(inputs), peripherals(inputs.app), stack_bytes)
    project = project_dir(run, board.name, inputs.app)
    sources = generate(project, inputs)
    fingerprint = _fingerprint(project, inputs, sources)
    last = _last_build(project, fingerprint)
    if last is not None:
        console.info(f"The firmware for {board.name} is up to date.")
        if run.manifest().firmware.get(project.name) != last.as_dict():  # trained again, to the same bytes
            _record(run, project.name, inputs, last)
        (project / "firmware.elf").touch()  # newer than the export it was found to fit, for make
        elf = project / "firmware.elf"
        return _built(last, run, target, elf, started, fresh=True)
    log = project / "build.log"
    with build_folder(_folder_key(project, inputs)) as folder:
        generate(folder, inputs)
        platformio.require_packages(folder, board)
        platformio.run(folder, board, log, 0 if board.arduino else _count_sources(sources))
        linked = folder / ".pio" / "build" / board.pio_board / "firmware.elf"
        kept_bytes = int(inputs.defines.get("FLASH_PAGES_BYTES", 0))
        budget.check_measured(board, measure(linked), log, peripherals(inputs.app), kept_bytes)
        parts = link_map.read(linked.with_name(link_map.NAME))
        elf = _install(linked, project, board)
    program = _program(elf, inputs, parts)
    record = program.as_dict() | {
        "fingerprint": fingerprint,
        "sha256": {p.name: sha256_file(p) for p in programs(elf)},
    }
    write_atomic(project / "size.json", json.dumps(record, indent=2) + "\n")
    _record(run, project.name, inputs, program)
    return _built(program, run, target, elf, started, fresh=False)


def _fingerprint(project: Path, inputs: ProjectInputs, sources: list[Path]) -> str:
    """A hash of all the program is made of: sources by name, size and time, compiler by path and time."""
    digest = hashlib.sha256(f"{__version__} {inputs.target.board!r} {inputs.target.engine}".encode())
    roots = [firmware_dir() / "platforms", project / "include", project / "platformio.ini"]
    for root in roots + sources:
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if path.is_file() and path.suffix != ".pyc":
                stat = path.stat()
                digest.update(f"{path.as_posix()} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    for need in inputs.target.board.needs:
        if need.when == "build" and (tool := need.found):
            digest.update(f"{tool} {tool.stat().st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _last_build(project: Path, fingerprint: str) -> LinkedProgram | None:
    """What the last build returned, if it was made from the same inputs and its program is still whole."""
    elf = project / "firmware.elf"
    try:
        record: dict[str, Any] = load_json(project / "size.json")
        hashes = {path.name: sha256_file(path) for path in programs(elf)}
        if record.pop("fingerprint") != fingerprint or record.pop("sha256") != hashes:
            return None
        return LinkedProgram.model_validate(record)
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return None


def _count_sources(folders: list[Path]) -> int:
    return 1 + sum(1 for root in folders for path in root.rglob("*") if path.suffix in SOURCE_SUFFIXES)


def programs(elf: Path) -> list[Path]:
    """The forms of a program that lie there: the ELF file, and the raw ones that a board's flash takes."""
    return [path for suffix in _PROGRAM_SUFFIXES if (path := elf.with_suffix(suffix)).is_file()]


def _folder_key(project: Path, inputs: ProjectInputs) -> str:
    """What two builds must have in common to share a folder: options and the names of the model's files.

    PlatformIO builds all anew where those differ.
    """
    names = sorted(path.name for path in (project / "lib" / "model").iterdir())
    config = (project / "platformio.ini").read_bytes()
    return hashlib.sha256(config + f"{inputs.app} {names}".encode()).hexdigest()[:12]


def _install(linked: Path, project: Path, board: Board) -> Path:
    """Copies the program that PlatformIO linked beside the project's files, each form whole or not at all."""
    elf = project / "firmware.elf"
    for path in programs(elf):  # such as an older build has left
        if not linked.with_suffix(path.suffix).is_file():
            path.unlink()
    for path in programs(linked):
        with atomic_path(project / path.name) as temporary:
            shutil.copyfile(path, temporary)
    if board.kind == "process":
        elf.chmod(elf.stat().st_mode | 0o111)
    return elf


def _built(
    program: LinkedProgram, run: Run, target: BuildTarget, elf: Path, started: float, *, fresh: bool
) -> Built:
    """The outcome; for a board that is a page, with the page around the program."""
    board = target.board
    runs = [each for each in (run, target.second) if each is not None]
    page = str(write_page(runs, elf)) if board.kind == "page" else None
    return Built.extending(
        program, elf=str(elf), page=page, compiler=board.compiler, seconds=_since(started), fresh=fresh
    )


def _program(elf: Path, inputs: ProjectInputs, parts: list[ProgramPart]) -> LinkedProgram:
    sizes = measure(elf)
    return LinkedProgram(
        board=inputs.target.board.name,
        engine=inputs.target.engine,
        app=inputs.app,
        flash_bytes=sizes.flash_bytes if sizes else None,
        ram_bytes=sizes.ram_bytes if sizes else None,
        arena_bytes=_arena_bytes(inputs),
        largest_symbols=[ProgramSymbol(**asdict(symbol)) for symbol in sizes.largest_symbols]
        if sizes
        else [],
        parts=parts,
    )


def _arena_bytes(inputs: ProjectInputs) -> int:
    if "ARENA_BYTES" in inputs.defines:
        return int(inputs.defines["ARENA_BYTES"])
    file, name = _ARENA_DEFINE[inputs.target.engine]
    header = next(path for path in inputs.exports if path.name == file)
    match = re.search(rf"^#define {name}\s+\(?(\d+)", header.read_text(encoding="utf-8"), re.MULTILINE)
    if match is None:
        raise TinymlError(
            f"The exported header does not define {name}",
            str(header),
            f"Run `{on_this_run('export-c-array', '--engine', inputs.target.engine)}` again.",
        )
    return int(match[1])


def _record(run: Run, project_name: str, inputs: ProjectInputs, program: LinkedProgram) -> None:
    manifest = run.manifest()
    manifest.firmware[project_name] = program.as_dict()
    made_from = [f"export/{inputs.target.engine}/{path.name}" for path in inputs.exports]
    run.record(
        manifest,
        f"firmware/{project_name}/firmware.elf",
        on_this_run("build", "--board", inputs.target.board.name),
        [name for name in made_from if name in manifest.artifacts],
    )
    run.save(manifest)


def _since(started: float) -> float:
    return round(time.monotonic() - started, 2)
