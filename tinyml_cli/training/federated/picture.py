"""The rounds as curves, and every client as a bar. Imports matplotlib, so import this only to draw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyml_cli.outcomes.federations import Federation
from tinyml_cli.pages import pictures
from tinyml_cli.wording import counted

_DPI = 130
_NAMES = {"accuracy": "accuracy", "auc": "area under the ROC curve", "loss": "mean squared error"}
_FEDERATED, _CENTRAL, _ALONE = "#2468b4", "#2a9d5c", "#8a94a0"


def draw(path: Path, outcome: Federation) -> None:
    """Writes a PNG.

    Raises:
        TinymlError: the file cannot be written.
    """
    figure = pictures.new(9.5, 4.0)
    curves, bars = figure.subplots(1, 2)
    numbers = range(1, len(outcome.rounds) + 1)
    curves.plot(numbers, [each.value for each in outcome.rounds], color=_FEDERATED, label="federated")
    if outcome.central is not None:
        central = [each.central for each in outcome.rounds]
        curves.plot(numbers, central, color=_CENTRAL, label="central, as many passes")
    curves.set_xlabel("round")
    curves.set_ylabel(f"{'accuracy' if outcome.measure == 'accuracy' else 'loss'}, validation split")
    curves.xaxis.get_major_locator().set_params(integer=True)
    _legend(curves)
    order = sorted(outcome.clients, key=lambda client: client.federated.value)
    places = range(len(order))
    bars.bar(places, [client.federated.value for client in order], color=_FEDERATED, label="federated")
    if outcome.alone_mean is not None:
        own = [client.alone.value if client.alone else 0.0 for client in order]
        others = [client.alone_on_others.value if client.alone_on_others else 0.0 for client in order]
        bars.plot(places, own, "o", color="#c23b22", markersize=4, label="alone, on its own items")
        bars.plot(places, others, "o", color=_ALONE, markersize=4, label="alone, on the test split")
    bars.set_xticks(places, [str(client.client) for client in order], fontsize=7)
    bars.set_xlabel("client, the worst first" if outcome.measure != "loss" else "client, the best first")
    bars.set_ylabel(_NAMES[outcome.measure])
    _legend(bars)
    sizes = f"{counted(len(outcome.clients), 'client')}, {counted(len(outcome.rounds), 'round')}"
    figure.suptitle(f"{sizes}; n = {outcome.federated.n} in the test split", fontsize=10)
    pictures.write(path, figure, _DPI)


def _legend(axes: Any) -> None:
    axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3, frameon=False)
