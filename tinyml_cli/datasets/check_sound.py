"""`tinyml data check` for sound: a folder per word, recordings of people inside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tinyml_cli.console import console
from tinyml_cli.data.audio_file import AUDIO_SUFFIXES
from tinyml_cli.data.folder import (
    BACKGROUND_FOLDER,
    MINIMUM_CLIPS,
    MINIMUM_SPEAKERS,
    SILENCE_FOLDER,
    audio_files,
    left_out_of,
    word_folders,
)
from tinyml_cli.data.inventory import OF_THE_DATA_SET, OF_THE_SYSTEM
from tinyml_cli.datasets import checks, sound_of_words
from tinyml_cli.datasets.checks import CheckFinding, CheckSettings, DataKind, Item, Severity, Survey
from tinyml_cli.datasets.sound_alike import near_pairs
from tinyml_cli.datasets.survey import Clip, is_speech, read_clips
from tinyml_cli.errors import TinymlError
from tinyml_cli.word_embedding import embedding
from tinyml_cli.wording import counted

# Softer than the softest of 3,476 clips of the Speech Commands test set by 20 dB.
_SILENT_PEAK_DBFS = -50.0
_CLIPPED_SHARE, _RUINED_SHARE = 0.002, 0.05
_TOO_SHORT_S = 0.2

_FINDINGS: dict[str, tuple[Severity, str]] = {
    "unreadable": ("bad", "cannot be read as audio"),
    "damaged": ("bad", "part of the audio is missing; the rest is used"),
    "silent": ("bad", "the clip of a word is silent"),
    "too_short": ("bad", f"shorter than {_TOO_SHORT_S:g} s: too short for a word"),
    "ruined": ("bad", f"more than {_RUINED_SHARE:.0%} of the samples are clipped"),
    "two_words": ("bad", "the same sound under two words: one label is wrong"),
    "two_speakers": ("bad", "the same sound under two speakers: the model would be trained and tested on it"),
    "duplicate": ("bad", "the same sound twice"),
    "near_duplicate": (
        "note",
        "nearly the same sound under another speaker: scores are too good if a split separates the two",
    ),
    "unlike_word": ("note", "does not sound like the other clips of its word: listen to it"),
    "mixed_word": ("note", "many clips do not sound like the others: it may not be one word"),
    "words_alike": ("note", "two words that sound alike: the model will confuse them"),
    "unfinished": ("note", "violates its format; read to the end anyway"),
    "clipped": ("note", "the loudest parts are clipped"),
    "other_rate": ("note", "a different sample rate; resampled when read"),
    "stereo": ("note", "several channels; mixed to mono when read"),
    "too_long": ("note", "longer than a clip; the loudest part is used"),
    "no_speaker": ("note", "name without SPEAKER_nohash_N: counted as a separate speaker"),
    "other_file": ("note", "not a supported audio file; skipped"),
    "few_clips": ("note", f"fewer than {MINIMUM_CLIPS} clips: too few to train a word"),
    "few_speakers": ("note", f"fewer than {MINIMUM_SPEAKERS} speakers: too few to train a word"),
    "one_voice": ("note", f"one speaker has more than {checks.DOMINANT_SHARE:.0%} of a word's clips"),
    "imbalance": ("note", f"less than 1/{checks.IMBALANCE:g} of the clips of the largest word"),
}


def survey(root: Path, settings: CheckSettings) -> Survey:
    """Reads every recording of the folders of words, of silence and of background.

    Raises:
        TinymlError: no such folder, or no folders of words in it.
    """
    words = word_folders(root)
    extra = [name for name in (SILENCE_FOLDER, BACKGROUND_FOLDER) if (root / name).is_dir()]
    paths = [path for name in sorted([*words, *extra]) for path in audio_files(root / name)]
    left_out = left_out_of(root, paths)
    clips = read_clips(root, paths)
    findings = [
        CheckFinding("other_file", entry.path.relative_to(root), entry.reason)
        for entry in left_out
        if entry.reason not in (OF_THE_DATA_SET, OF_THE_SYSTEM)
    ]
    for clip in clips:
        findings += _of_clip(clip, settings.sample_rate_hz, settings.clip_ms)
    findings += [*_repeated(clips), *_nearly_repeated(clips)]
    bad = {each.place for each in findings if _FINDINGS[each.kind][0] == "bad"}
    findings += _by_sound([clip for clip in clips if clip.path not in bad])
    items = [Item(clip.path, clip.word, clip.speaker, clip.seconds) for clip in clips]
    readable = [item for item, clip in zip(items, clips, strict=True) if not clip.unreadable]
    findings += _too_few(readable, sorted(words))
    findings += checks.uneven_labels(readable, words, "clips")
    return Survey(items, findings, left_out)


def _of_clip(clip: Clip, sample_rate_hz: int, clip_ms: int) -> Iterator[CheckFinding]:
    if clip.unreadable:
        yield CheckFinding("unreadable", clip.path, clip.unreadable)
        return
    if clip.damage:
        yield CheckFinding("damaged", clip.path, clip.damage)
    for note in clip.notes:
        yield CheckFinding("unfinished", clip.path, note)
    if clip.sample_rate_hz != sample_rate_hz:
        yield CheckFinding("other_rate", clip.path, f"{clip.sample_rate_hz} Hz")
    if clip.channels > 1:
        yield CheckFinding("stereo", clip.path, counted(clip.channels, "channel"))
    if not is_speech(clip.word):
        return
    if clip.seconds < _TOO_SHORT_S:
        yield CheckFinding("too_short", clip.path, f"{clip.seconds * 1000:.0f} ms")
    elif clip.seconds * 1000 > clip_ms * 1.01:
        yield CheckFinding("too_long", clip.path, f"{clip.seconds:.1f} s")
    if clip.peak_dbfs < _SILENT_PEAK_DBFS:
        yield CheckFinding("silent", clip.path, f"peak {clip.peak_dbfs:.0f} dBFS")
    if clip.clipped_share > _CLIPPED_SHARE:
        kind = "ruined" if clip.clipped_share > _RUINED_SHARE else "clipped"
        yield CheckFinding(kind, clip.path, f"{clip.clipped_share:.1%} of the samples")
    if not clip.named_speaker:
        yield CheckFinding("no_speaker", clip.path)


def _repeated(clips: Sequence[Clip]) -> Iterator[CheckFinding]:
    """Sounds that occur more than once; the first copy stays unless the words contradict each other."""
    copies: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        if clip.digest and clip.word != BACKGROUND_FOLDER:
            copies[clip.digest].append(clip)
    for same in (group for group in copies.values() if len(group) > 1):
        if len({clip.word for clip in same}) > 1:
            for clip in same:
                others = [c.path.as_posix() for c in same if c.word != clip.word]
                yield CheckFinding("two_words", clip.path, f"also {', '.join(others)}")
            continue
        first, *rest = same
        for clip in rest:
            kind = "duplicate" if clip.speaker == first.speaker else "two_speakers"
            yield CheckFinding(kind, clip.path, f"as {first.path.as_posix()}")


def _nearly_repeated(clips: Sequence[Clip]) -> Iterator[CheckFinding]:
    """Clips that were coded anew, made louder or shifted, under another speaker."""
    spoken = [clip for clip in clips if is_speech(clip.word)]
    speakers, digests = [clip.speaker for clip in spoken], [clip.digest for clip in spoken]
    for row, first in near_pairs([clip.course for clip in spoken], speakers, digests):
        yield CheckFinding("near_duplicate", spoken[row].path, f"as {spoken[first].path.as_posix()}")


def _by_sound(clips: Sequence[Clip]) -> Iterator[CheckFinding]:
    """What the word embedding says of the labels of clips that are not bad anyway."""
    codes = [clip.codes for clip in clips if clip.codes is not None]
    spoken = [clip for clip in clips if clip.codes is not None]
    if not spoken:
        return
    try:
        with console.progress(len(spoken), "Comparing words") as progress:
            vectors = embedding.vectors(np.stack(codes), lambda: progress.advance(1))
    except TinymlError as error:
        # LiteRT has no wheel for Windows; TensorFlow, which takes its place, is an extra.
        console.warn(f"labels were not judged by their sound: {error}")
        return
    found = sound_of_words.compare(vectors, [clip.word for clip in spoken], [clip.speaker for clip in spoken])
    for clip in found.unlike:
        rather = f", rather `{clip.other}`: {clip.nearest:.2f}" if clip.other else ""
        yield CheckFinding("unlike_word", spoken[clip.row].path, f"likeness {clip.own:.2f}{rather}")
    for word, unlike, total in found.mixed:
        yield CheckFinding("mixed_word", Path(word), f"{unlike} of {counted(total, 'clip')}")
    for word, other, nearer, total in found.alike:
        yield CheckFinding(
            "words_alike",
            Path(word),
            f"`{other}`: {nearer} of {counted(total, 'clip')} are nearer to the other",
        )


def _too_few(items: Sequence[Item], words: Sequence[str]) -> Iterator[CheckFinding]:
    for word in words:
        people = [item.person for item in items if item.label == word]
        if len(people) < MINIMUM_CLIPS:
            yield CheckFinding("few_clips", Path(word), counted(len(people), "clip"))
        if len(set(people)) < MINIMUM_SPEAKERS:
            yield CheckFinding("few_speakers", Path(word), counted(len(set(people)), "speaker"))


SOUND = DataKind("sound", "clips", "words", "speakers", lambda: frozenset(AUDIO_SUFFIXES), _FINDINGS, survey)
