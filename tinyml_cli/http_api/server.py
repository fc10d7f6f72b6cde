"""Sockets and servers: uvicorn, quiet, bounded, in a thread; the main thread waits for Ctrl-C."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from tinyml_cli.errors import TinymlError

if TYPE_CHECKING:
    import uvicorn

LOOPBACK = "127.0.0.1"
ANY = "0.0.0.0"
"""Every address of this computer."""

SERVICE_PORT = 8421
"""The port of `tinyml serve` where it is free and none was asked for; a container's in any case."""

_MOST_AT_ONCE = 200
_POLL_S = 0.2
_GRACE_S = 0.5


def listening_socket(port: int | None, preferred: int, host: str = LOOPBACK) -> socket.socket:
    """A socket that listens on a port; with None on the preferred one, or on any other where that is taken.

    Raises:
        TinymlError: the port is taken, or is not for everybody, or the host is not this computer's.
    """
    reason = ""
    for candidate in (preferred, 0) if port is None else (port,):
        found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        if os.name == "posix":  # elsewhere this would share a port that is in use
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((host, candidate))
            found.listen(128)
            return found
        except OSError as error:
            found.close()
            reason = error.strerror or str(error)
    where = f"port {port}" if host == LOOPBACK else f"{host}, port {preferred if port is None else port}"
    option = "--port" if host == LOOPBACK else "--host"
    raise TinymlError(f"Cannot listen on {where}: {reason}", option, "Choose another one, or omit it.")


def web_server(app: object, ws: Literal["none", "wsproto"] = "none", **tls: str) -> uvicorn.Server:
    """An uvicorn server that prints nothing; `tls` are its options for certificates."""
    import uvicorn

    from tinyml_cli.http_api.connection import Connection

    # uvicorn would print what only the console prints.
    logging.getLogger("uvicorn").propagate = False
    logging.getLogger("uvicorn").addHandler(logging.NullHandler())
    options: dict[str, Any] = dict(tls)
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_config=None,
        access_log=False,
        lifespan="off",
        ws=ws,
        ws_max_size=1 << 20,
        http=Connection,
        loop="asyncio",
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_MOST_AT_ONCE,
        timeout_graceful_shutdown=1,
        **options,
    )
    return uvicorn.Server(config)


class RunningServers:
    """Servers in a thread, each with its socket."""

    def __init__(self, servers: Sequence[tuple[uvicorn.Server, socket.socket]]) -> None:
        self._servers = servers
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def start(self) -> None:
        """Serves from now on."""
        self._thread.start()

    def wait(self) -> None:
        """Returns when the servers have ended, or raises KeyboardInterrupt."""
        while self._thread.is_alive():
            self._thread.join(_POLL_S)

    def stop(self) -> None:
        """Ends them."""
        for server, _ in self._servers:
            server.should_exit = True
        self._thread.join(_GRACE_S)

    async def _serve(self) -> None:
        await asyncio.gather(*(server.serve(sockets=[found]) for server, found in self._servers))
