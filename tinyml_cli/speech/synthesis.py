"""Synthetic speech for any words: data before the user has recorded anything."""

from __future__ import annotations

import hashlib
import json
import math
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.data.clips import ClipSet, Corpus
from tinyml_cli.data.pcm import fit_length, to_int16
from tinyml_cli.data.resample import resample
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import atomic_path, cache_dir, filling_cache
from tinyml_cli.speech import espeak, flite, kokoro, languages, reading
from tinyml_cli.speech.plan import Planned, fixed_splits, plan, recast, spelt_by_flite
from tinyml_cli.speech.pronunciation import Pronunciation
from tinyml_cli.speech.reading import SpokenAs
from tinyml_cli.speech.voices import Voices
from tinyml_cli.wording import counted

# Raised whenever the same plan would be spoken or trimmed differently.
_CACHE_FORMAT = 1
_TARGET_RMS = 0.1
_SHORTEST_WORD_S = 0.06
# A few slow voices may lose the end of a long word.
_CUT_SHARE = 0.1
# By how many other voices a clip is tried that came out silent or shorter than any word.
_MORE_ATTEMPTS = 4
# Utterances of Kokoro, about a minute of a processor.
_NEURAL_BLOCK = 64


def synthesise(
    words: Sequence[str],
    clips_per_word: int,
    unknown_clips: int,
    voices: Voices,
    sample_rate_hz: int,
    clip_samples: int,
    seed: int,
    how: Pronunciation | None = None,
    skip_unsayable: bool = False,
) -> Corpus:
    """Speaks the words and a vocabulary of other words with many voices; cached on disk.

    Args:
        words: the targets.
        clips_per_word: clips of each target; 0 speaks other words alone, whatever the targets are.
        unknown_clips: clips of all other words together.
        voices: who may speak; a missing flite is left out with a message.
        sample_rate_hz: rate of the clips.
        clip_samples: length of the clips.
        seed: picks voices, rates and pitches.
        how: the languages of the voices, and corrections of what they read; English by default.
        skip_unsayable: leave out words that the voices would misread, with a warning, not refuse them.

    Returns:
        A corpus of words and unknown, without silence; every clip's word is centred between exact zeros.

    Raises:
        TinymlError: espeak-ng is missing or keeps crashing; Kokoro is asked for and missing or damaged; a
            word that the voices would misread; two that sound alike.
    """
    how = how or Pronunciation()
    said = reading.read(words, how, skip_unsayable) if clips_per_word else {}
    reading.tell(said)
    _tell_engines(said, voices.engines, how)
    planned = plan(said, words, clips_per_word, unknown_clips, voices, seed, how)
    spoken = speak(planned, sample_rate_hz)
    planned, spoken = _replaced(planned, spoken, voices, sample_rate_hz, seed)
    return _corpus(planned, spoken, list(said), sample_rate_hz, clip_samples, how)


def _tell_engines(said: Mapping[str, Sequence[SpokenAs]], engines: Sequence[str], how: Pronunciation) -> None:
    """Says what flite leaves to other engines."""
    english = languages.ENGLISH in how.codes
    if "flite" not in engines or not english:
        return
    if not flite.is_installed():
        console.info(
            "flite is not installed: training only on espeak-ng's voices. "
            "`apt install flite` adds more natural ones and a few points of accuracy."
        )
    texts = [r.text for readings in said.values() for r in readings if r.language.code == languages.ENGLISH]
    if spelt := spelt_by_flite(texts, engines):
        console.info(f"flite spells out {', '.join(spelt)}: the other voices alone say that.")


def speak(
    planned: Sequence[Planned], sample_rate_hz: int, tells_cached: bool = True
) -> list[NDArray[np.int16]]:
    """The trimmed, levelled utterances of a plan in its order, from the cache where they are; empty where an
    engine failed.

    Args:
        planned: who says what.
        sample_rate_hz: of the audio.
        tells_cached: whether to say so where they come from the cache.

    Raises:
        TinymlError: espeak-ng is missing or keeps crashing, or the cache cannot be written.
    """
    heard: dict[int, NDArray[np.int16]] = {}
    absent: list[list[int]] = []
    for rows in _parts(planned):
        part = [planned[row] for row in rows]
        spoken = _load(_cache_path(part, sample_rate_hz), len(part))
        if spoken is None:
            absent.append(rows)
        else:
            heard.update(zip(rows, spoken, strict=True))
    if absent:
        with console.progress(sum(map(len, absent)), "Synthesising speech") as bar:
            for rows in absent:
                spoken = _fill([planned[row] for row in rows], sample_rate_hz, bar.advance)
                heard.update(zip(rows, spoken, strict=True))
    elif tells_cached:
        console.info(f"Synthetic speech: {counted(len(planned), 'clip')} from the cache.")
    return [heard[row] for row in range(len(planned))]


