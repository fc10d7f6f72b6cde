"""A few recordings of the user's own among many other clips: reading, weights and split.

Own clips are drawn more often than others of their word, but with an upper limit per clip, so that
training does not memorise it, and all of them together are at most a share of the word's examples.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.data import folder, inventory
from tinyml_cli.data.clips import UNKNOWN, ClipSet, Corpus, join
from tinyml_cli.data.folder import LabelledRecording
from tinyml_cli.data.speakers import speaker_of
from tinyml_cli.data.splits import Split
from tinyml_cli.errors import TinymlError
from tinyml_cli.next_step import next_step
from tinyml_cli.wording import counted

NOT_HELD_OUT = "no speakers are held out from your recordings"
"""Part of the note in the manifest that `evaluate` repeats."""

# So few people cannot be split: a test on one voice says little, and training needs all of them.
_FEWEST_TO_SPLIT = 5


def add(
    corpus: Corpus, root: Path, words: list[str], sample_rate_hz: int, clip_weight: float, most_share: float
) -> Corpus:
    """The corpus with the recordings of a folder, which may hold one clip of one word.

    Up to four speakers all train; more are split like any others. Labels keep their total weight.

    Args:
        corpus: synthetic or public clips.
        root: a folder per word, in the layout of Speech Commands; other words become "unknown".
        words: the targets.
        sample_rate_hz: rate of the clips.
        clip_weight: how many times as often as another clip an own one is drawn, at most.
        most_share: own clips give at most this share of a label's examples.

    Raises:
        TinymlError: no such folder, no clip of any target in it, or damaged audio.
    """
    samples = corpus.clips.audio.shape[1]
    listed = list_own(root, words)
    own = folder.read_recordings(listed, sample_rate_hz, samples)
    own = _without_copies(own, corpus.clips)
    speakers = sorted({str(group) for group in own.groups})
    settled: dict[str, Split] = {}
    if len(speakers) < _FEWEST_TO_SPLIT:
        settled = dict.fromkeys(speakers, "train")
    counts = ", ".join(f"{n} {label}" for label, n in own.counts([*words, UNKNOWN]).items() if n)
    note = f"your recordings added: {counts}, {counted(len(speakers), 'speaker')}"
    if settled:
        note += f"; {NOT_HELD_OUT}"
        console.info(
            f"Your recordings: {counts} from {counted(len(speakers), 'speaker')}, all used for training; "
            f"{NOT_HELD_OUT}."
        )
    noises = folder.read_backgrounds(root, sample_rate_hz, samples)
    left_out = folder.left_out_of(root, [*(each.path for each in listed), *folder.background_files(root)])
    return Corpus(
        _weighed(corpus.clips, own, clip_weight, most_share),
        (*corpus.noises, *noises.values()),
        (*corpus.notes, note, *inventory.tell(left_out)),
        {**corpus.fixed_splits, **settled},
        (*corpus.left_out, *left_out),
    )


def own_share(own_clips: int, others_weight: float, clip_weight: float, most_share: float) -> float:
    """The share of a label's examples that its own clips give, in [0, most_share]; 1 without others."""
    if own_clips == 0:
        return 0.0
    if others_weight == 0:
        return 1.0
    drawn = own_clips * clip_weight
    return min(most_share, drawn / (others_weight + drawn))


def _weighed(others: ClipSet, own: ClipSet, clip_weight: float, most_share: float) -> ClipSet:
    """All clips; the weight that own ones gain is taken from the others of their label."""
    weights_of_others, weights_of_own = others.weigh().copy(), np.ones(len(own))
    for label in sorted({str(label) for label in own.labels}):
        rows, own_rows = others.labels == label, own.labels == label
        total = float(weights_of_others[rows].sum())
        if total > 0:
            share = own_share(int(own_rows.sum()), total, clip_weight, most_share)
            weights_of_own[own_rows] = share * total / own_rows.sum()
            weights_of_others[rows] *= 1 - share
    return join([replace(others, weights=weights_of_others), replace(own, weights=weights_of_own)])


def list_own(root: Path, words: list[str]) -> list[LabelledRecording]:
    """The recordings of every folder; not every word needs one.

    Raises:
        TinymlError: no such folder, or no recording of any of the words.
    """
    folders = folder.word_folders(root)
    found = []
    for name, place in sorted(folders.items()):
        label = name if name in words else UNKNOWN
        found += [
            LabelledRecording(path, label, name, speaker_of(path)) for path in folder.audio_files(place)
        ]
    if not any(recording.label in words for recording in found):
        raise TinymlError(
            f"No recordings of {' or '.join(f'`{word}`' for word in words)}"
            f"{inventory.explained(folder.left_out_of(root, [each.path for each in found]))}",
            str(root),
            f"Found: {', '.join(sorted(folders))}. Record some: "
            f"{next_step('data', 'record', 'words', '--words', ','.join(words), '--speaker', 'NAME')}",
        )
    return found


def _without_copies(own: ClipSet, others: ClipSet) -> ClipSet:
    """Without clips that the data has too: they may be in its test split."""
    known = {clip.tobytes() for clip in others.audio}
    fresh: NDArray[np.bool_] = np.array([clip.tobytes() not in known for clip in own.audio], bool)
    if not fresh.all():
        console.warn(f"Skipped {counted(int((~fresh).sum()), 'recording')} already in the data.")
    return own.take(fresh)
