"""The figures of a federated training, and the files of them in the run."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tinyml_cli.files import write_atomic
from tinyml_cli.outcomes.federations import (
    FederatedClientTold,
    FederatedDifference,
    FederatedFigure,
    FederatedPrivacy,
    FederatedRound,
    FederatedTraffic,
    Federation,
)
from tinyml_cli.pages import charts
from tinyml_cli.pages.templates import html
from tinyml_cli.run import Run
from tinyml_cli.statistics.bootstrap import mean_difference
from tinyml_cli.training.federated import clients as dealt
from tinyml_cli.training.federated import privacy
from tinyml_cli.training.federated.files import FEDERATION, FEDERATION_PICTURE, FEDERATION_SECTION
from tinyml_cli.training.federated.population import Judgement, Judging
from tinyml_cli.training.federated.rounds import FederatedFit, FederationPlan
from tinyml_cli.training.federated.wire import Vector

FILES = (FEDERATION, FEDERATION_SECTION, FEDERATION_PICTURE)


def write(run: Run, plan: FederationPlan, fit: FederatedFit) -> Sequence[str]:
    """Judges all models, and leaves figures, picture and a section for the report in the run.

    Returns:
        The files, which are to be recorded with the model.
    """
    from tinyml_cli.training.federated.picture import draw

    outcome = told(plan, fit)
    if plan.recipe.engine == "flower":
        from tinyml_cli.training.federated.flower_app import APP, export

        export(run.file(APP), plan)
    write_atomic(run.file(FEDERATION), json.dumps(outcome.as_dict(), indent=2) + "\n")
    draw(run.file(FEDERATION_PICTURE), outcome)
    section = html("federation.html", outcome=outcome, chart=charts.federation(outcome))
    write_atomic(run.file(FEDERATION_SECTION), section)
    return FILES


def told(plan: FederationPlan, fit: FederatedFit) -> Federation:
    """The figures; the network holds the global model afterwards, ready to be saved."""
    population, recipe = plan.population, plan.recipe
    of_global = fit.local.wire.read(fit.local.model)

    def judged(values: Vector, *by: Judging) -> list[Judgement]:
        model = fit.local.at(values)
        population.finish(model)
        return [judge(model) for judge in by]

    own = [client.judge for client in population.clients]
    alone = [judged(values, judge, population.test) for values, judge in zip(fit.alone, own, strict=False)]
    central = None if fit.central is None else judged(fit.central, population.test)[0]
    federated, *of_clients = judged(of_global, population.test, *own)
    false = dealt.poisoned(recipe, plan.seed)
    clients = [
        FederatedClientTold(
            client=1 + number,
            members=client.members,
            examples=client.examples,
            is_poisoned=number in false,
            federated=_figure(of_clients[number]),
            alone=_figure(alone[number][0]) if alone else None,
            alone_on_others=_figure(alone[number][1]) if alone else None,
        )
        for number, client in enumerate(population.clients)
    ]
    sign = -1 if population.measure == "loss" else 1
    by_value = sorted((pair[1].value for pair in alone), key=lambda value: sign * value)
    joined = fit.joined.tolist()
    stale = 1 - sum(joined) / (max(1, len(joined)) * recipe.clients)
    return Federation(
        measure=population.measure,
        member=population.member,
        rounds=_rounds(fit),
        aggregate=recipe.aggregate,
        prox_mu=recipe.prox_mu,
        non_iid=recipe.non_iid,
        average_all=recipe.average_all,
        poisoned=sorted(1 + number for number in false),
        mean_stale_share=stale if recipe.average_all else 0.0,
        federated=_figure(federated),
        central=None if central is None else _figure(central),
        difference=None if central is None else _difference(central, federated),
        alone_mean=sum(by_value) / len(by_value) if by_value else None,
        alone_best=by_value[-1] if by_value else None,
        alone_worst=by_value[0] if by_value else None,
        worst_client=min(clients, key=lambda client: sign * client.federated.value).client,
        clients=clients,
        traffic=_traffic(plan, fit, sum(joined)),
        privacy=_privacy(plan, len(joined)) if recipe.dp_noise and joined else None,
        picture=FEDERATION_PICTURE,
    )


def _figure(found: Judgement) -> FederatedFigure:
    return FederatedFigure(value=found.value, ci95=found.ci95, n=found.n)


def _difference(central: Judgement, federated: Judgement) -> FederatedDifference | None:
    found = mean_difference(central.items, federated.items)
    return None if found is None else FederatedDifference(value=found.difference, ci95=found.ci95, n=found.n)


def _rounds(fit: FederatedFit) -> list[FederatedRound]:
    central = fit.central_curve.tolist() or [None] * len(fit.curve)
    rows = zip(fit.curve.tolist(), central, fit.joined.tolist(), fit.norms.tolist(), strict=True)
    return [
        FederatedRound(value=value, central=other, joined=joined, update_norm=norm)
        for value, other, joined, norm in rows
    ]


def _traffic(plan: FederationPlan, fit: FederatedFit, times: int) -> FederatedTraffic:
    up, down = fit.local.wire.update_bytes(plan.recipe.bits), fit.local.wire.model_bytes
    return FederatedTraffic(
        bits=plan.recipe.bits,
        up_bytes=up,
        down_bytes=down,
        client_rounds=times,
        total_bytes=times * (up + down),
        data_bytes=plan.population.data_bytes,
    )


def _privacy(plan: FederationPlan, rounds: int) -> FederatedPrivacy:
    recipe = plan.recipe
    assert recipe.clip is not None
    found = privacy.guarantee(recipe, rounds)
    return FederatedPrivacy(
        epsilon=found.epsilon,
        delta=found.delta,
        noise=recipe.dp_noise,
        clip=recipe.clip,
        is_meaningful=found.epsilon <= privacy.MEANINGFUL and found.delta * recipe.clients < 1,
        clients_needed=found.clients_needed,
    )
