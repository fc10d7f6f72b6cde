"""tinyml keys new"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console
from tinyml_cli.next_step import next_step


def command(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write the key; must be new.")],
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Make a key and write it to a file that only you can read.

    \b
    Examples:
      tinyml keys new ~/keys/doorbell.pem
    """
    from tinyml_cli.outcomes.updates import Key
    from tinyml_cli.updates import keys

    key = keys.new(path)
    following = next_step("build", "--board", "nano33ble", "--update-key", path)
    console.result(
        Key(file=str(path), public=key.public.hex()),
        f"{path} is the key; keep a copy of it. Next: {following}",
    )
