"""`tinyml serve`: token, sockets, and serving until Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
from dataclasses import dataclass, field
from pathlib import Path

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.http_api.server import (
    ANY,
    LOOPBACK,
    SERVICE_PORT,
    RunningServers,
    listening_socket,
    web_server,
)
from tinyml_cli.outcomes.services import ServiceOpened
from tinyml_cli.serve import job_limits
from tinyml_cli.serve.app import application
from tinyml_cli.serve.job_limits import JobLimits
from tinyml_cli.serve.service import STATE, Service, opened

_TOKEN_BYTES = 32
_SHORTEST_TOKEN = 16


@dataclass(frozen=True)
class ServeOptions:
    """What the command line asks for.

    Attributes:
        runs: the folder of runs.
        host: the address to listen on.
        port: None: PORT, or any other that is free.
        names: further names by which clients call this computer.
        token_file: holds the token; made where it is not there.
        state: where queue and results lie; a hidden folder in `runs` by default.
        workers: jobs at once on this computer, or the address of a Ray cluster that runs them.
        limits: of each job.
    """

    runs: Path
    host: str = LOOPBACK
    port: int | None = None
    names: tuple[str, ...] = ()
    token_file: Path | None = None
    state: Path | None = None
    workers: int | str = 1
    limits: JobLimits = field(default_factory=JobLimits)


def serve(options: ServeOptions) -> None:
    """Serves until Ctrl-C.

    Raises:
        TinymlError: no such folder, a port that is taken, a token that is too short, or another server that
            has the folder.
    """
    if not options.runs.is_dir():
        raise TinymlError(
            "The folder does not exist", str(options.runs), "Make it first, or name another one."
        )
    with contextlib.ExitStack() as stack:
        found = stack.enter_context(listening_socket(options.port, SERVICE_PORT, options.host))
        token = _token(options.token_file)
        state = options.state or options.runs / STATE
        service = stack.enter_context(opened(options.runs, state, token, options.limits, options.workers))
        running = RunningServers([(web_server(application(service, _names(options)), ws="wsproto"), found)])
        running.start()
        _tell(options, service, token, found.getsockname()[1])
        was_quiet, console.quiet = console.quiet, True
        with contextlib.suppress(KeyboardInterrupt):
            running.wait()
        console.quiet = was_quiet
        running.stop()


def _names(options: ServeOptions) -> set[str]:
    names = {"localhost", *options.names}
    return names if options.host == LOOPBACK else names | {socket.gethostname()}


def _token(path: Path | None) -> str:
    """The token of a file, or a new one.

    Raises:
        TinymlError: the file cannot be read or made, or holds too little.
    """
    made = secrets.token_urlsafe(_TOKEN_BYTES)
    if path is None:
        return made
    try:
        with contextlib.suppress(FileExistsError):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(f"{made}\n")
            return made
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise TinymlError(f"The token cannot be read: {reason}", str(path), "Name another file.") from error
    if len(token) < _SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise TinymlError(
            f"The file holds no token of at least {_SHORTEST_TOKEN} letters without spaces",
            str(path),
            "Remove the file, and the server makes a token and writes it there.",
        )
    return token


def _tell(options: ServeOptions, service: Service, token: str, port: int) -> None:
    shown = LOOPBACK if options.host == ANY else options.host
    url = f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
    console.info(f"Serving the runs of {options.runs}. Ctrl-C ends it; jobs go on with the next start.")
    if options.host != LOOPBACK:
        console.info("Other computers reach it without encryption: put a proxy with TLS before it.")
    if note := job_limits.statement():
        console.warn(note)
    known = f"the token in {options.token_file}" if options.token_file else f"the token {token}"
    console.result(
        ServiceOpened(
            url=url,
            folder=str(options.runs),
            port=port,
            token=token,
            workers=service.dispatcher.workers,
            memory_is_limited=job_limits.enforces_memory(),
        ),
        f"{url} answers requests with {known}. Try:\n"
        f"  curl -H 'Authorization: Bearer {'TOKEN' if options.token_file else token}' {url}/v1/models",
    )
