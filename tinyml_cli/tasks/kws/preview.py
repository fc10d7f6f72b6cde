"""Clips of a folder, and what training makes of them: their features, varied and masked."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinyml_cli.data import augment, folder, inventory
from tinyml_cli.data.folder import LabelledRecording
from tinyml_cli.data.inventory import LeftOut
from tinyml_cli.data.speakers import speaker_of
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.audio_frontend import extract_batch
from tinyml_cli.pages.augmented import AugmentedItem
from tinyml_cli.recipes.kws import KwsRecipe
from tinyml_cli.speech.plan import is_synthetic
from tinyml_cli.tasks.kws.variations import recorded_augmentation
from tinyml_cli.tasks.spec import Augmented


def varied_clips(root: Path, recipe: KwsRecipe, most: int, variations: int) -> Augmented:
    """A clip of each word, up to `most`, with so many variations; noise from `_background_noise_`, if there.

    Raises:
        TinymlError: no such folder, no clip in it, or none that can be read.
    """
    by_word = {word: folder.audio_files(place) for word, place in sorted(folder.word_folders(root).items())}
    used = [path for paths in by_word.values() for path in paths]
    left_out = folder.left_out_of(root, [*used, *folder.background_files(root)])
    recordings = [
        LabelledRecording(paths[0], word, word, speaker_of(paths[0]))
        for word, paths in by_word.items()
        if paths
    ][:most]
    if not recordings:
        raise TinymlError(
            f"The folders contain no recordings{inventory.explained(left_out)}",
            str(root),
            "Lay it out as DIR/WORD/CLIP.wav.",
        )
    rate_hz, samples = recipe.features.sample_rate_hz, recipe.clip_samples
    damaged: list[LeftOut] = []
    clips = folder.read_recordings(recordings, rate_hz, samples, damaged)
    lost = {each.path for each in damaged}
    names = [each.path.name for each in recordings if each.path not in lost]
    noises = tuple(folder.read_backgrounds(root, rate_hz, samples, damaged).values())
    left_out = [*damaged, *left_out]
    inventory.tell(left_out)
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
        items.append(AugmentedItem(str(label), names[row], plain[row], list(seen[..., 0])))
    return Augmented("features", items, inventory.counts(left_out))
