"""tinyml fleet rollout pause"""

from __future__ import annotations

from tinyml_cli.commands import fleet_options, options
from tinyml_cli.console import console


def command(
    fleet: fleet_options.Fleet = fleet_options.FLEET,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Hold the rollout where it is; no further device gets the release, and no gate is asked.

    \b
    Examples:
      tinyml fleet rollout pause
      tinyml fleet rollout pause --fleet lamps
    """
    from tinyml_cli.fleet import rollout
    from tinyml_cli.fleet.listing import changed, rollout_sentence

    outcome = changed(fleet, rollout.pause)
    console.result(outcome, rollout_sentence(outcome))
