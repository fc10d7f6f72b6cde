"""Keyword spotting: the languages that a recipe's words are spoken in."""

from __future__ import annotations

from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.speech import pronunciation
from tinyml_cli.speech.pronunciation import Pronunciation
from tinyml_cli.speech.voices import Voices


def of_recipe(recipe: KwsRecipe) -> Pronunciation:
    """Who speaks the words.

    Raises:
        TinymlError: the recipe names no language and the words are of several scripts.
    """
    of = recipe.synthesis
    return pronunciation.chosen(recipe.words, of.language, of.pronounce)


def of_recordings(recipe: KwsRecipe) -> Pronunciation:
    """Who would speak the words of recordings; English voices where they are of several scripts."""
    try:
        return of_recipe(recipe)
    except TinymlError:
        return Pronunciation()


def settled(recipe: KwsRecipe) -> KwsRecipe:
    """The recipe with the languages that it leaves to the words, where synthetic voices alone speak.

    Raises:
        TinymlError: see `of_recipe`.
    """
    of = recipe.synthesis
    if of.language is not None or recipe.data_path is not None:
        return recipe
    codes = list(of_recipe(recipe).languages)
    return recipe.model_copy(update={"synthesis": of.model_copy(update={"language": codes})})


def voices(recipe: KwsRecipe) -> Voices:
    """Who speaks the recipe's words."""
    of = recipe.synthesis
    return Voices(of.engines, of.kokoro_share, of.kokoro_voices)
