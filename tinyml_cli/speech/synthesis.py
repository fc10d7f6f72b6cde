"""Synthetic speech for any words: data before the user has recorded anything."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.console import console
from tinyml_cli.data.audio_file import fit_length, resample, to_int16
from tinyml_cli.data.clips import UNKNOWN, ClipSet, Corpus
from tinyml_cli.data.splits import Split
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import atomic_path, cache_dir, filling_cache
from tinyml_cli.speech import espeak, flite, kokoro, kokoro_files, phonemes, sayable, vocabulary
from tinyml_cli.wording import counted

# Raised whenever the same plan would be spoken or trimmed differently.
_CACHE_FORMAT = 1
# Share of the utterances beside espeak, which speaks the rest. flite's voices are few but closer to people;
# Kokoro's are neural, but each clip takes most of a second of a processor.
_SHARES = {"flite": 0.3, "kokoro": 0.15}
# Share of "unknown" clips taken from the words nearest in sound to a target, and how many words those are.
_NEAR_SHARE, _NEAR_WORDS = 0.5, 60
_PUNCTUATION = ("", ".", "?", "!")
_TARGET_RMS = 0.1
_SHORTEST_WORD_S = 0.06

Utterance = espeak.EspeakUtterance | flite.FliteUtterance | kokoro.KokoroUtterance
_ENGINES = {espeak.EspeakUtterance: "espeak", flite.FliteUtterance: "flite", kokoro.KokoroUtterance: "kokoro"}


@dataclass(frozen=True)
class Planned:
    """An utterance, the label it trains and the word it says."""

    utterance: Utterance
    label: str
    word: str

    @property
    def group(self) -> str:
        """The voice as a speaker."""
        return f"{_ENGINES[type(self.utterance)]}/{self.utterance.voice}"


def is_synthetic(group: str) -> bool:
    """Whether a speaker is one of the voices of `synthesise`, or of the files of `tinyml data synth`."""
    return group.startswith(tuple(engine + mark for engine in _ENGINES.values() for mark in "/-"))


def synthesise(
    words: Sequence[str],
    clips_per_word: int,
    unknown_clips: int,
    engines: Sequence[str],
    sample_rate_hz: int,
    clip_samples: int,
    seed: int,
    skip_unsayable: bool = False,
) -> Corpus:
    """Speaks the words and a vocabulary of other words with many voices; cached on disk.

    Args:
        words: the targets.
        clips_per_word: clips of each target; 0 speaks other words alone, whatever the targets are.
        unknown_clips: clips of all other words together.
        engines: of "espeak", "flite" and "kokoro"; a missing flite is left out with a message.
        sample_rate_hz: rate of the clips.
        clip_samples: length of the clips.
        seed: picks voices, rates and pitches.
        skip_unsayable: leave out words that the voices would misread, with a warning, not refuse them.

    Returns:
        A corpus of words and unknown, without silence; every clip's word is centred between exact zeros.

    Raises:
        TinymlError: espeak-ng is missing or keeps crashing; Kokoro is asked for and missing or damaged; a
            word that the voices would misread.
    """
    said = _sayable(words, skip_unsayable) if clips_per_word else []
    if spelt := _spelt_by_flite(said, engines):
        console.info(f"flite spells out {', '.join(spelt)}: the other voices alone say that.")
    planned = plan(said, words, clips_per_word, unknown_clips, engines, seed)
    if "flite" in engines and not flite.is_installed():
        console.info(
            "flite is not installed: training only on espeak-ng's voices. "
            "`apt install flite` adds more natural ones and a few points of accuracy."
        )
    path = _cache_path(planned, sample_rate_hz)
    spoken = _load(path, len(planned))
    if spoken is None:
        with filling_cache(path, "synthetic speech"):
            spoken = _load(path, len(planned))
            if spoken is None:
                spoken = list(_speak(planned, sample_rate_hz))
                _save(path, spoken)
    else:
        console.info(f"Synthetic speech: {counted(len(planned), 'clip')} from the cache.")
    return _corpus(planned, spoken, said, sample_rate_hz, clip_samples)


def plan(
    said: Sequence[str],
    words: Sequence[str],
    clips_per_word: int,
    unknown_clips: int,
    engines: Sequence[str],
    seed: int,
) -> list[Planned]:
    """Who would say what, before anybody speaks; arguments and errors as of synthesise.

    `said` are those of the targets `words` that the voices can say; other words sound like none of `words`.
    """
    return _plan(said, _other_words(words), clips_per_word, unknown_clips, _usable(engines), seed)


def fixed_splits(groups: Iterable[str]) -> dict[str, Split]:
    """The speakers whose split is settled: flite's voices are too few to hold one out."""
    return {str(group): "train" for group in set(groups) if group.startswith("flite/")}


