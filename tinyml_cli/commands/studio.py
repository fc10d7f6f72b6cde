"""tinyml studio"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli.commands import options


def command(
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="Holds data folders and runs/; by default this one.")
    ] = Path(),
    port: Annotated[
        int | None,
        typer.Option(
            "--port", min=1, max=65535, help="Port on this computer; by default 8420 or a free one."
        ),
    ] = None,
    share: Annotated[
        bool,
        typer.Option(
            "--share", help="Let phones of this network record, by QR code; needs the extra studio."
        ),
    ] = False,
    no_open: Annotated[bool, typer.Option("--no-open", help="Print the address; open no browser.")] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Open a local web page to record data, train, try models and deploy them.

    It serves this computer alone: without the token in its link nothing is answered. With --share, a QR code
    lets a phone record, and do nothing else. Ctrl-C ends it.

    \b
    Examples:
      tinyml studio
      tinyml studio ~/wake-words
      tinyml studio --share
      tinyml studio --port 8500 --no-open
    """
    from tinyml_cli.studio.server import StudioOptions, serve

    serve(StudioOptions(folder, port, share, opens=not no_open))
