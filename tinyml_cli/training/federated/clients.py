"""Who the clients are: items dealt to them by person or machine, or by label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.federation import FederationRecipe
from tinyml_cli.wording import counted

Rows = NDArray[np.intp]

_LEAST = 5
"""Items of a client: one to judge by, the others to train on."""
_DRAWS = 200


def deal(groups: Sequence[str], labels: Sequence[str], recipe: FederationRecipe, seed: int) -> list[Rows]:
    """The items of each client, as indices.

    People and machines stay whole, several to a client where there are more of them. With `non_iid`, each
    label is dealt by a Dirichlet distribution (T.-M. H. Hsu et al., arXiv:1909.06335): a client is then no
    person.

    Args:
        groups: [items], the person or machine of each.
        labels: [items], what each shows.
        recipe: how many clients.
        seed: fixes who gets what.

    Raises:
        TinymlError: too few people or machines, or items.
    """
    names = np.array(groups)
    rng = np.random.default_rng([seed, 40])
    if recipe.non_iid is not None:
        return _by_label(np.array(labels), recipe.clients, recipe.non_iid, rng)
    known = np.unique(names)
    check_members(len(known), recipe)
    place = {name: rank % recipe.clients for rank, name in enumerate(rng.permutation(known))}
    of_item = np.array([place[name] for name in names])
    return _checked([np.flatnonzero(of_item == client) for client in range(recipe.clients)])


def check_members(known: int, recipe: FederationRecipe) -> None:
    """Refuses more clients than there are people or machines to train on.

    Raises:
        TinymlError: that is so.
    """
    if recipe.non_iid is None and known < recipe.clients:
        raise TinymlError(
            f"{recipe.clients} clients need as many people or machines to train on; there are {known}",
            "--clients",
            f"Use --clients {max(2, known)}, or deal items by label: --non-iid 0.5",
        )


def _by_label(labels: NDArray[np.str_], clients: int, alpha: float, rng: np.random.Generator) -> list[Rows]:
    for _ in range(_DRAWS):
        dealt: list[list[Rows]] = [[] for _ in range(clients)]
        for label in np.unique(labels):
            rows = rng.permutation(np.flatnonzero(labels == label))
            ends = np.rint(np.cumsum(rng.dirichlet(np.full(clients, alpha)))[:-1] * len(rows)).astype(int)
            for mine, part in zip(dealt, np.split(rows, ends), strict=True):
                mine.append(part)
        found = [np.sort(np.concatenate(mine)) for mine in dealt]
        if min(map(len, found)) >= _LEAST:
            return found
    raise TinymlError(
        f"Dealt so unevenly, {counted(len(labels), 'item')} leave clients with fewer than {_LEAST}",
        f"--non-iid {alpha:g}",
        "Use a larger --non-iid, fewer --clients, or more data.",
    )


def _checked(dealt: list[Rows]) -> list[Rows]:
    least = min(map(len, dealt))
    if least < _LEAST:
        raise TinymlError(
            f"A client would have {counted(least, 'item')}, and {_LEAST} are needed",
            "--clients",
            "Use fewer clients, so that each has more people or machines.",
        )
    return dealt


def held_out(rows: Rows, share: float, seed: Sequence[int]) -> tuple[Rows, Rows]:
    """A client's items to train on, and those to judge by."""
    order = np.random.default_rng([*seed, 41]).permutation(rows)
    kept = min(len(rows) - 1, max(1, round(share * len(rows))))
    return np.sort(order[kept:]), np.sort(order[:kept])


def poisoned(recipe: FederationRecipe, seed: int) -> frozenset[int]:
    """The clients that send false updates."""
    order = np.random.default_rng([seed, 42]).permutation(recipe.clients)
    return frozenset(order[: recipe.poisoned].tolist())


def joining(recipe: FederationRecipe, seed: int, number: int) -> list[int]:
    """The clients of a round: each joins by its own chance, which is what the accounting of noise assumes."""
    drawn = np.random.default_rng([seed, 43, number]).random(recipe.clients)
    return np.flatnonzero(drawn < recipe.participation).tolist()
