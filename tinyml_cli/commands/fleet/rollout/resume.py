"""tinyml fleet rollout resume"""

from __future__ import annotations

from tinyml_cli.commands import fleet_options, options
from tinyml_cli.console import console


def command(
    fleet: fleet_options.Fleet = fleet_options.FLEET,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Let a paused rollout go on; its stage begins anew.

    \b
    Examples:
      tinyml fleet rollout resume
      tinyml fleet rollout resume --fleet lamps
    """
    from tinyml_cli.fleet import rollout
    from tinyml_cli.fleet.listing import changed, rollout_sentence

    outcome = changed(fleet, rollout.resume)
    console.result(outcome, rollout_sentence(outcome))
