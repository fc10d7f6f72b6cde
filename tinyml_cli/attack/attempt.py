"""One attack at each ratio, judged as the board judges."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.attack import engine
from tinyml_cli.attack.black_box import Estimated
from tinyml_cli.attack.engine import AttackPlan, Gradient
from tinyml_cli.attack.options import AttackOptions
from tinyml_cli.attack.surface import AttackSurface, FloatArray
from tinyml_cli.attack.victims import Victims
from tinyml_cli.console import COMPILING, console
from tinyml_cli.models import require_tensorflow
from tinyml_cli.outcomes.attacks import AttackPoint, AttackShare
from tinyml_cli.run import MODEL, Run
from tinyml_cli.statistics.metrics import wilson_interval

_SIGMA = 0.3  # of the radius, spread over all values


@dataclass(frozen=True)
class Perturbed:
    """What was made at one ratio.

    Attributes:
        point: its figures.
        items: integers [n, ...], attacked.
        hits: bool [n], by what the board reports.
        perturbation: float64 [n or 1, ...], as it was added.
    """

    point: AttackPoint
    items: npt.NDArray[Any]
    hits: npt.NDArray[np.bool_]
    perturbation: FloatArray


def attempts(
    run: Run, surface: AttackSurface, victims: Victims, options: AttackOptions
) -> Iterator[Perturbed]:
    """From the quietest to the loudest.

    Raises:
        TinymlError: the network cannot be loaded.
    """
    plan = AttackPlan(options.steps, options.universal, options.rooms, options.seed)
    exact = None if options.black_box else _exact(run, surface, options)
    total = options.steps * len(options.snr_db)
    start = None
    with console.progress(total, "Attacking", "" if options.black_box else COMPILING) as bar:
        for snr_db in options.snr_db:
            gradient = exact or _estimated(surface, victims, snr_db, options)
            made = engine.attack(
                surface, victims.made_on, victims.made_labels, snr_db, plan, gradient, bar.advance, start
            )
            start = made[0]
            queries = None
            if isinstance(gradient, Estimated):
                queries = round(float(gradient.queries.mean()))
            yield _judged(surface, victims, snr_db, plan, options, *made, queries)


def _exact(run: Run, surface: AttackSurface, options: AttackOptions) -> Gradient:
    require_tensorflow()
    from tinyml_cli.attack.surrogate import Exact

    return Exact(run.require(run.manifest(), MODEL), surface, options.target is not None)


def _estimated(surface: AttackSurface, victims: Victims, snr_db: float, options: AttackOptions) -> Gradient:
    radius = engine.radii(surface, victims.made_on, snr_db, options.universal)
    # Half a step of the sensor at least: less would be rounded away, and every answer the same.
    half_step = 0.5 / float(np.min(surface.unit))
    sigma = np.maximum(_SIGMA * radius / np.sqrt(victims.made_on[0].size), half_step)
    return Estimated(surface, options.target is not None, sigma, options.seed, not options.universal)


def _judged(
    surface: AttackSurface,
    victims: Victims,
    snr_db: float,
    plan: AttackPlan,
    options: AttackOptions,
    delta: FloatArray,
    radius: FloatArray,
    queries: int | None,
) -> Perturbed:
    items, labels, wanted = victims.items, victims.labels, options.target is not None
    radius = np.broadcast_to(radius, len(items))
    attacked = engine.added(surface, items, delta, radius)
    noisy = engine.noise(surface, items, radius, np.random.default_rng([options.seed, 22]))

    def by_board(judged: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        hits: npt.NDArray[np.bool_] = surface.is_reported(surface.reported(judged), labels) == wanted
        return hits

    def by_model(judged: npt.NDArray[Any]) -> AttackShare:
        return share((surface.answers(judged) == labels) == wanted)

    change = attacked.astype(np.float64) - items
    if options.universal:
        change = np.rint(delta * surface.unit)
    in_rooms = None
    if options.rooms:
        heard, _ = engine.played(surface, items, change, plan, np.random.default_rng([options.seed, 24]))
        in_rooms = share(by_board(surface.to_items(heard)))
    hits = by_board(attacked)
    point = AttackPoint(
        snr_db=snr_db,
        model=by_model(attacked),
        device=share(hits),
        noise_model=by_model(noisy),
        noise_device=share(by_board(noisy)),
        in_rooms=in_rooms,
        queries=queries,
    )
    return Perturbed(point, attacked, hits, change)


def share(hits: npt.NDArray[np.bool_]) -> AttackShare:
    """Share of bool [n], with Wilson's interval."""
    count, n = int(hits.sum()), len(hits)
    return AttackShare(share=count / n, ci95=wilson_interval(count, n), n=n)


def snr_at_half(points: Sequence[AttackPoint]) -> float | None:
    """The ratio at which half of the items succeed, linear between points; None where none or all do."""
    for quiet, loud in itertools.pairwise(points):
        if quiet.device.share < 0.5 <= loud.device.share:
            way = (0.5 - quiet.device.share) / (loud.device.share - quiet.device.share)
            return round(quiet.snr_db + way * (loud.snr_db - quiet.snr_db), 1)
    return None
