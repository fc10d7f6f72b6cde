"""tinyml fleet rollout start"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli.commands import fleet_options, options, registry_options
from tinyml_cli.console import console


def command(
    release: Annotated[
        str, typer.Argument(metavar="RUN|NAME@VERSION", help="A run's folder, or a version of the registry.")
    ],
    stages: Annotated[
        str, typer.Option("--stages", metavar="PERCENT,…", help="Of the devices, rising to 100.")
    ] = "1,10,50,100",
    shadow: Annotated[
        float,
        typer.Option(
            "--shadow", metavar="PERCENT", help="Of the devices, beside whose model it first only scores."
        ),
    ] = 0.0,
    soak: Annotated[float, typer.Option("--soak", metavar="MINUTES", help="A stage takes at least.")] = 60.0,
    least: Annotated[
        int, typer.Option("--least", help="Answers with known truth that a stage needs at least.")
    ] = 100,
    margin: Annotated[
        float, typer.Option("--margin", help="How much more often answers may be wrong than before.")
    ] = 0.1,
    most_failures: Annotated[
        float, typer.Option("--most-failures", help="Share of devices that may fail to start it.")
    ] = 0.05,
    alpha: Annotated[
        float, typer.Option("--alpha", help="Probability of a gate to stop a release that is no worse.")
    ] = 0.01,
    silent: Annotated[
        float, typer.Option("--silent", metavar="MINUTES", help="A device unheard of for so long is lost.")
    ] = 30.0,
    update_key: Annotated[
        Path | None,
        typer.Option(
            "--update-key",
            metavar="KEY",
            help="Sign it for real boards, and the way back; read now and kept nowhere.",
        ),
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Although it was rolled back before.")] = False,
    fleet: fleet_options.Fleet = fleet_options.FLEET,
    registry: registry_options.Registry = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Start a rollout: the fleet's server moves it on, and back where a gate fails.

    Gates: devices start it and pass its self-test; they stay alive; their answers are not wrong more often,
    and they do not drift more often, than before on the same devices.

    \b
    Examples:
      tinyml fleet rollout start runs/lamp
      tinyml fleet rollout start lamp@3 --shadow 10
      tinyml fleet rollout start runs/lamp-2 --update-key ~/keys/lamp.pem
      tinyml fleet rollout start lamp@challenger --stages 5,25,100 --soak 1440
    """
    from tinyml_cli.fleet import releases, rollout, signed
    from tinyml_cli.fleet.database import FleetDatabase
    from tinyml_cli.fleet.listing import rollout_sentence, rollout_shown
    from tinyml_cli.updates import keys

    plan = rollout.plan_of(
        stages=stages,
        shadow_percent=shadow,
        soak_s=60 * soak,
        least=least,
        margin=margin,
        most_failures=most_failures,
        alpha=alpha,
        silent_s=60 * silent,
        install_s=60 * silent,
    )
    state = FleetDatabase.existing(fleet)
    key = None if update_key is None else keys.load(update_key)
    started = signed.start(state, releases.named(release, registry), plan, again, key)
    with state.reading() as table:
        outcome = rollout_shown(table, started)
    console.result(outcome, rollout_sentence(outcome))
