"""Options that the commands of a fleet share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Fleet = Annotated[
    Path, typer.Option("--fleet", metavar="DIR", help="The folder of the fleet's state; fleet/ by default.")
]
FLEET = Path("fleet")
Broker = Annotated[
    str,
    typer.Option(
        "--broker",
        metavar="URL",
        help="mqtt://HOST[:PORT] or mqtts://USER@HOST; the password comes from $TINYML_MQTT_PASSWORD.",
    ),
]
