"""`tinyml studio`: opens the sockets, serves until Ctrl-C, and opens the browser."""

from __future__ import annotations

import contextlib
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
from tinyml_cli.http_api.server import LOOPBACK, RunningServers, listening_socket, web_server
from tinyml_cli.outcomes.housekeeping import StudioOpened
from tinyml_cli.studio import phone, trainings
from tinyml_cli.studio.app import application
from tinyml_cli.studio.studio import Studio

if TYPE_CHECKING:
    import uvicorn

PORT = 8420
"""The port that is taken where it is free and none was asked for."""


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
        found = stack.enter_context(listening_socket(options.port, PORT))
        os.chdir(options.folder)
        studio = Studio(Path.cwd())
        port = found.getsockname()[1]
        hosts = {f"{name}:{port}" for name in (LOOPBACK, "localhost")}
        servers = [(web_server(application(studio, hosts)), found)]
        if options.share:
            servers.append(_for_phones(studio, stack))
        running = RunningServers(servers)
        running.start()
        threading.Thread(target=trainings.watch, args=(studio,), daemon=True).start()
        _tell(studio, port)
        if options.opens:
            webbrowser.open(_link(studio, port))
        was_quiet, console.quiet = console.quiet, True  # checks that pages ask for would draw progress bars
        with contextlib.suppress(KeyboardInterrupt):
            running.wait()
        console.quiet = was_quiet
        _end_jobs(studio)
        studio.feed.close()
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
    found = stack.enter_context(listening_socket(None, PORT, host))
    origin = f"{host}:{found.getsockname()[1]}"
    studio.phone_origin, studio.fingerprint = f"https://{origin}", address.fingerprint
    server = web_server(
        application(studio, {origin}), ssl_certfile=str(address.certificate), ssl_keyfile=str(address.key)
    )
    return server, found


def _end_jobs(studio: Studio) -> None:
    for job in studio.jobs.stop_all():
        has_ended = job.state != "running" and job.lines
        console.info(job.lines[-1] if has_ended else f"Stopped, and kept what it saved: {job.command}")
