"""tinyml fleet show"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import fleet_options, options
from tinyml_cli.console import console


def command(
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="Its id; tinyml fleet list shows all.")],
    fleet: fleet_options.Fleet = fleet_options.FLEET,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Show one device.

    \b
    Examples:
      tinyml fleet show lab-07
      tinyml fleet show lab-07 --json
    """
    from tinyml_cli.fleet.database import FleetDatabase
    from tinyml_cli.fleet.listing import device as found
    from tinyml_cli.fleet.listing import device_text

    outcome = found(FleetDatabase.existing(fleet), device)
    console.result(outcome, device_text(outcome))
