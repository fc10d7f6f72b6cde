"""tinyml fleet serve"""

from __future__ import annotations

from tinyml_cli.commands import fleet_options, options


def command(
    fleet: fleet_options.Fleet = fleet_options.FLEET,
    broker: fleet_options.Broker = "mqtt://127.0.0.1",
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Take what devices tell, move rollouts on, and say what devices shall run, until Ctrl-C.

    The state is one SQLite file. The server may be killed at any point: telemetry that it had not written
    comes again and is counted once, and a rollout goes on where it was.

    \b
    Examples:
      tinyml fleet serve
      tinyml fleet serve --fleet lamps --broker mqtts://fleet@broker.example
    """
    from tinyml_cli.fleet.broker import Broker
    from tinyml_cli.fleet.service import serve

    serve(fleet, Broker.at(broker))
