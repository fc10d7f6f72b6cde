"""tinyml keys public"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="A key of tinyml keys new.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write it as PEM; must be new.")
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Show the half of a key that firmware holds; who has only this can build firmware, but sign nothing.

    \b
    Examples:
      tinyml keys public ~/keys/doorbell.pem
      tinyml keys public ~/keys/doorbell.pem --out doorbell.pub.pem
    """
    from tinyml_cli.files import write_new
    from tinyml_cli.outcomes.updates import Key
    from tinyml_cli.updates import keys

    public = keys.public_half(path)
    if out is not None:
        write_new(out, keys.public_pem(public))
    console.result(Key(file=str(out or path), public=public.hex()), f"{out or path}: {public.hex()}")
