"""Keyword spotting: a window that holds what the words take to say."""

from __future__ import annotations

from tinyml_cli.console import console
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.speech import espeak, reading
from tinyml_cli.tasks.kws import languages as kws_languages

# Of 40 utterances each of eight words and phrases of 3 to 13 sounds by espeak-ng and flite, 95 % take less;
# of "start machine", 90 %.
_MS, _MS_PER_SOUND = 300, 100
_LONGEST_MS = 3000
# So many strides behind the first frame, or a multiple: streaming networks take that many frames at a time.
_FRAMES = 4


def settled(recipe: KwsRecipe) -> KwsRecipe:
    """The recipe with a longer window where synthetic voices say phrases and it names no `clip_ms`."""
    phrases = [word for word in recipe.words if " " in word]
    if "clip_ms" in recipe.model_fields_set or recipe.data_path is not None or not phrases:
        return recipe
    if not espeak.is_installed():  # which is refused later, with advice
        return recipe
    how = kws_languages.of_recipe(recipe)
    sounds = {
        phrase: max(map(len, (*reading.target_sounds([phrase], language, how), "")))
        for phrase in phrases
        for language in how.spoken
    }
    longest = max(sounds, key=lambda phrase: sounds[phrase])
    clip_ms = _whole_strides(_MS + _MS_PER_SOUND * sounds[longest], recipe.features)
    if clip_ms > recipe.clip_ms:
        console.info(
            f"The model listens to {clip_ms:,} ms at a time: `{longest}` takes so long to say. "
            "--set clip_ms=… sets another length."
        )
        return recipe.model_copy(update={"clip_ms": clip_ms})
    return recipe


def _whole_strides(needed_ms: int, features: AudioFrontendSettings) -> int:
    """A window of so long or a little longer, but at most _LONGEST_MS."""
    step_ms = _FRAMES * features.stride_ms
    most = (_LONGEST_MS - features.window_ms) // step_ms
    steps = min(most, -(-(needed_ms - features.window_ms) // step_ms))
    return features.window_ms + steps * step_ms
