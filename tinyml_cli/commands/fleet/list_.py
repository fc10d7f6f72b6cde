"""tinyml fleet list"""

from __future__ import annotations

from tinyml_cli.commands import fleet_options, options
from tinyml_cli.console import console


def command(
    fleet: fleet_options.Fleet = fleet_options.FLEET,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """List the devices: what they run, how they do, and whether the world has moved, by the last 24 hours.

    \b
    Examples:
      tinyml fleet list
      tinyml fleet list --fleet lamps --json
    """
    from tinyml_cli.fleet.database import FleetDatabase
    from tinyml_cli.fleet.listing import fleet_sentence, show_fleet, shown

    outcome = shown(FleetDatabase.existing(fleet))
    show_fleet(outcome)
    console.result(outcome, fleet_sentence(outcome))
