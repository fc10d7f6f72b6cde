"""tinyml runs list"""

from __future__ import annotations

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(json: options.Json = False, quiet: options.Quiet = False) -> None:
    """List the runs, newest first, with the last stage of each; * marks the latest.

    \b
    Examples:
      tinyml runs
      tinyml runs list --json
      TINYML_RUNS=/data/runs tinyml runs
    """
    from tinyml_cli import run_list
    from tinyml_cli.outcomes.housekeeping import RunList
    from tinyml_cli.run import how_to_make_one, runs_dir

    runs = run_list.describe()
    if runs:
        console.table(f"Runs in {runs_dir()}", run_list.COLUMNS, [run_list.row(each) for each in runs])
    else:
        console.info(f"No runs in {runs_dir()}. {how_to_make_one()}")
    console.result(RunList(folder=str(runs_dir()), runs=runs))
