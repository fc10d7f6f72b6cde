"""Takes of a word: read, cut, and checked one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml_cli.data.audio_file import UnreadableAudioError, read_audio
from tinyml_cli.data.trim import Cut, cut_word, cut_words
from tinyml_cli.errors import TinymlError
from tinyml_cli.word_embedding import embedding
from tinyml_cli.wording import counted

FEWEST, MOST = 3, 10


@dataclass(frozen=True)
class WordTake:
    """One utterance.

    Attributes:
        name: for messages.
        clip: int16 [samples], the word in its middle.
    """

    name: str
    clip: npt.NDArray[np.int16]


def read(paths: Sequence[Path]) -> list[WordTake]:
    """A take of each file; a single file may hold several, with pauses between them.

    Raises:
        TinymlError: too few or too many; one that cannot be read, is silent, clipped or cut off, or is a copy
            of another.
    """
    if len(paths) == 1:
        cuts = cut_words(_audio(paths[0]), embedding.settings().sample_rate_hz, embedding.clip_samples())
        rate_hz = embedding.settings().sample_rate_hz
        named = [(f"{paths[0]} at {cut.word_start / rate_hz:.1f} s", cut) for cut in cuts]
    else:
        named = [
            (
                str(path),
                cut_word(_audio(path), embedding.settings().sample_rate_hz, embedding.clip_samples()),
            )
            for path in paths
        ]
    if not FEWEST <= len(named) <= MOST:
        raise TinymlError(
            f"{counted(len(named), 'take')} of the word, but teaching needs {FEWEST} to {MOST}",
            str(paths[0]) if len(paths) == 1 else "TAKES",
            f"Give {FEWEST} to 5 recordings of one person saying the word, or one with pauses between.",
        )
    return _without_faults(named)


def _audio(path: Path) -> npt.NDArray[np.int16]:
    try:
        return read_audio(path, embedding.settings().sample_rate_hz)
    except UnreadableAudioError as error:
        raise TinymlError(
            f"Cannot read the take: {error}", str(path), "Give a WAV, FLAC or OGG file."
        ) from error


def _without_faults(named: Sequence[tuple[str, Cut]]) -> list[WordTake]:
    takes: list[WordTake] = []
    for name, cut in named:
        # Clips that were cut for training begin and end close to their word.
        faults = [
            fault for fault in cut.faults if "before the take" not in fault and "at the end" not in fault
        ]
        if faults:
            raise TinymlError(f"A take cannot be used: {'; '.join(faults)}", name, "Record it again.")
        same = next((take.name for take in takes if np.array_equal(take.clip, cut.audio)), None)
        if same is not None:
            raise TinymlError(
                f"A take is the same recording as {same}", name, "Give different recordings of the word."
            )
        takes.append(WordTake(name, cut.audio))
    return takes