def _usable(engines: Sequence[str]) -> list[str]:
    usable = [engine for engine in engines if engine != "flite" or flite.is_installed()]
    if not usable:
        raise TinymlError("No speech engine is available", "synthesis.engines", "Add espeak to the list.")
    if "kokoro" in usable:
        kokoro_files.require()
    return usable


def _other_words(words: Sequence[str]) -> list[str]:
    """Vocabulary without what sounds like a target, nearest words first."""
    candidates = [w for w in vocabulary.WORDS if w not in words]
    spoken = espeak.pronounce([*words, *candidates])
    targets, others = spoken[: len(words)], spoken[len(words) :]
    return phonemes.rank_by_nearness(dict(zip(candidates, others, strict=True)), targets)


def _sayable(words: Sequence[str], skip_unsayable: bool) -> list[str]:
    """The words that the voices can say; tells how, since they read every word as English."""
    letters = sayable.letters_of(words)
    spoken = espeak.pronounce([*words, *letters])
    targets = dict(zip(words, spoken[: len(words)], strict=True))
    names = dict(zip(letters, spoken[len(words) :], strict=True))
    for word, ipa in list(targets.items()):
        if why := sayable.why_not(word, ipa, names):
            if not skip_unsayable:
                raise sayable.refusal(word, why)
            console.warn(f"Synthetic voices cannot pronounce `{word}`: {why}.")
            del targets[word]
    if targets:
        said = ", ".join(f"{word} /{ipa}/" for word, ipa in targets.items())
        console.info(f"The synthetic voices read words as English: {said}.")
    return list(targets)


def _plan(
    words: Sequence[str],
    others: Sequence[str],
    clips_per_word: int,
    unknown_clips: int,
    engines: Sequence[str],
    seed: int,
) -> list[Planned]:
    spelt = _spelt_by_flite(words, engines)
    beside_flite = _engine_shares([engine for engine in engines if engine != "flite"])
    if spelt and not beside_flite:
        raise TinymlError(
            f"flite spells `{spelt[0]}` out, letter by letter", "synthesis.engines", "Add espeak to the list."
        )
    rng = np.random.default_rng([seed, 1])
    wanted = [(word, word) for word in words for _ in range(clips_per_word)]
    for _ in range(unknown_clips):
        pool = others[:_NEAR_WORDS] if rng.random() < _NEAR_SHARE else others
        wanted.append((UNKNOWN, str(rng.choice(pool))))
    shares = _engine_shares(engines)
    variants = espeak.variants() if "espeak" in engines else []
    plan = []
    for label, word in wanted:
        engine = _choose(beside_flite if word in spelt else shares, rng.random())
        if engine == "flite":
            utterance: Utterance = _flite_utterance(word, rng)
        elif engine == "kokoro":
            utterance = _kokoro_utterance(word, rng)
        else:
            utterance = _espeak_utterance(word, variants, rng)
        plan.append(Planned(utterance, label, word))
    return plan


def _spelt_by_flite(words: Sequence[str], engines: Sequence[str]) -> list[str]:
    """The words that flite has to leave to other engines."""
    usable = "flite" in engines and flite.is_installed()
    return [word for word in words if usable and not sayable.people_spell(word) and flite.spells(word)]


def _engine_shares(engines: Sequence[str]) -> list[tuple[str, float]]:
    """(engine, its share of the utterances), adding up to 1."""
    listed = [(engine, share) for engine, share in _SHARES.items() if engine in engines]
    total = sum(share for _, share in listed)
    if "espeak" in engines:
        return [*listed, ("espeak", 1 - total)]
    return [(engine, share / total) for engine, share in listed]


def _choose(shares: Sequence[tuple[str, float]], draw: float) -> str:
    """The engine for a uniform draw from 0 to 1."""
    for engine, share in shares:
        draw -= share
        if draw < 0:
            return engine
    return shares[-1][0]


