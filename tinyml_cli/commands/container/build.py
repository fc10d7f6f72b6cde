"""tinyml container build"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    base: Annotated[
        Path,
        typer.Option(
            "--base",
            metavar="PATH",
            help="A root file system (folder, tar) or OCI image (archive, layout) with compilers and QEMU.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            metavar="PATH",
            help="The image: an OCI archive (.tar), else a folder with an OCI layout.",
        ),
    ] = Path("tinyml.tar"),
    serve: Annotated[
        bool, typer.Option("--serve", help="The image serves the runs in its volume /data on port 8421.")
    ] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write an OCI image: the base, the Python packages of tinyml[train] as they are pinned, and this tinyml.

    No daemon and no root is needed, and nothing of the base is run. The image runs as user 1000 and starts
    `tinyml`, with --serve `tinyml serve /data`. Equal inputs give an equal digest.

    \b
    Examples:
      tinyml container build --base base.tar
      tinyml container build --base rootfs/ --out image
      tinyml container build --base base.tar --serve --out serve.tar
      tinyml container build --base rootfs.tar --out image.tar --json
    """
    from tinyml_cli.container import build
    from tinyml_cli.run_list import size_text

    outcome = build.build(base, out, serve)
    console.result(
        outcome,
        f"{out}: {size_text(outcome.bytes)}, {outcome.digest}\n"
        "Run it: podman run --rm --userns=keep-id:uid=1000,gid=1000 "
        + (
            f"-p 127.0.0.1:{outcome.port}:{outcome.port} -v ./runs:/data {outcome.reference}"
            if outcome.port
            else f"-v .:/work {outcome.reference} pipeline hello"
        ),
    )
