"""Keyword spotting: the material of long streams, from held-out speakers."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tinyml_cli import recipes
from tinyml_cli.console import console
from tinyml_cli.data import folder, inventory, splits
from tinyml_cli.data.clips import UNKNOWN, ClipSet, Corpus
from tinyml_cli.data.inventory import LeftOut
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest import Manifest
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.run import RECIPE, Run
from tinyml_cli.speech import kokoro, kokoro_files, synthesis
from tinyml_cli.speech.voices import Voices
from tinyml_cli.tasks.kws import held_out as kws_held_out
from tinyml_cli.tasks.kws import languages as kws_languages
from tinyml_cli.tasks.kws.stream_audio import Material
from tinyml_cli.tasks.kws.task import KWS
from tinyml_cli.wording import counted

Split = Literal["validation", "test"]

_CLIPS_PER_LABEL = 3000
# A model trained on synthetic speech has met nobody of a folder: half of them to choose by, half to judge.
_HALF = 0.5
# Clips of each word by Kokoro: a minute or two of a processor, then cached. Fewer voices show little.
_STRANGERS_CLIPS, _FEWEST_STRANGERS = 100, 3


def load_material(run: Run, manifest: Manifest, data_dir: Path | None, split: Split) -> Material:
    """What streams of a split are made of.

    Args:
        run: a trained run.
        manifest: its manifest.
        data_dir: recordings in the Speech Commands layout; None takes what the run was trained from, less
            who trained it.
        split: "validation" (to choose the operating point by) or "test"; they share no speaker and no
            stretch of background.

    Raises:
        TinymlError: unusable data, or a word that nobody is left to say.
    """
    source = data_dir or _own_folder(manifest)
    if source is not None:
        clips, backgrounds, left_out = _from_folder(run, manifest, source, split, data_dir is None)
        where = source.name
    else:
        clips, where = _synthetic(run, manifest, split)
        backgrounds, left_out = (), []
    words = manifest.labels[2:]
    _check(clips, words, split, str(source or run.path))
    assert manifest.features is not None
    others = clips.labels == UNKNOWN
    spoken = int((~others).sum())
    note = (
        f"{split}: {counted(spoken, 'clip')} of {', '.join(words)} and {int(others.sum())} of other words by "
        f"{counted(len(set(map(str, clips.groups))), 'speaker')} of {where} not used in training, "
        + (f"{counted(len(backgrounds), 'background recording')}" if backgrounds else "generated background")
        + inventory.explained(left_out, quiet=False)
    )
    return Material(clips, backgrounds, manifest.features.sample_rate_hz, note)


def _own_folder(manifest: Manifest) -> Path | None:
    """The folder that the run was trained on.

    Raises:
        TinymlError: it is not there any more.
    """
    if manifest.data is None or manifest.data.path is None:
        return None
    path = Path(manifest.data.path)
    if not path.is_dir():
        raise TinymlError(
            "The recordings that the run was trained on are missing",
            str(path),
            "Give a folder with --data.",
        )
    return path


def _from_folder(
    run: Run, manifest: Manifest, source: Path, split: Split, is_own: bool
) -> tuple[ClipSet, tuple[NDArray[np.int16], ...], list[LeftOut]]:
    """Clips and background of a split, and the files of the folder that are of no use to any."""
    assert manifest.features is not None
    rate_hz = manifest.features.sample_rate_hz
    samples = manifest.clip_ms * rate_hz // 1000
    words = manifest.labels[2:]
    trained_on_people = manifest.data is not None and manifest.data.source == "folder"
    names = _speakers(run, manifest) if trained_on_people or is_own else {}
    listed = folder.list_recordings(source, words)
    recordings = [
        recording
        for recording in listed
        if recording.label in (*words, UNKNOWN) and _belongs(recording.group, names, split)
    ]
    unreadable: list[LeftOut] = []
    chosen = folder.thin_out(recordings, _CLIPS_PER_LABEL)
    clips = folder.read_recordings(chosen, rate_hz, samples, unreadable)
    halves = [
        noise[: len(noise) // 2] if split == "validation" else noise[len(noise) // 2 :]
        for _, noise in sorted(folder.read_backgrounds(source, rate_hz, samples, unreadable).items())
    ]
    used = [*(each.path for each in listed), *folder.background_files(source)]
    return clips, tuple(halves), [*unreadable, *folder.left_out_of(source, used)]


def _speakers(run: Run, manifest: Manifest) -> dict[str, set[str]]:
    """Split -> its speakers."""
    return {split: set(names) for split, names in kws_held_out.speakers(run, manifest).items()}


def _belongs(group: str, names: dict[str, set[str]], split: Split) -> bool:
    """Whether a speaker is of a split; one that the run has never heard of is of the test."""
    if not names:
        return splits.split_of(group, _HALF, _HALF) == split
    if split == "validation":
        return group in names["validation"]
    return group not in names["train"] and group not in names["validation"]


def _synthetic(run: Run, manifest: Manifest, split: Split) -> tuple[ClipSet, str]:
    """Clips by synthetic voices that did not train, and whose they are."""
    recipe = recipes.load_as(run.file(RECIPE), KwsRecipe)
    names = _speakers(run, manifest)
    if strangers := _strangers(recipe, {*names["train"], *names["validation"]}, split):
        console.info(
            f"{counted(len(strangers), 'natural voice')} of Kokoro that training never heard say the words. "
            "Real people differ from them too: --data DIR."
        )
        return _said_by(strangers, recipe), "Kokoro's natural voices"
    natural = f", or add natural voices: {kokoro_files.remedy()}" if kokoro_files.missing() else "."
    console.warn(
        f"The stream consists of synthetic speech and says little about real people. Give --data DIR{natural}"
    )
    corpus = _spoken(recipe)
    wanted = [_belongs(str(group), names, split) for group in corpus.clips.groups]
    spoken = np.isin(corpus.clips.labels, [*manifest.labels[2:], UNKNOWN])
    return corpus.clips.take(np.array(wanted, bool) & spoken), "the run's synthetic voices"


def _spoken(recipe: KwsRecipe) -> Corpus:
    """The run's synthetic speech, by those of its engines that are installed."""
    try:
        return KWS.load_data(recipe)
    except kokoro_files.MissingKokoroError:
        engines = [engine for engine in recipe.synthesis.engines if engine != "kokoro"]
        if not engines:
            raise
        console.info(
            f"Kokoro, which trained the run, is not installed: {' and '.join(engines)} say the words."
        )
        synthesis_of = recipe.synthesis.model_copy(update={"engines": engines})
        return KWS.load_data(recipe.model_copy(update={"synthesis": synthesis_of}))


