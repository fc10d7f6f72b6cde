"""Clips of a folder, and what training makes of them: their features, varied and masked."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinyml_cli.data import augment, folder
from tinyml_cli.data.folder import LabelledRecording
from tinyml_cli.data.speakers import speaker_of
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.audio_frontend import extract_batch
from tinyml_cli.pages.augmented import AugmentedItem
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.speech.plan import is_synthetic
from tinyml_cli.tasks.kws.variations import recorded_augmentation


def varied_clips(root: Path, recipe: KwsRecipe, most: int, variations: int) -> list[AugmentedItem]:
    """A clip of each word, up to `most`, with so many variations; noise from `_background_noise_`, if there.

    Raises:
        TinymlError: no such folder, no clip in it, or none that can be read.
    """
    recordings = [
        LabelledRecording(paths[0], word, word, speaker_of(paths[0]))
        for word, place in sorted(folder.word_folders(root).items())
        if (paths := folder.audio_files(place))
    ][:most]
    if not recordings:
        raise TinymlError("The folders contain no recordings", str(root), "Lay it out as DIR/WORD/CLIP.wav.")
    rate_hz, samples = recipe.features.sample_rate_hz, recipe.clip_samples
    clips = folder.read_recordings(recordings, rate_hz, samples, [])
    noises = tuple(folder.read_backgrounds(root, rate_hz, samples, []).values())
    bed = augment.NoiseBed(noises, clips.audio)
    plain = extract_batch(clips.audio, recipe.features)
    items = []
    for row, (label, group) in enumerate(zip(clips.labels, clips.groups, strict=True)):
        rng = np.random.default_rng([recipe.seed, 12, row])
        settings = recipe.augmentation if is_synthetic(str(group)) else recorded_augmentation(recipe)
        audio = np.repeat(clips.audio[row : row + 1], variations, axis=0)
        heard = extract_batch(augment.augment(audio, settings, bed, rate_hz, rng), recipe.features)
        seen = heard.astype(np.float32)[..., None]
        augment.mask_features(seen, rng, settings.spec_masks, settings.spec_masks)
        items.append(AugmentedItem(str(label), recordings[row].path.name, plain[row], list(seen[..., 0])))
    return items
