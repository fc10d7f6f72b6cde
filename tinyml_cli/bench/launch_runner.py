"""Runs MLPerf Tiny's runner, as it is, with a port that has no USB identity; standard library and pyserial.

    python launch_runner.py PORT VID:PID RUNNER/main.py [ARGUMENT…]

The runner looks for devices by USB vendor and product id in pyserial's list of ports. A pseudo-terminal is
not in that list: this program adds it, with the ids that the runner's device table names, and then executes
the runner's own main.py in its own folder.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

from serial.tools import list_ports
from serial.tools.list_ports_common import ListPortInfo


def add_port(device: str, vid: int, pid: int) -> None:
    """Makes pyserial's list of ports end with `device`."""
    others = list_ports.comports

    def comports(*arguments: Any, **options: Any) -> list[ListPortInfo]:
        port = ListPortInfo(device)
        port.vid, port.pid = vid, pid
        port.description = "tinyml virtual board"
        return [*others(*arguments, **options), port]

    list_ports.comports = comports  # type: ignore[assignment]


def main(arguments: list[str]) -> None:
    """Adds the port and becomes the runner."""
    device, identity, program, *rest = arguments
    vid, pid = (int(part, 16) for part in identity.split(":"))
    add_port(device, vid, pid)
    sys.path[0] = str(Path(program).resolve().parent)
    sys.argv = [program, *rest]
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
