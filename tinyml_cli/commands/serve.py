"""tinyml serve"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli.commands import options


def command(
    folder: Annotated[
        Path, typer.Argument(metavar="[RUNS]", help="The folder of runs to serve; runs/ by default.")
    ] = Path("runs"),
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="By default 8421 or a free one.")
    ] = None,
    share: Annotated[
        bool, typer.Option("--share", help="Serve other computers too: --host 0.0.0.0.")
    ] = False,
    host: Annotated[
        str | None,
        typer.Option("--host", metavar="ADDRESS", help="Address to serve; 127.0.0.1 by default."),
    ] = None,
    names: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="NAME", help="A name that clients call this computer by; repeatable."),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", metavar="FILE", help="Holds the token; made where it is not there."),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option("--state", metavar="DIR", help="For queue and results; RUNS/.tinyml-serve by default."),
    ] = None,
    workers: Annotated[
        str,
        typer.Option(
            "--workers",
            metavar="N|ray://HOST:PORT",
            help="Jobs at once, 1 to 64; or a Ray cluster that runs them.",
        ),
    ] = "1",
    memory_mb: Annotated[
        int, typer.Option("--job-memory-mb", min=256, help="Memory of each process of a job (Linux).")
    ] = 8192,
    seconds: Annotated[int, typer.Option("--job-seconds", min=1, help="Time of a job.")] = 900,
    result_mb: Annotated[int, typer.Option("--job-result-mb", min=1, help="All that a job writes.")] = 1024,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Serve runs over HTTP: jobs that profile and build, answers at once, streams of sound.

    Without the token that it prints, nothing but /healthz and /openapi.json is answered. Jobs are queued
    on the disk: a server that was killed goes on with them when it starts again. See docs/serve.md.

    \b
    Examples:
      tinyml serve
      tinyml serve runs --workers 2 --token-file token.txt
      tinyml serve --share --name lab-server.local
      tinyml serve runs --workers ray://head.local:10001
      tinyml serve runs --job-seconds 300 --job-memory-mb 4096
    """
    from tinyml_cli.http_api.server import ANY, LOOPBACK
    from tinyml_cli.serve.job_limits import JobLimits
    from tinyml_cli.serve.ray_workers import places
    from tinyml_cli.serve.server import ServeOptions, serve

    limits = JobLimits(memory_mb, seconds, result_mb)
    address = host or (ANY if share else LOOPBACK)
    serve(ServeOptions(folder, address, port, tuple(names or ()), token_file, state, places(workers), limits))
