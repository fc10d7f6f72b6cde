"""Federated training as a stage: a training whose recipe names clients, and the tables of what came of it."""

from __future__ import annotations

from tinyml_cli.console import console
from tinyml_cli.documents import load_json
from tinyml_cli.outcomes.federations import Federated, FederatedFigure, Federation
from tinyml_cli.recipes.base import BaseRecipe
from tinyml_cli.run import Run
from tinyml_cli.stages import common
from tinyml_cli.training.federated.files import FEDERATION
from tinyml_cli.wording import counted

ROUNDS = 30
"""Of a training whose recipe is not given."""


def federate(run: Run, recipe: BaseRecipe, resume: bool = False) -> Federated:
    """Trains; see `common.train`."""
    trained = common.train(run, recipe, resume)
    federation = Federation.model_validate(load_json(run.file(FEDERATION)))
    return Federated.extending(trained, federation=federation)


def show(outcome: Federated) -> None:
    """Tables for people."""
    found = outcome.federation
    rows = [("federated", *_cells(found.federated))]
    if found.central is not None:
        rows.append(("central", *_cells(found.central)))
    alone = {"best": found.alone_best, "mean": found.alone_mean, "worst": found.alone_worst}
    rows += [
        (f"a client alone, {name}", f"{value:.3f}", "", f"{found.federated.n:,}")
        for name, value in alone.items()
        if value is not None
    ]
    console.table(
        f"Float models on the test split, whose {found.member}s are at no client",
        ["model", found.measure, "95 %", "n"],
        rows,
    )
    console.table(
        "Clients, by items that they kept to judge by",
        ["client", f"{found.member}s", "examples", "federated", "95 %", "n", "alone"],
        [
            (
                f"{client.client}{' (poisoned)' if client.is_poisoned else ''}",
                client.members or "-",
                f"{client.examples:,}",
                *_cells(client.federated),
                "-" if client.alone is None else f"{client.alone.value:.3f}",
            )
            for client in found.clients
        ],
    )  # fmt: skip


def _cells(figure: FederatedFigure) -> tuple[str, str, str]:
    interval = "-" if figure.ci95 is None else f"{figure.ci95[0]:.3f}–{figure.ci95[1]:.3f}"
    return f"{figure.value:.3f}", interval, f"{figure.n:,}"


def sentence(outcome: Federated) -> str:
    """What came of it, in a few lines; the next step is the last one."""
    found, (*lines, last) = outcome.federation, common.train_text(outcome).split("\n")
    traffic = found.traffic
    lines.append(
        f"On the air (modelled): a client sends {traffic.up_bytes:,} bytes in a round and receives "
        f"{traffic.down_bytes:,}; {traffic.total_bytes / 1e6:,.1f} MB in all. The recordings are "
        f"{traffic.data_bytes / 1e6:,.1f} MB."
    )
    return "\n".join([*lines, *filter(None, _told(found)), last])


def _told(found: Federation) -> list[str]:
    worst = found.clients[found.worst_client - 1]
    value, n = worst.federated.value, worst.federated.n
    lines = [f"Worst client: {worst.client}, {found.measure} {value:.3f} (n = {n})."]
    if found.difference is not None:
        low, high = found.difference.ci95
        lines.append(
            f"Federated minus central: {found.difference.value:+.3f} "
            f"(95 % interval {low:+.3f} to {high:+.3f}, n = {found.difference.n})."
        )
    if found.average_all:
        lines.append(
            f"Of each round's average, {found.mean_stale_share:.0%} was of clients that had not trained: "
            "steps are that much shorter. Leave --average-all out to see the cost."
        )
    return [*lines, _privacy(found)]


def _privacy(found: Federation) -> str:
    if (of := found.privacy) is None:
        return ""
    said = (
        f"Noise: ε = {of.epsilon:.3g} at δ = {of.delta:g} for a client's whole data, the server being trusted"
    )
    if of.is_meaningful:
        return f"{said}."
    needed = f"about {of.clients_needed:,}" if of.clients_needed else "over a thousand million"
    return (
        f"{said}: with {counted(len(found.clients), 'client')}, that protects next to nothing. "
        f"ε = 8 with as little noise in the model needs {needed} clients."
    )
