"""Synthetic speech as files: the clips of training without recordings, to listen to, sort and edit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import get_args

from tinyml_cli import checks
from tinyml_cli.console import console
from tinyml_cli.data.clip_files import wav_bytes
from tinyml_cli.data.clips import Corpus
from tinyml_cli.data.speakers import MARK, speaker_id
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import atomic_folder, cache_dir, filling_cache, write_atomic
from tinyml_cli.next_step import next_step
from tinyml_cli.outcomes.data import Spoken, SpokenWord
from tinyml_cli.recipes.kws import SpeechEngine
from tinyml_cli.speech import reading, synthesis
from tinyml_cli.speech.pronunciation import Pronunciation
from tinyml_cli.speech.voices import Voices
from tinyml_cli.wording import counted

ABOUT = "tinyml_synthesis.json"


def write_speech(
    words: Sequence[str],
    out: Path,
    clips_per_word: int,
    unknown_clips: int,
    engines: Sequence[str],
    sample_rate_hz: int,
    clip_samples: int,
    seed: int,
    how: Pronunciation,
) -> Spoken:
    """Speaks the words and other words, and writes `WORD/VOICE_nohash_N.wav`.

    The same arguments write the same bytes, and the clips are those that `tinyml train` would make of them.
    Each voice is a speaker to whoever splits the folder.

    Args:
        out: a folder that does not exist yet, or is empty.
        words, clips_per_word, unknown_clips, engines, sample_rate_hz, clip_samples, seed, how: as of
            `synthesise`.

    Raises:
        TinymlError: `out` is in use, is not empty or cannot be written; an unknown engine; words that no
            voice can say.
    """
    known = get_args(SpeechEngine)
    if strange := [engine for engine in engines if engine not in known]:
        raise TinymlError(
            f"Unknown speech engine `{strange[0]}`", "--engines", f"Choose from: {', '.join(known)}."
        )
    reading.read(words, how)
    folder = out.absolute()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise TinymlError("The folder is not empty", str(folder), "Choose a new one with --out DIR.")
    # Mono int16, and the same again for the cache.
    room = (clips_per_word * len(words) + unknown_clips) * clip_samples * 2
    checks.room(folder, room, "the clips")
    checks.room(cache_dir(), room // 2, "the spoken clips in the cache")
    # Not a lock inside the folder: it is put in place whole.
    with filling_cache(folder.with_name(f"{folder.name}.synth"), "data folder", wait=False):
        corpus = synthesis.synthesise(
            words, clips_per_word, unknown_clips, Voices(engines), sample_rate_hz, clip_samples, seed, how
        )
        settings = {
            "words": list(words),
            "clips_per_word": clips_per_word,
            "unknown_clips": unknown_clips,
            "engines": list(engines),
            "languages": list(how.codes),
            "pronounce": dict(how.spellings),
            "sample_rate_hz": sample_rate_hz,
            "seed": seed,
            "notes": list(corpus.notes),
        }
        with atomic_folder(folder) as inside:
            _write(corpus, inside, sample_rate_hz)
            write_atomic(inside / ABOUT, json.dumps(settings, indent=2, ensure_ascii=False) + "\n")
    return _document(corpus, folder, dict.fromkeys(words, clips_per_word))


def text(document: Spoken, words: Sequence[str]) -> str:
    """The outcome of `write_speech` for people."""
    listed = ",".join(words)
    return (
        f"{counted(document.n, 'clip')} by {counted(document.voices, 'voice')} in "
        f"{document.folder}\n"
        f"Train on them: {next_step('train', 'kws', '--words', listed, '--data', Path(document.folder))}"
    )


def _write(corpus: Corpus, folder: Path, sample_rate_hz: int) -> None:
    clips = corpus.clips
    takes: dict[tuple[str, str], int] = {}
    with console.progress(len(clips), "Writing clips") as progress:
        for audio, word, group in zip(clips.audio, clips.words, clips.groups, strict=True):
            speaker = speaker_id(str(group))
            number = takes.get((str(word), speaker), 0)
            takes[str(word), speaker] = number + 1
            (folder / str(word)).mkdir(exist_ok=True)
            path = folder / str(word) / f"{speaker}{MARK}{number}.wav"
            path.write_bytes(wav_bytes(audio, sample_rate_hz))
            progress.advance(1, str(word))


def _document(corpus: Corpus, folder: Path, asked: Mapping[str, int]) -> Spoken:
    clips = corpus.clips
    labels = dict(zip(map(str, clips.words), map(str, clips.labels), strict=True))
    return Spoken(
        folder=str(folder),
        n=len(clips),
        voices=len(set(clips.groups)),
        languages=list(corpus.languages),
        words=[
            SpokenWord(
                word=word,
                label=labels[word],
                clips=int((clips.words == word).sum()),
                asked=asked.get(word),
            )
            for word in sorted(labels)
        ],
    )
