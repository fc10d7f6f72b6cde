"""tinyml container base"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FILE", callback=options.given(checks.new_file), help="A new file."),
    ] = Path("Containerfile"),
    serve: Annotated[
        bool, typer.Option("--serve", help="With port, volume and health check of an image that serves.")
    ] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write the Containerfile of a base, for a builder of yours.

    The base holds Python, the compilers and QEMU. Any root file system with them will do as well, such as one
    by mmdebstrap.

    \b
    Examples:
      tinyml container base
      tinyml container base --out base/Containerfile
      tinyml container base --serve
      tinyml container base --json
    """
    from tinyml_cli.container import containerfile
    from tinyml_cli.next_step import command_line

    outcome = containerfile.write(out, serve)
    step = command_line("buildah", "build", "-t", "tinyml-base", "-f", out)
    console.result(outcome, f"Wrote {out}. Next: {step}, and push it to oci-archive:base.tar")