def _espeak_utterance(word: str, variants: Sequence[str], rng: np.random.Generator) -> espeak.EspeakUtterance:
    return espeak.EspeakUtterance(
        text=word + str(rng.choice(_PUNCTUATION)),
        voice=f"{rng.choice(espeak.ACCENTS)}+{rng.choice(variants)}",
        rate=int(rng.integers(100, 230)),
        pitch=int(rng.integers(15, 90)),
        pitch_range=int(rng.integers(20, 95)),
    )


def _flite_utterance(word: str, rng: np.random.Generator) -> flite.FliteUtterance:
    voice = str(rng.choice(flite.VOICES))
    return flite.FliteUtterance(
        text=word + str(rng.choice(_PUNCTUATION)),
        voice=voice,
        stretch=round(float(rng.uniform(0.7, 1.5)), 2),
        pitch_hz=round(flite.MEAN_PITCH_HZ[voice] * float(rng.uniform(0.75, 1.5))),
        pitch_deviation_hz=round(float(rng.uniform(5, 45))),
    )


def _kokoro_utterance(word: str, rng: np.random.Generator) -> kokoro.KokoroUtterance:
    # At 0.7 and 1.4 three models understood 43 of 108 times "no", at 0.85 and 1.2 it was 69 of 108.
    return kokoro.KokoroUtterance(
        text=word + str(rng.choice(_PUNCTUATION)),
        voice=str(rng.choice(kokoro.VOICES)),
        speed=round(float(rng.uniform(0.85, 1.2)), 2),
    )


def _speak(plan: Sequence[Planned], sample_rate_hz: int) -> Iterator[NDArray[np.int16]]:
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
    with console.progress(len(plan), "Synthesising speech") as progress:
        audio: NDArray[np.floating]
        for planned in plan:
            if isinstance(planned.utterance, flite.FliteUtterance):
                audio = next(by_flite) / np.float32(32768)
            elif isinstance(planned.utterance, kokoro.KokoroUtterance):
                audio = resample(next(by_kokoro), kokoro.SAMPLE_RATE_HZ, sample_rate_hz)
            else:
                rate_hz, pcm = next(by_espeak)
                audio = resample(pcm / np.float32(32768), rate_hz, sample_rate_hz)
            progress.advance(1, planned.word)
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
) -> Corpus:
    good = [row for row, audio in enumerate(spoken) if len(audio)]
    labels = np.array([plan[row].label for row in good])
    _tell_missing(plan, good)
    for word in words:
        if np.count_nonzero(labels == word) < 8:
            raise TinymlError(
                f"No voice can pronounce `{word}`",
                "--words",
                "Spell it as it sounds in English, or give recordings with --data DIR.",
            )
    clips = ClipSet(
        np.stack([fit_length(spoken[row], clip_samples) for row in good]),
        labels,
        np.array([plan[row].word for row in good]),
        np.array([plan[row].group for row in good]),
    )
    engines = sorted({group.split("/")[0] for group in set(clips.groups)})
    notes = (f"synthetic speech by {' and '.join(engines)}, {counted(len(set(clips.groups)), 'voice')}",)
    return Corpus(clips, notes=notes, fixed_splits=fixed_splits(clips.groups))


def _tell_missing(plan: Sequence[Planned], good: Sequence[int]) -> None:
    """Warns of utterances that came out silent or shorter than any word."""
    missing = Counter(planned.word for planned in plan) - Counter(plan[row].word for row in good)
    if missing:
        words = ", ".join(f"{n} of `{word}`" for word, n in missing.most_common(5))
        more = f" and of {counted(len(missing) - 5, 'other word')}" if len(missing) > 5 else ""
        console.warn(
            f"Skipped {missing.total()} of {counted(len(plan), 'clip')}, silent or too short for a word: "
            f"{words}{more}"
        )


def _cache_path(plan: Sequence[Planned], sample_rate_hz: int) -> Path:
    versions = []
    neural = any(isinstance(p.utterance, kokoro.KokoroUtterance) for p in plan)
    for package in ("espeakng-loader", "numpy", *(("onnxruntime",) if neural else ())):
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            versions.append(package)
    document = [_CACHE_FORMAT, sample_rate_hz, versions, [[p.group, asdict(p.utterance)] for p in plan]]
    return cache_dir() / "speech" / f"{hashlib.sha256(json.dumps(document).encode()).hexdigest()[:32]}.npz"


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
