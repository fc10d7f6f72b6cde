"""Busy streams of the synthetic voices of one split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tinyml_cli.data import splits
from tinyml_cli.data.clips import ClipSet
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.speech.other_speech import other_speech
from tinyml_cli.speech.plan import fixed_splits
from tinyml_cli.tasks.kws import checks as kws_checks
from tinyml_cli.tasks.kws import languages as kws_languages
from tinyml_cli.tasks.kws.busy_streams import HARD, BusyStreams, Mix
from tinyml_cli.tasks.kws.stream_audio import Material

# Share of the other speech, that which sounds most like a target, to be heard more often.
_NEAR = 0.2


def of_split(
    recipe: KwsRecipe,
    clips: ClipSet,
    noises: Sequence[npt.NDArray[np.int16]],
    split: splits.Split,
    seed: Sequence[int],
    mix: Mix = HARD,
) -> BusyStreams:
    """Streams of a split's clips, and of other speech by its voices.

    Args:
        recipe: words, synthesis and variation.
        clips: of the split.
        noises: recordings of background.
        split: whose voices speak.
        seed: fixes everything but the voices.
        mix: what is said beside the words.

    Raises:
        TinymlError: espeak-ng is missing or keeps crashing, or the cache cannot be written.
    """
    rate_hz = recipe.features.sample_rate_hz
    spoken = other_speech(
        recipe.words,
        recipe.streams.speech,
        rate_hz,
        kws_languages.voices(recipe),
        kws_languages.of_recipe(recipe),
        recipe.streams.kokoro_speech,
    )
    fixed = fixed_splits(each.group for each in spoken)
    validation, test = kws_checks.shares(recipe)
    ours = [
        each
        for each in sorted(spoken, key=lambda each: each.distance)
        if (fixed.get(each.group) or splits.split_of(each.group, validation, test)) == split
        and (mix.has_invented or not each.is_invented)
    ]
    others = [each.audio for each in ours]
    near = others[: round(len(others) * _NEAR)]
    material = Material(clips, tuple(noises), rate_hz, "")
    return BusyStreams(material, others, near, recipe.model_labels, recipe.augmentation, seed, mix)