def _strangers(recipe: KwsRecipe, heard: set[str], split: Split) -> list[str]:
    """Kokoro's voices for a split that the run has not met, where they are installed and enough."""
    spoken = kws_languages.of_recipe(recipe).spoken
    if kokoro_files.missing() or not all(kokoro.voices_of(language.code) for language in spoken):
        return []
    unheard = [voice for voice in kokoro.VOICES if f"kokoro/{voice}" not in heard]
    found = [voice for voice in unheard if splits.split_of(voice, _HALF, _HALF) == split]
    able = [{*found} & {*kokoro.voices_of(language.code)} for language in spoken]
    return found if min(map(len, able)) >= _FEWEST_STRANGERS else []


def _said_by(voices: list[str], recipe: KwsRecipe) -> ClipSet:
    return synthesis.synthesise(
        recipe.words,
        _STRANGERS_CLIPS,
        2 * _STRANGERS_CLIPS,
        Voices(["kokoro"], kokoro=voices),
        recipe.features.sample_rate_hz,
        recipe.clip_samples,
        recipe.seed,
        kws_languages.of_recipe(recipe),
    ).clips


def _check(clips: ClipSet, words: list[str], split: Split, where: str) -> None:
    missing = [word for word in words if not (clips.labels == word).any()]
    if missing:
        raise TinymlError(
            f"The {split} stream has no speaker left who says `{missing[0]}`",
            where,
            "Give recordings of more people: --data DIR.",
        )
    if not (clips.labels == UNKNOWN).any():
        console.warn(
            f"The {split} stream has no other words, so false accepts will be underestimated. Add "
            "folders of other words."
        )
