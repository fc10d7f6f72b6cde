"""tinyml keys sign"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli.commands import board_options, options
from tinyml_cli.console import console
from tinyml_cli.next_step import next_step


def command(
    key: Annotated[Path, typer.Option("--key", metavar="FILE", help="The key that signs.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Where to write the update; must be new.")
    ],
    run: options.RunArgument = None,
    release: board_options.Release = None,
    accept_partial: options.AcceptPartial = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write a run's model as a signed update, for boards that somebody else plugs in.

    \b
    Examples:
      tinyml keys sign runs/kws-yes-no --key ~/keys/doorbell.pem --out doorbell-12.update --release 12
    """
    from tinyml_cli.stages.adopt import open_run
    from tinyml_cli.updates import keys, model_only

    first = open_run(run)
    outcome = model_only.write_update(first, keys.load(key), release, out)
    following = next_step("flash", first.path, "--board", "nano33ble", "--model-only", "--update", out)
    console.result(
        outcome,
        f"{out} is release {outcome.release} of model {outcome.model}, {outcome.update_bytes:,} B. "
        f"Next: {following}",
    )
