"""tinyml doctor"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import emulated_options, options
from tinyml_cli.console import console


def command(
    run: options.RunArgument = None,
    board: Annotated[
        str | None,
        typer.Option(
            "--board",
            callback=options.given(checks.board),
            help="Also check this board; `tinyml boards` lists them.",
        ),
    ] = None,
    port: Annotated[str | None, typer.Option("--port", help="The board's serial port.")] = None,
    emulated: emulated_options.Emulated = False,
    attachment: Annotated[
        Path | None,
        typer.Option(
            "--report",
            metavar="FILE",
            help="With --board: write it all to a new file, to attach to an issue.",
        ),
    ] = None,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix", help="First install missing compilers, QEMU and the upload tool, as far as allowed."
        ),
    ] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Check what this computer and its board provide, and say how to get what is missing.

    With --board: whether the board answers, its firmware, microphone level, IMU at rest and LED.

    \b
    Examples:
      tinyml doctor
      tinyml doctor --fix
      tinyml doctor --board nano33ble
      tinyml doctor --board nano33ble --emulated
      tinyml doctor --board nano33ble --report board.json
      tinyml doctor --json
    """
    from tinyml_cli.build.target import build_target
    from tinyml_cli.doctor import report
    from tinyml_cli.outcomes.housekeeping import Diagnosis

    around = emulated_options.surroundings(emulated)
    emulated_options.require_board(emulated, board, "--board")
    target = None if board is None else build_target(board, port=port, emulated=around)
    for line in report.mend() if fix else []:
        console.warn(f"left for you: {line}")
    findings = report.examine(run, target, attachment)
    console.table(
        "What tinyml needs",
        ["", "What", "For", "Found, or how to get it"],
        [[f.verdict, f.name, f.purpose, f.found or f.remedy] for f in findings],
    )
    text = f"Wrote {attachment}: read it, then attach it to your report." if attachment else ""
    console.result(Diagnosis(checks=[f.outcome for f in findings]), text)
    if any(f.required and not f.found for f in findings):
        raise typer.Exit(code=1)
