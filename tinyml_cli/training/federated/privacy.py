"""What noise on the sum of updates gives: differential privacy of a client's whole data."""

from __future__ import annotations

from typing import NamedTuple

from tinyml_cli import checks
from tinyml_cli.recipes.federation import FederationRecipe

MEANINGFUL = 8.0
"""An epsilon above this one promises next to nothing: odds change by exp(epsilon)."""

_PACKAGE = "dp_accounting"
_MOST_CLIENTS = 10**9


class Guarantee(NamedTuple):
    """Of all rounds together.

    Attributes:
        epsilon, delta: (epsilon, delta)-differential privacy of a client, add or remove one.
        clients_needed: how many would give MEANINGFUL with as little noise in the model.
    """

    epsilon: float
    delta: float
    clients_needed: int | None


def check() -> None:
    """Refuses noise that could not be accounted for.

    Raises:
        TinymlError: dp-accounting is not installed.
    """
    checks.package(_PACKAGE, "Accounting for --dp-noise", "Run: pip install 'tinyml-cli[dp]'")


def guarantee(recipe: FederationRecipe, rounds: int) -> Guarantee:
    """By Renyi differential privacy of the Poisson-sampled Gaussian mechanism (arXiv:1908.10530)."""
    noise, delta = recipe.dp_noise, recipe.dp_delta
    epsilon = _epsilon(recipe.participation, noise, rounds, delta)
    if epsilon <= MEANINGFUL:
        return Guarantee(epsilon, delta, recipe.clients)
    low = high = noise
    while _epsilon(recipe.participation, high, rounds, delta) > MEANINGFUL:
        low, high = high, 2 * high
    for _ in range(12):
        middle = (low + high) / 2
        enough = _epsilon(recipe.participation, middle, rounds, delta) <= MEANINGFUL
        low, high = (low, middle) if enough else (middle, high)
    # The noise of the mean is dp_noise * clip / (participation * clients).
    needed = round(recipe.clients * high / noise)
    return Guarantee(epsilon, delta, needed if needed < _MOST_CLIENTS else None)


def _epsilon(share: float, noise: float, rounds: int, delta: float) -> float:
    import absl.logging
    import dp_accounting

    absl.logging.set_verbosity(absl.logging.ERROR)  # of orders at which the series does not converge
    mechanism = dp_accounting.GaussianDpEvent(noise)
    event = mechanism if share == 1 else dp_accounting.PoissonSampledDpEvent(share, mechanism)
    accountant = dp_accounting.rdp.RdpAccountant()
    accountant.compose(dp_accounting.SelfComposedDpEvent(event, rounds))
    return float(accountant.get_epsilon(delta))
