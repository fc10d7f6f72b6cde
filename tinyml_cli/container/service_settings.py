"""How an image is started that serves: said once for the image's configuration and for the Containerfile."""

from __future__ import annotations

import json
from typing import Any

from tinyml_cli.http_api.server import ANY, SERVICE_PORT

DATA = "data"
"""The folder of runs, a volume; any user may write to it."""

_COMMAND = ["tinyml", "serve", f"/{DATA}", "--host", ANY, "--port", str(SERVICE_PORT)]
_ASK = f"import urllib.request; urllib.request.urlopen('http://127.0.0.1:{SERVICE_PORT}/healthz', timeout=5)"
_SECOND_NS = 1_000_000_000
_INTERVAL_S, _TIMEOUT_S, _START_S = 30, 10, 60


def started(python: str) -> dict[str, Any]:
    """The part of an image's configuration; further words of `podman run` go to `tinyml serve`.

    `Healthcheck` is Docker's extension of the specification; others pass it over.

    Args:
        python: the interpreter's path in the image.
    """
    return {
        "Entrypoint": _COMMAND,
        "ExposedPorts": {f"{SERVICE_PORT}/tcp": {}},
        "Volumes": {f"/{DATA}": {}},
        "Healthcheck": {
            "Test": ["CMD", python, "-c", _ASK],
            "Interval": _INTERVAL_S * _SECOND_NS,
            "Timeout": _TIMEOUT_S * _SECOND_NS,
            "StartPeriod": _START_S * _SECOND_NS,
        },
    }


def lines() -> str:
    """The same as lines of a Containerfile."""
    seconds = f"--interval={_INTERVAL_S}s --timeout={_TIMEOUT_S}s --start-period={_START_S}s"
    return (
        f"EXPOSE {SERVICE_PORT}\n"
        f"VOLUME /{DATA}\n"
        f"HEALTHCHECK {seconds} CMD {json.dumps(['python3', '-c', _ASK])}\n"
        f"ENTRYPOINT {json.dumps(_COMMAND)}\n"
    )
