"""tinyml convert"""

from __future__ import annotations

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    run: options.RunArgument = None, json: options.Json = False, quiet: options.Quiet = False
) -> None:
    """Write the float32 and int8 flatbuffers and compare three runtimes on them.

    \b
    Examples:
      tinyml convert
      tinyml convert runs/kws-yes-no --json
    """
    from tinyml_cli.run import Run
    from tinyml_cli.tflite.convert import convert

    outcome = convert(Run.open(run))
    differing = outcome["mismatches"]
    parity = (
        ""
        if differing is None
        else (
            f"; {differing} output bytes differ between LiteRT and TensorFlow Lite Micro over "
            f"{outcome['compared']} inputs"
        )
    )
    console.result(
        outcome, f"int8 model: {outcome['int8']['bytes']:,} bytes{parity}. Next: tinyml export-c-array"
    )
