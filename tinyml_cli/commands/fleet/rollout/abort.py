"""tinyml fleet rollout abort"""

from __future__ import annotations

from tinyml_cli.commands import fleet_options, options
from tinyml_cli.console import console


def command(
    fleet: fleet_options.Fleet = fleet_options.FLEET,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Bring all devices back to what they ran before the rollout.

    \b
    Examples:
      tinyml fleet rollout abort
      tinyml fleet rollout abort --fleet lamps
    """
    from tinyml_cli.fleet import rollout
    from tinyml_cli.fleet.listing import changed, rollout_sentence

    outcome = changed(fleet, rollout.abort)
    console.result(outcome, rollout_sentence(outcome))
