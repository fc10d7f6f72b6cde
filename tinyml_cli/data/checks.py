"""What is wrong with a data folder, before anything is trained on it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tinyml_cli.data.folder import (
    BACKGROUND_FOLDER,
    MINIMUM_CLIPS,
    MINIMUM_SPEAKERS,
    SILENCE_FOLDER,
    word_folders,
)
from tinyml_cli.data.survey import Clip, is_speech, read_clips

# Softer than the softest of 3,476 clips of the Speech Commands test set by 20 dB.
_SILENT_PEAK_DBFS = -50.0
_CLIPPED_SHARE, _RUINED_SHARE = 0.002, 0.05
_TOO_SHORT_S = 0.2
_IMBALANCE = 3.0
_DOMINANT_SHARE = 0.5

Severity = Literal["bad", "note"]
# What each kind of finding means, in the order of the report; `bad` clips are what --fix moves away.
KINDS: dict[str, tuple[Severity, str]] = {
    "unreadable": ("bad", "cannot be read as audio"),
    "damaged": ("bad", "part of its sound is missing; read as far as it goes"),
    "silent": ("bad", "nothing is heard in the clip of a word"),
    "too_short": ("bad", f"shorter than {_TOO_SHORT_S:g} s: no word fits in"),
    "ruined": ("bad", f"more than {_RUINED_SHARE:.0%} of the samples are clipped"),
    "two_words": ("bad", "the same sound under two words: one label is wrong"),
    "two_speakers": ("bad", "the same sound under two speakers: it would be trained on and tested on"),
    "duplicate": ("bad", "the same sound twice"),
    "unfinished": ("note", "not as its format wants it; read to its end all the same"),
    "clipped": ("note", "the loudest parts are clipped"),
    "other_rate": ("note", "another sample rate; resampled when it is read"),
    "stereo": ("note", "several channels; mixed when it is read"),
    "too_long": ("note", "longer than a clip; the loudest stretch is taken"),
    "no_speaker": ("note", "the name lacks SPEAKER_nohash_N: it counts as a speaker of its own"),
    "other_file": ("note", "not a WAV, FLAC or OGG file; ignored"),
    "few_clips": ("note", f"fewer than {MINIMUM_CLIPS} clips: cannot be trained as a word"),
    "few_speakers": ("note", f"fewer than {MINIMUM_SPEAKERS} speakers: cannot be trained as a word"),
    "one_voice": ("note", f"one speaker has more than {_DOMINANT_SHARE:.0%} of a word's clips"),
    "imbalance": ("note", f"less than 1/{_IMBALANCE:g} of the clips of the largest word"),
}


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        kind: a key of KINDS.
        place: the file or the folder of a word, relative to the data folder.
        detail: the figures.
    """

    kind: str
    place: Path
    detail: str = ""

    @property
    def severity(self) -> Severity:
        """bad: training would stop or learn wrong; note: training copes, the user should know."""
        return KINDS[self.kind][0]


@dataclass(frozen=True)
class Report:
    """The state of a data folder."""

    clips: tuple[Clip, ...]
    findings: tuple[Finding, ...]

    @property
    def bad_files(self) -> dict[Path, str]:
        """File -> kind of the first bad finding about it."""
        bad: dict[Path, str] = {}
        for finding in self.findings:
            if finding.severity == "bad":
                bad.setdefault(finding.place, finding.kind)
        return bad


def check(root: Path, sample_rate_hz: int, clip_ms: int) -> Report:
    """Reads a data folder and judges it.

    Args:
        root: holds a folder per word.
        sample_rate_hz: the rate that is trained at.
        clip_ms: the length that is trained on.

    Raises:
        TinymlError: no such folder, or no folders of words in it.
    """
    words = word_folders(root)
    extra = [name for name in (SILENCE_FOLDER, BACKGROUND_FOLDER) if (root / name).is_dir()]
    clips, others = read_clips(root, [*words, *extra])
    findings = [Finding("other_file", path) for path in others if is_speech(path.parent.name)]
    for clip in clips:
        findings += _of_clip(clip, sample_rate_hz, clip_ms)
    findings += _repeated(clips)
    findings += _of_words(clips, sorted(words))
    order = list(KINDS)
    return Report(tuple(clips), tuple(sorted(findings, key=lambda f: (order.index(f.kind), f.place))))


def _of_clip(clip: Clip, sample_rate_hz: int, clip_ms: int) -> Iterator[Finding]:
    if clip.unreadable:
        yield Finding("unreadable", clip.path, clip.unreadable)
        return
    if clip.damage:
        yield Finding("damaged", clip.path, clip.damage)
    for note in clip.notes:
        yield Finding("unfinished", clip.path, note)
    if clip.sample_rate_hz != sample_rate_hz:
        yield Finding("other_rate", clip.path, f"{clip.sample_rate_hz} Hz")
    if clip.channels > 1:
        yield Finding("stereo", clip.path, f"{clip.channels} channels")
    if not is_speech(clip.word):
        return
    if clip.seconds < _TOO_SHORT_S:
        yield Finding("too_short", clip.path, f"{clip.seconds * 1000:.0f} ms")
    elif clip.seconds * 1000 > clip_ms * 1.01:
        yield Finding("too_long", clip.path, f"{clip.seconds:.1f} s")
    if clip.peak_dbfs < _SILENT_PEAK_DBFS:
        yield Finding("silent", clip.path, f"peak {clip.peak_dbfs:.0f} dBFS")
    if clip.clipped_share > _CLIPPED_SHARE:
        kind = "ruined" if clip.clipped_share > _RUINED_SHARE else "clipped"
        yield Finding(kind, clip.path, f"{clip.clipped_share:.1%} of the samples")
    if not clip.named_speaker:
        yield Finding("no_speaker", clip.path)


def _repeated(clips: Sequence[Clip]) -> Iterator[Finding]:
    """Sounds that occur more than once; the first copy stays unless the words contradict each other."""
    copies: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        if clip.digest and clip.word != BACKGROUND_FOLDER:
            copies[clip.digest].append(clip)
    for same in (group for group in copies.values() if len(group) > 1):
        if len({clip.word for clip in same}) > 1:
            for clip in same:
                others = [c.path.as_posix() for c in same if c.word != clip.word]
                yield Finding("two_words", clip.path, f"also {', '.join(others)}")
            continue
        first, *rest = same
        for clip in rest:
            kind = "duplicate" if clip.speaker == first.speaker else "two_speakers"
            yield Finding(kind, clip.path, f"as {first.path.as_posix()}")


def _of_words(clips: Sequence[Clip], words: Sequence[str]) -> Iterator[Finding]:
    by_word: dict[str, Counter[str]] = {word: Counter() for word in words}
    for clip in clips:
        if clip.word in by_word and not clip.unreadable:
            by_word[clip.word][clip.speaker] += 1
    largest = max((speakers.total() for speakers in by_word.values()), default=0)
    for word, speakers in by_word.items():
        place, n = Path(word), speakers.total()
        if n < MINIMUM_CLIPS:
            yield Finding("few_clips", place, f"{n} clips")
        if len(speakers) < MINIMUM_SPEAKERS:
            yield Finding("few_speakers", place, f"{len(speakers)} speakers")
        elif speakers.most_common(1)[0][1] > n * _DOMINANT_SHARE:
            name, count = speakers.most_common(1)[0]
            yield Finding("one_voice", place, f"{name}: {count} of {n}")
        if n * _IMBALANCE < largest:
            yield Finding("imbalance", place, f"{n} of {largest}")
