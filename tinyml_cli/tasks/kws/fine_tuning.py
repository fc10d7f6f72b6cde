"""Keyword spotting: inputs of the training split for a network that is changed after its training."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data import splits
from tinyml_cli.data.clips import Corpus
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.tasks.kws import examples as kws_examples
from tinyml_cli.tasks.kws.pool import ExamplePool
from tinyml_cli.tasks.kws.variations import Variations
from tinyml_cli.training.examples import to_float

_DRAW = 9


def inputs(
    recipe: KwsRecipe,
    corpus: Corpus,
    split: Callable[[Corpus, KwsRecipe], NDArray[np.str_]],
    n: int,
    seed: int,
) -> NDArray[np.float32]:
    """About n augmented inputs of the training speakers, float32 [n, frames, channels, 1].

    Args:
        recipe: of the run.
        corpus: what the recipe trains on.
        split: says of which split each clip is, as in training.
        n: how many at most.
        seed: fixes which.
    """
    clips = corpus.clips.take(split(corpus, recipe) == splits.SPLITS[0])
    variations = Variations(clips, corpus.noises, recipe, [recipe.seed, _DRAW, seed])
    quotas = kws_examples.training_quotas(clips, recipe)
    share = max(1.0, n / max(1, sum(quotas.values())))
    quotas = {label: round(count * share) for label, count in quotas.items()}
    with ExamplePool(variations, quotas, recipe, [recipe.seed, _DRAW, seed]) as pool:
        examples = pool.sample(0, n)
    rows = np.random.default_rng([seed, _DRAW]).permutation(len(examples))[:n]
    return to_float(examples.features[rows])
