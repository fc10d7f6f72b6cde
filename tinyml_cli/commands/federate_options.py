"""Options of `tinyml federate`, declared once, and what its commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import typer

from tinyml_cli.commands import options
from tinyml_cli.commands.task_commands import Values, output_options, prepared, recipe_options, signed
from tinyml_cli.console import console

_RULES = ("mean", "trimmed-mean")
_COMPARED = ("all", "central", "none")
_ENGINES = ("own", "flower")


def values(
    clients: Annotated[
        int | None,
        typer.Option(
            "--clients", min=2, max=1000, help="Each a speaker or machine, or a few; 20 by default."
        ),
    ] = None,
    rounds: Annotated[int | None, typer.Option("--rounds", min=1, max=10_000, help="30 by default.")] = None,
    non_iid: Annotated[
        float | None,
        typer.Option(
            "--non-iid",
            metavar="ALPHA",
            help="Deal labels to clients instead, the more unevenly the smaller: 0.5; 1000 is even.",
        ),
    ] = None,
    participation: Annotated[
        float | None,
        typer.Option("--participation", help="A client's chance to join a round; 0.5 by default."),
    ] = None,
    local_epochs: Annotated[
        int | None,
        typer.Option("--local-epochs", min=1, max=100, help="Passes over its data in a round; 5 by default."),
    ] = None,
    aggregate: Annotated[
        str | None,
        typer.Option(
            "--aggregate",
            callback=options.one_of("rule", *_RULES),
            help="mean (FedAvg), or trimmed-mean, against poisoned clients.",
        ),
    ] = None,
    prox_mu: Annotated[
        float | None, typer.Option("--prox-mu", metavar="MU", help="FedProx: pull towards the global model.")
    ] = None,
    poisoned: Annotated[
        int | None,
        typer.Option("--poisoned", min=0, metavar="N", help="So many send reversed, enlarged updates."),
    ] = None,
    average_all: Annotated[
        bool, typer.Option("--average-all", help="Average clients that did not train, too: a known mistake.")
    ] = False,
    clip: Annotated[
        float | None, typer.Option("--clip", metavar="NORM", help="Shorten updates to this norm.")
    ] = None,
    dp_noise: Annotated[
        float | None,
        typer.Option("--dp-noise", metavar="Z", help="Gaussian noise on their sum, in clips; tells its ε."),
    ] = None,
    bits: Annotated[
        int | None, typer.Option("--bits", help="Of each value that clients send: 8 (by default) or 32.")
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            "--engine",
            callback=options.one_of("engine", *_ENGINES),
            help="flower: also leave the same as a Flower app, in the run's folder flower/.",
        ),
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(
            "--compare",
            callback=options.one_of("comparison", *_COMPARED),
            help="Also train centrally and (all) each client alone; central; none. All by default.",
        ),
    ] = None,
) -> dict[str, Any]:
    """Values of the recipe by dotted key; None where not given."""
    return {
        "training.epochs": rounds,
        "federation.clients": clients,
        "federation.non_iid": non_iid,
        "federation.participation": participation,
        "federation.local_epochs": local_epochs,
        "federation.aggregate": aggregate,
        "federation.prox_mu": prox_mu,
        "federation.poisoned": poisoned,
        "federation.average_all": average_all or None,
        "federation.clip": clip,
        "federation.dp_noise": dp_noise,
        "federation.bits": bits,
        "federation.engine": engine,
        "federation.compare": compare,
    }


def federate_command(of_task: Values, text: str) -> Callable[..., None]:
    """`tinyml federate TASK`, see `task_commands.train_command`."""

    def command(context: typer.Context, **given: Any) -> None:
        from tinyml_cli.stages import federate as stage

        given["rounds"] = given["rounds"] or (stage.ROUNDS if given["config"] is None else None)
        run, recipe, _ = prepared(context, given, of_task, values)
        outcome = stage.federate(run, recipe, given["resume"])
        stage.show(outcome)
        console.result(outcome, stage.sentence(outcome))

    return signed(command, text, of_task, values, recipe_options, output_options)
