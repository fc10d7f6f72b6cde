"""Keyword spotting: held-out clips, for evaluation and for replay to a board."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.data import folder, inventory, recordings, splits
from tinyml_cli.data.clips import SILENCE, ClipSet, join
from tinyml_cli.data.evaluation_set import EvaluationSet
from tinyml_cli.data.inventory import LeftOut
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation import validation_items
from tinyml_cli.evaluation.frame import section
from tinyml_cli.evaluation.validation_items import ValidationItems
from tinyml_cli.files import atomic_folder, write_arrays, write_atomic
from tinyml_cli.manifest import Manifest
from tinyml_cli.recipes.kws import RESERVED_LABELS, KwsRecipe
from tinyml_cli.run import Run
from tinyml_cli.tasks.kws import examples as kws_examples
from tinyml_cli.wording import counted

HELD_OUT = "logs/held_out.npz"
SPEAKERS = "logs/speakers.json"
SAVED_CLIPS_PER_LABEL = 100
REPLAY = "replay"

Choice = Literal["test", "all"]


def save(run: Run, clips: ClipSet) -> None:
    """Keeps held-out clips in the run, so that it can be judged and demonstrated without its data."""
    arrays = {"audio": clips.audio, "labels": clips.labels, "words": clips.words, "groups": clips.groups}
    write_arrays(run.file(HELD_OUT), arrays)


def save_speakers(run: Run, parts: Mapping[splits.Split, ClipSet]) -> None:
    """Keeps who is in which split: whoever trained or chose the epoch must never judge the model."""
    names = {split: sorted(set(map(str, clips.groups))) for split, clips in parts.items()}
    write_atomic(run.file(SPEAKERS), json.dumps(names, ensure_ascii=False, indent=0) + "\n")


def speakers_of(labels: NDArray[np.int64], groups: NDArray[np.str_]) -> NDArray[np.str_]:
    """str [n], who said each clip; "" for silence, which nobody said."""
    return np.where(labels == RESERVED_LABELS.index(SILENCE), "", groups)


def keep_validation(run: Run, clips: ClipSet, recipe: KwsRecipe) -> None:
    """Keeps clips of the validation speakers, as they are, for thresholds to be chosen on."""
    chosen = clips.take(validation_items.chosen_rows(clips.labels, recipe.seed))
    examples = kws_examples.plain_examples(chosen, recipe.model_labels, recipe.features)
    sources = speakers_of(examples.labels, chosen.groups)
    validation_items.save(run, ValidationItems(examples.features, examples.labels, sources))


def load(run: Run, data_dir: Path | None, split: Choice | None = None) -> EvaluationSet:
    """The same number of clips of every label, features computed.

    Args:
        run: a trained run.
        data_dir: recordings in the Speech Commands layout; None takes the clips that `train` kept aside.
        split: "test" takes speakers that neither trained nor chose the epoch, whichever folder they are in;
            "all" takes everyone. None means "test" for a run trained on recordings and "all" for one trained
            on synthetic speech.

    Raises:
        TinymlError: not trained yet, unusable data, or nobody left to test on.
    """
    manifest = run.manifest()
    noises: list[NDArray[np.int16]] = []
    left_out: dict[str, int] = {}
    if data_dir is None:
        clips, origin = _saved(run, manifest), "clips held out by train"
    else:
        clips, noises, origin, left_out = _from_folder(run, manifest, data_dir, split)
    chosen = kws_examples.balanced(clips, manifest.labels)
    if len(chosen) == 0:
        raise TinymlError(
            "No clips to evaluate on", str(data_dir or run.path), "Give recordings with --data DIR."
        )
    if data_dir is not None and (surplus := len(clips) - len(chosen)):
        fewest = min(n for n in chosen.counts(manifest.labels).values() if n)
        left_out["not needed: every label has as many clips as the one with the fewest"] = surplus
        origin += f"; {fewest} of each label, {surplus} more not used"
    features = section(run, manifest.features, "features")
    examples = kws_examples.plain_examples(chosen, manifest.labels, features)
    counts = ", ".join(f"{n} {label}" for label, n in chosen.counts(manifest.labels).items())
    note = (
        f"{counted(len(chosen), 'clip')} ({counts}) of {counted(len(set(chosen.groups)), 'speaker')}: "
        f"{origin}"
    )
    if manifest.data is not None and any(recordings.NOT_HELD_OUT in remark for remark in manifest.data.notes):
        note += f"; {recordings.NOT_HELD_OUT}"
    return EvaluationSet(
        chosen.audio, examples.features, examples.labels, chosen.groups, note, chosen.words, noises, left_out
    )


def _from_folder(
    run: Run, manifest: Manifest, data_dir: Path, split: Choice | None
) -> tuple[ClipSet, list[NDArray[np.int16]], str, dict[str, int]]:
    """Clips of a folder, its background, where they come from, and how many files are not used, by reason."""
    data = manifest.data
    trained_on_people = data is not None and (data.source == "folder" or data.recordings is not None)
    chosen: Choice = split or ("test" if trained_on_people else "all")
    clips, noises, left_out = _read(run, manifest, data_dir)
    rest, counts = inventory.explained(left_out, quiet=False), inventory.counts(left_out)
    origin = f"everyone in {data_dir.name}"
    if chosen == "test":
        names = speakers(run, manifest)
        seen = {*names["train"], *names["validation"]}
        unseen = np.array([str(group) not in seen for group in clips.groups], bool)
        if not unseen.all():
            counts["of speakers that the model was trained on"] = int((~unseen).sum())
        clips, origin = clips.take(unseen), f"speakers of {data_dir.name} held out from training"
    elif trained_on_people:
        console.warn("--split all includes speakers that the model may have been trained on.")
        origin += ", including possible training speakers"
    return clips, noises, origin + rest, counts


def speakers(run: Run, manifest: Manifest) -> dict[str, list[str]]:
    """Split -> its speakers.

    Raises:
        TinymlError: the list is missing, changed or damaged.
    """
    document = run.read_json(manifest, SPEAKERS)
    for split in splits.SPLITS:
        names = document.get(split)
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise TinymlError(f"`{SPEAKERS}` lists no speakers for {split}", str(run.path), "Train again.")
    return document


def _read(
    run: Run, manifest: Manifest, data_dir: Path
) -> tuple[ClipSet, list[NDArray[np.int16]], list[LeftOut]]:
    """Every clip of a folder, silence cut from background where it has none; background; files not used."""
    rate_hz = section(run, manifest.features, "features").sample_rate_hz
    samples = manifest.clip_ms * rate_hz // 1000
    listed = folder.list_recordings(data_dir, manifest.labels[2:])
    unreadable: list[LeftOut] = []
    clips = folder.read_recordings(listed, rate_hz, samples, unreadable)
    noises = folder.read_backgrounds(data_dir, rate_hz, samples, unreadable)
    if noises and not (clips.labels == SILENCE).any():
        clips = join([clips, folder.cut_silence(noises, samples)])
    used = [*(each.path for each in listed), *folder.background_files(data_dir)]
    left_out = [*unreadable, *folder.left_out_of(data_dir, used)]
    return clips, [noises[name] for name in sorted(noises)], left_out


def _saved(run: Run, manifest: Manifest) -> ClipSet:
    with np.load(run.require(manifest, HELD_OUT)) as archive:
        return ClipSet(archive["audio"], archive["labels"], archive["words"], archive["groups"])


def write_replay(run: Run, clips_per_label: int) -> Path:
    """Writes held-out clips as `replay/LABEL/LABEL_N.wav`, 16-bit mono; an old folder is replaced.

    Raises:
        TinymlError: the run is not trained, or kept no clips.
    """
    import soundfile

    manifest = run.manifest()
    features = section(run, manifest.features, "features")
    clips = kws_examples.balanced(_saved(run, manifest), manifest.labels, clips_per_label)
    with atomic_folder(run.file(REPLAY)) as made:
        for label in manifest.labels:
            (made / label).mkdir()
            for index, audio in enumerate(clips.audio[clips.labels == label]):
                path = made / label / f"{label}_{index}.wav"
                soundfile.write(path, audio, features.sample_rate_hz, subtype="PCM_16")
    return run.file(REPLAY)
