"""`tinyml studio`: opens the sockets, serves until Ctrl-C, and opens the browser."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import threading
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml_cli import temporary
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.outcomes.housekeeping import StudioOpened
from tinyml_cli.studio import phone, trainings
from tinyml_cli.studio.app import application
from tinyml_cli.studio.studio import Studio

if TYPE_CHECKING:
    import uvicorn

LOOPBACK = "127.0.0.1"
PORT = 8420
"""The port that is taken where it is free and none was asked for."""

_MOST_AT_ONCE = 200
_POLL_S = 0.2
_GRACE_S = 0.5


@dataclass(frozen=True)
class StudioOptions:
    """What the command line asks for.

    Attributes:
        folder: of data and runs.
        port: None: PORT, or any other that is free.
        share: also serve phones of the local network.
        opens: open the browser.
    """

    folder: Path
    port: int | None = None
    share: bool = False
    opens: bool = True


def serve(options: StudioOptions) -> None:
    """Serves until Ctrl-C; the folder is the current one from then on.

    Raises:
        TinymlError: no such folder, or a port that is taken.
    """
    if not options.folder.is_dir():
        raise TinymlError(
            "The folder does not exist", str(options.folder), "Make it first, or name another one."
        )
    with contextlib.ExitStack() as stack:
        found = stack.enter_context(listening_socket(options.port))
        os.chdir(options.folder)
        studio = Studio(Path.cwd())
        port = found.getsockname()[1]
        hosts = {f"{name}:{port}" for name in (LOOPBACK, "localhost")}
        servers = [(_server(application(studio, hosts)), found)]
        if options.share:
            servers.append(_for_phones(studio, stack))
        running = _Running(studio, servers)
        running.start()
        threading.Thread(target=trainings.watch, args=(studio,), daemon=True).start()
        _tell(studio, port)
        if options.opens:
            webbrowser.open(_link(studio, port))
        was_quiet, console.quiet = console.quiet, True  # checks that pages ask for would draw progress bars
        with contextlib.suppress(KeyboardInterrupt):
            running.wait()
        console.quiet = was_quiet
        running.stop()


def _link(studio: Studio, port: int) -> str:
    return f"http://{LOOPBACK}:{port}/#{studio.access.token}"


def _tell(studio: Studio, port: int) -> None:
    console.info(f"The studio of {studio.root}. Ctrl-C ends it.")
    if studio.phone_origin:
        console.info(
            f"Phones reach it at {studio.phone_origin} with a QR code of the page Data. They ask about its "
            f"certificate, whose SHA-256 fingerprint is\n{studio.fingerprint}"
        )
    link = _link(studio, port)
    opened = StudioOpened(
        url=link,
        folder=str(studio.root),
        port=port,
        phone_origin=studio.phone_origin or None,
        fingerprint=studio.fingerprint or None,
    )
    console.result(opened, link)


def _for_phones(studio: Studio, stack: contextlib.ExitStack) -> tuple[uvicorn.Server, socket.socket]:
    """The server of the local network: TLS, because browsers give microphones to no other pages."""
    host = phone.local_address()
    folder = Path(stack.enter_context(temporary.folder("studio")))
    address = phone.make_certificate(host, folder)
    found = stack.enter_context(listening_socket(None, host))
    origin = f"{host}:{found.getsockname()[1]}"
    studio.phone_origin, studio.fingerprint = f"https://{origin}", address.fingerprint
    server = _server(
        application(studio, {origin}), ssl_certfile=str(address.certificate), ssl_keyfile=str(address.key)
    )
    return server, found


def listening_socket(port: int | None, host: str = LOOPBACK) -> socket.socket:
    """A socket that listens on a port; with None on PORT, or on any other where that is taken.

    Raises:
        TinymlError: the port is taken, or is not for everybody.
    """
    reason = ""
    for candidate in (PORT, 0) if port is None else (port,):
        found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if os.name == "posix":  # elsewhere this would share a port that is in use
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((host, candidate))
            found.listen(128)
            return found
        except OSError as error:
            found.close()
            reason = error.strerror or str(error)
    raise TinymlError(f"Cannot listen on port {port}: {reason}", "--port", "Choose another one, or omit it.")


def _server(app: object, **tls: str) -> uvicorn.Server:
    import uvicorn

    # uvicorn would print what only the console prints.
    logging.getLogger("uvicorn").propagate = False
    logging.getLogger("uvicorn").addHandler(logging.NullHandler())
    config = uvicorn.Config(
        app,  # type: ignore[arg-type]
        log_config=None,
        access_log=False,
        lifespan="off",
        ws="none",
        http="h11",
        loop="asyncio",
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_MOST_AT_ONCE,
        timeout_graceful_shutdown=1,
        **tls,  # type: ignore[arg-type]
    )
    return uvicorn.Server(config)


class _Running:
    """Servers in a thread: the main one waits for Ctrl-C, which it alone gets."""

    def __init__(self, studio: Studio, servers: list[tuple[uvicorn.Server, socket.socket]]) -> None:
        self._studio = studio
        self._servers = servers
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait(self) -> None:
        while self._thread.is_alive():
            self._thread.join(_POLL_S)

    def stop(self) -> None:
        for job in self._studio.jobs.stop_all():
            has_ended = job.state != "running" and job.lines
            console.info(job.lines[-1] if has_ended else f"Stopped, and kept what it saved: {job.command}")
        self._studio.feed.close()
        for server, _ in self._servers:
            server.should_exit = True
        self._thread.join(_GRACE_S)

    async def _serve(self) -> None:
        await asyncio.gather(*(server.serve(sockets=[found]) for server, found in self._servers))
