"""tinyml runs show"""

from __future__ import annotations

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    run: options.RunArgument = None, json: options.Json = False, quiet: options.Quiet = False
) -> None:
    """Show the details of a run.

    \b
    Examples:
      tinyml runs show
      tinyml runs show kws-yes-no
      tinyml runs show kws-yes-no --json
    """
    from tinyml_cli import run_list
    from tinyml_cli.run import Run

    shown = run_list.show(Run.open(run))
    console.result(shown, run_list.show_text(shown))
