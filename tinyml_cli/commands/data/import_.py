"""tinyml data import"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    folder: Annotated[Path, typer.Argument(help="A folder of recordings made with another tool.")],
    out: Annotated[Path, typer.Option("--out", help="Where to; nothing that is there is changed.")],
    speaker: Annotated[
        str, typer.Option("--speaker", help="Who speaks in all of them, where the files do not say.")
    ] = "",
    sample_rate: Annotated[
        int, typer.Option("--sample-rate", min=4000, help="Of the clips, in Hz.")
    ] = 16_000,
    clip_ms: Annotated[int, typer.Option("--clip-ms", min=200, help="Length of a clip, in ms.")] = 1000,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Import recordings of Open Speech Recording (OGG) or Edge Impulse, and list what was skipped.

    Words longer than a clip are cut to their loudest second; motion becomes CSV.

    \b
    Examples:
      tinyml data import downloads/ --speaker anna --out recordings/
      tinyml data import edge-impulse-export/ --out recordings/
      tinyml data import edge-impulse-export/ --out recordings/ --json
    """
    from tinyml_cli.data import import_files

    document = import_files.import_folder(folder, out, sample_rate, clip_ms * sample_rate // 1000, speaker)
    import_files.show(document)
    console.result(document, import_files.text(document))
