"""tinyml fleet rollout history"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import fleet_options, options
from tinyml_cli.console import console


def command(
    most: Annotated[int, typer.Option("--most", min=1, max=10_000, help="Lines, the latest.")] = 50,
    fleet: fleet_options.Fleet = fleet_options.FLEET,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Show what happened: rollouts, stages with what their gates said, devices that joined or went back.

    \b
    Examples:
      tinyml fleet rollout history
      tinyml fleet rollout history --most 500 --json
    """
    from tinyml_cli.fleet.database import FleetDatabase
    from tinyml_cli.fleet.listing import history, history_text

    outcome = history(FleetDatabase.existing(fleet), most)
    console.result(outcome, history_text(outcome))