def _parts(planned: Sequence[Planned]) -> list[list[int]]:
    """Rows that are spoken and cached together: Kokoro is so slow that a stop loses no more than a block."""
    neural = [row for row, each in enumerate(planned) if isinstance(each.utterance, kokoro.KokoroUtterance)]
    rest = sorted(set(range(len(planned))) - set(neural))
    blocks = [neural[start : start + _NEURAL_BLOCK] for start in range(0, len(neural), _NEURAL_BLOCK)]
    return [rows for rows in (rest, *blocks) if rows]


def _fill(
    planned: Sequence[Planned], sample_rate_hz: int, advance: Callable[[int, str], object]
) -> list[NDArray[np.int16]]:
    """Speaks into the cache what another process has not spoken meanwhile."""
    path = _cache_path(planned, sample_rate_hz)
    with filling_cache(path, "synthetic speech"):
        spoken = _load(path, len(planned))
        if spoken is None:
            spoken = list(_speak(planned, sample_rate_hz, advance))
            _save(path, spoken)
    return spoken


def _replaced(
    planned: Sequence[Planned],
    spoken: Sequence[NDArray[np.int16]],
    voices: Voices,
    sample_rate_hz: int,
    seed: int,
) -> tuple[list[Planned], list[NDArray[np.int16]]]:
    """The same number of clips of every word: what came out silent or too short is said by other voices."""
    planned, spoken = list(planned), list(spoken)
    for attempt in range(_MORE_ATTEMPTS):
        empty = [row for row, audio in enumerate(spoken) if not len(audio)]
        if not empty:
            break
        others = recast([planned[row] for row in empty], voices, [seed, 11, attempt])
        for row, other, audio in zip(
            empty, others, speak(others, sample_rate_hz, tells_cached=False), strict=True
        ):
            planned[row], spoken[row] = other, audio
    return planned, spoken


def _speak(
    plan: Sequence[Planned], sample_rate_hz: int, advance: Callable[[int, str], object]
) -> Iterator[NDArray[np.int16]]:
    """The trimmed word of each planned utterance, in the plan's order; empty where an engine failed."""
    by_espeak = iter(
        espeak.say_all([p.utterance for p in plan if isinstance(p.utterance, espeak.EspeakUtterance)])
    )
    by_flite = iter(
        flite.say_all(
            [p.utterance for p in plan if isinstance(p.utterance, flite.FliteUtterance)], sample_rate_hz
        )
    )
    by_kokoro = iter(
        kokoro.say_all([p.utterance for p in plan if isinstance(p.utterance, kokoro.KokoroUtterance)])
    )
    audio: NDArray[np.floating]
    for planned in plan:
        if isinstance(planned.utterance, flite.FliteUtterance):
            audio = next(by_flite) / np.float32(32768)
        elif isinstance(planned.utterance, kokoro.KokoroUtterance):
            audio = resample(next(by_kokoro), kokoro.SAMPLE_RATE_HZ, sample_rate_hz)
        else:
            rate_hz, pcm = next(by_espeak)
            audio = resample(pcm / np.float32(32768), rate_hz, sample_rate_hz)
        advance(1, planned.word)
        yield _trim(audio, sample_rate_hz)


def _trim(audio: NDArray[np.floating], sample_rate_hz: int) -> NDArray[np.int16]:
    """Cuts the quiet ends and levels the word; empty when there is none."""
    if len(audio) == 0:
        return np.zeros(0, np.int16)
    loud = np.flatnonzero(np.abs(audio) > 0.02 * np.abs(audio).max())
    if len(loud) == 0 or loud[-1] - loud[0] < _SHORTEST_WORD_S * sample_rate_hz:
        return np.zeros(0, np.int16)
    margin = sample_rate_hz // 100
    word = audio[max(loud[0] - margin, 0) : loud[-1] + margin]
    return to_int16(word * (_TARGET_RMS / np.sqrt(np.mean(np.square(word)))))


