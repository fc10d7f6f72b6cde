"""tinyml fleet rollout status"""

from __future__ import annotations

from tinyml_cli.commands import fleet_options, options
from tinyml_cli.console import console


def command(
    fleet: fleet_options.Fleet = fleet_options.FLEET,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Show the rollout that is going on, or the last one: its stage, and what each gate says.

    \b
    Examples:
      tinyml fleet rollout status
      tinyml fleet rollout status --json
    """
    from tinyml_cli.fleet.database import FleetDatabase
    from tinyml_cli.fleet.listing import rollout_sentence, show_rollout, status

    outcome = status(FleetDatabase.existing(fleet))
    show_rollout(outcome)
    console.result(outcome, rollout_sentence(outcome))
