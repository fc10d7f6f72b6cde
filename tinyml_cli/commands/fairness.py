"""tinyml fairness"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options
from tinyml_cli.console import console

_RULES = ("single", "demographic-parity", "equal-opportunity", "equal-accuracy", "least-cost")


def _cost(name: str, of: str) -> typer.models.OptionInfo:
    return typer.Option(name, min=0, max=1_000_000, help=f"Cost of {of}.")  # type: ignore[no-any-return]


def command(
    run: options.RunArgument = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            "--groups",
            callback=options.given(checks.input_file),
            metavar="CSV",
            help="A first line such as speaker,age,accent, then one for each; by default what the run knows.",
        ),
    ] = None,
    attribute: Annotated[
        str | None, typer.Option("--attribute", metavar="NAME", help="The only column to use.")
    ] = None,
    data: options.AnyDataOption = None,
    split: Annotated[
        str | None,
        typer.Option(
            "--split",
            callback=options.one_of("split", "test", "all"),
            help="With --data: test (never trained on) or all; chosen from the data by default.",
        ),
    ] = None,
    miss_cost: Annotated[float, _cost("--miss-cost", "something that is not reported")] = 1.0,
    false_accept_cost: Annotated[float, _cost("--false-accept-cost", "a report of nothing")] = 1.0,
    wrong_label_cost: Annotated[float, _cost("--wrong-label-cost", "a report as another label")] = 1.0,
    tolerance: Annotated[
        float, typer.Option("--tolerance", min=0, max=1, help="Largest gap that counts as equal.")
    ] = 0.05,
    apply: Annotated[
        str | None,
        typer.Option(
            "--apply",
            metavar="RULE",
            callback=options.one_of("rule", *_RULES),
            help="Write this rule's threshold for all to the manifest: single, demographic-parity, "
            "equal-opportunity or equal-accuracy.",
        ),
    ] = None,
    template: Annotated[
        Path | None,
        typer.Option(
            "--write-groups",
            callback=options.given(checks.new_file),
            metavar="CSV",
            help="Only write a file with the name of every speaker or other source, to fill in.",
        ),
    ] = None,
    accept_partial: options.AcceptPartial = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Compare groups of people at a run's threshold, and find thresholds by five rules of fairness.

    The rules: single (least cost), demographic-parity (equal shares reported), equal-opportunity (equal
    recall), equal-accuracy, least-cost (per group). Thresholds are chosen on other items than the figures
    are of. report/report.html shows the groups with sliders.

    \b
    Examples:
      tinyml fairness
      tinyml fairness runs/kws-yes-no --write-groups groups.csv
      tinyml fairness runs/kws-yes-no --groups groups.csv --miss-cost 5
      tinyml fairness --data speech_commands/ --groups accents.csv --json
      tinyml fairness --groups groups.csv --apply equal-opportunity
    """
    from tinyml_cli.evaluation.fairness import FairnessOptions, fairness, write_groups
    from tinyml_cli.fairness.text import sentence, show
    from tinyml_cli.outcomes.fairness import MistakeCosts
    from tinyml_cli.run import Run

    opened = Run.open(run)
    if template is not None:
        checks.exclusive("--write-groups", {"--apply": apply, "--groups": groups, "--attribute": attribute})
        written = write_groups(opened, data, split, template)  # type: ignore[arg-type]
        console.result(written, f"Fill in the groups of {written.sources} names: {written.file}")
        return
    costs = MistakeCosts(miss=miss_cost, false_accept=false_accept_cost, wrong_label=wrong_label_cost)
    asked = FairnessOptions(groups, attribute, costs, tolerance, apply)  # type: ignore[arg-type]
    outcome = fairness(opened, data, split, asked)  # type: ignore[arg-type]
    show(outcome)
    console.result(outcome, sentence(outcome))