def _corpus(
    plan: Sequence[Planned],
    spoken: Sequence[NDArray[np.int16]],
    words: Sequence[str],
    sample_rate_hz: int,
    clip_samples: int,
    how: Pronunciation,
) -> Corpus:
    good = [row for row, audio in enumerate(spoken) if len(audio)]
    labels = np.array([plan[row].label for row in good])
    _tell_missing(plan, good)
    for word in words:
        if np.count_nonzero(labels == word) < 8:
            raise TinymlError(
                f"No voice can pronounce `{word}`",
                "--words",
                f"Spell it as it sounds in {how.shown}, or give recordings with --data DIR.",
            )
    _tell_cut([(plan[row].label, len(spoken[row])) for row in good], words, sample_rate_hz, clip_samples)
    clips = ClipSet(
        np.stack([fit_length(spoken[row], clip_samples) for row in good]),
        labels,
        np.array([plan[row].word for row in good]),
        np.array([plan[row].group for row in good]),
    )
    engines = sorted({group.split("/")[0] for group in set(clips.groups)})
    voices = counted(len(set(clips.groups)), "voice")
    notes = (f"synthetic speech by {' and '.join(engines)}, {voices}, in {how.shown}",)
    return Corpus(clips, notes=notes, fixed_splits=fixed_splits(clips.groups), languages=how.codes)


def _tell_missing(plan: Sequence[Planned], good: Sequence[int]) -> None:
    """Warns of utterances that came out silent or shorter than any word."""
    missing = Counter(planned.word for planned in plan) - Counter(plan[row].word for row in good)
    if missing:
        words = ", ".join(f"{n} of `{word}`" for word, n in missing.most_common(5))
        more = f" and of {counted(len(missing) - 5, 'other word')}" if len(missing) > 5 else ""
        console.warn(
            f"Skipped {missing.total()} of {counted(len(plan), 'clip')}, silent or too short for a word by "
            f"{_MORE_ATTEMPTS + 1} voices each: {words}{more}"
        )


def _tell_cut(
    lengths: Sequence[tuple[str, int]], words: Sequence[str], sample_rate_hz: int, clip_samples: int
) -> None:
    """Warns of words that many voices need longer for than a clip lasts.

    Args:
        lengths: label and samples of each utterance.
        words: the targets.
        sample_rate_hz: of the utterances.
        clip_samples: length of the clips.
    """
    for word in words:
        of_word = [samples for label, samples in lengths if label == word]
        longer = sum(samples > clip_samples for samples in of_word)
        if longer > _CUT_SHARE * len(of_word):
            needed_ms = 100 * math.ceil(10 * float(np.quantile(of_word, 0.95)) / sample_rate_hz)
            console.warn(
                f"{longer} of {counted(len(of_word), 'utterance')} of `{word}` are longer than a clip of "
                f"{1000 * clip_samples // sample_rate_hz} ms and lose their start or end; "
                f"{needed_ms} ms would hold 95 % of them."
            )


def _cache_path(plan: Sequence[Planned], sample_rate_hz: int) -> Path:
    versions = []
    neural = any(isinstance(p.utterance, kokoro.KokoroUtterance) for p in plan)
    for package in ("espeakng-loader", "numpy", *(("onnxruntime",) if neural else ())):
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            versions.append(package)
    document = [_CACHE_FORMAT, sample_rate_hz, versions, [[p.group, _fields(p)] for p in plan]]
    return cache_dir() / "speech" / f"{hashlib.sha256(json.dumps(document).encode()).hexdigest()[:32]}.npz"


def _fields(planned: Planned) -> dict[str, Any]:
    return {key: value for key, value in asdict(planned.utterance).items() if value is not None}


def _save(path: Path, spoken: Sequence[NDArray[np.int16]]) -> None:
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, lengths=np.array([len(a) for a in spoken]), samples=np.concatenate(spoken))


def _load(path: Path, count: int) -> list[NDArray[np.int16]] | None:
    """The cached clips; None when there are none or the file is damaged."""
    if not path.is_file():
        return None
    try:
        with np.load(path) as archive:
            lengths, samples = archive["lengths"], archive["samples"]
    except (OSError, ValueError, KeyError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error):
        return None
    if len(lengths) != count or lengths.sum() != len(samples):
        return None
    return np.split(samples, np.cumsum(lengths)[:-1])
