"""The slope of the loss estimated from scores alone, as somebody finds it who can only ask the board."""

from __future__ import annotations

import numpy as np

from tinyml_cli.attack.surface import AttackSurface, FloatArray, IntArray

QUERIES = 40
"""Of the model, for one step."""

_LEAST = 1e-3  # below the step of int8 scores
_ENOUGH = 0.1  # a loss at which nothing more is asked: a probability of 90 %


class Estimated:
    """Natural evolution strategies with antithetic samples.

    A. Ilyas et al., "Black-box Adversarial Attacks with Limited Queries and Information", ICML 2018.

    Attributes:
        queries: int64 [n], asked so far about each item.
    """

    def __init__(
        self, surface: AttackSurface, toward: bool, sigma: FloatArray, seed: int, stops: bool
    ) -> None:
        """Asks the surface's int8 model.

        Args:
            surface: gives scores.
            toward: whether the label is wanted, else unwanted.
            sigma: deviation of the samples of each item, [n], in units.
            seed: fixes the samples.
            stops: whether an item that has got there is left alone.
        """
        self._surface = surface
        self._sign = 1.0 if toward else -1.0
        self._sigma = sigma
        self._stops = stops
        self._rng = np.random.default_rng([seed, 21])
        self.queries = np.zeros(len(sigma), np.int64)
        self._is_done = np.zeros(len(sigma), bool)

    def __call__(self, values: FloatArray, labels: IntArray) -> tuple[FloatArray, FloatArray]:
        """Losses float64 [n], infinite where nothing more is asked, and the estimated gradient [n, ...]."""
        unit = np.asarray(self._surface.unit, np.float64)
        losses, slopes = np.full(len(values), np.inf), np.zeros(values.shape)
        for row in np.flatnonzero(~self._is_done):
            value, sigma = values[row], self._sigma[row]
            ways = self._rng.normal(0, 1, (QUERIES // 2, *value.shape))
            asked = np.concatenate([value + sigma * ways * unit, value - sigma * ways * unit])
            found = self._losses(asked, int(labels[row]))
            gain = found[: len(ways)] - found[len(ways) :]
            slopes[row] = np.tensordot(gain, ways, 1) / (2 * sigma * len(ways) * unit)
            losses[row] = found.mean()
            self.queries[row] += QUERIES
            self._is_done[row] = self._stops and losses[row] < _ENOUGH
        return losses, slopes

    def _losses(self, values: FloatArray, label: int) -> FloatArray:
        scores = self._surface.scores(self._surface.to_items(values))
        wanted = scores[:, :, label]
        odds = np.log((wanted + _LEAST) / (1 - wanted + _LEAST))
        found: FloatArray = np.logaddexp(0, -self._sign * odds).mean(axis=1)
        return found
