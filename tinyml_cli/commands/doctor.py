"""tinyml doctor"""

from __future__ import annotations

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(json: options.Json = False, quiet: options.Quiet = False) -> None:
    """Check what this computer has for each stage, and say how to get what it lacks.

    \b
    Examples:
      tinyml doctor
      tinyml doctor --json
    """
    from tinyml_cli.doctor import examine

    findings = examine()
    console.table(
        "What tinyml needs",
        ["", "Tool", "For", "Found, or how to get it"],
        [["ok" if f.found else "--", f.name, f.purpose, f.found or f.remedy] for f in findings],
    )
    console.result({"checks": [f.as_dict() for f in findings]})
    if any(f.required and not f.found for f in findings):
        raise typer.Exit(code=1)
