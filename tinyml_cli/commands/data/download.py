"""tinyml data download"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    name: Annotated[
        str | None, typer.Argument(help="Of the data set; all are listed if you give none.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            callback=options.given(checks.output_folder),
            help="The output folder; named after the dataset by default.",
        ),
    ] = None,
    mirror: Annotated[
        str | None,
        typer.Option("--mirror", metavar="URL", help="A copy of the same archives: a URL or a folder."),
    ] = None,
    version: Annotated[str | None, typer.Option("--version", help="The newest version by default.")] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Download a public dataset, verify and unpack it; an interrupted download is resumed.

    \b
    Examples:
      tinyml data download
      tinyml data download speech-commands
      tinyml data download librispeech-dev-clean
      tinyml data download vww
      tinyml data download kokoro
      tinyml data download speech-commands --out data/speech --version v0.02
      tinyml data download speech-commands --mirror https://mirror.example.org/speech/
      tinyml data download speech-commands --mirror /media/usb --json
    """
    from tinyml_cli.download import download, public_datasets

    if name is None:
        datasets = public_datasets.available()
        public_datasets.show_available(datasets)
        console.result(datasets)
        return
    outcome = download.download(public_datasets.find(name, version), out, mirror)
    console.result(outcome, download.text(outcome))
