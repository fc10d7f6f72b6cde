"""Words that a synthesizer says, as clips and as files of takes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml_cli.data.clip_files import wav_bytes
from tinyml_cli.data.pcm import fit_length
from tinyml_cli.speech import synthesis
from tinyml_cli.speech.espeak import EspeakUtterance
from tinyml_cli.speech.plan import Planned

RATE_HZ = 16_000
WORDS = ("lumos", "banana", "telephone")


@cache
def spoken() -> dict[str, npt.NDArray[np.int16]]:
    """Word -> ten clips int16 [10, samples], the last three by another voice."""
    planned = [
        Planned(
            EspeakUtterance(word, "en-us+m3" if number < 7 else "en-us+f2", 130 + 8 * number, 45, 50),
            word,
            word,
        )
        for word in WORDS
        for number in range(10)
    ]
    said = iter(synthesis.speak(planned, RATE_HZ))
    return {word: np.stack([fit_length(next(said), RATE_HZ) for _ in range(10)]) for word in WORDS}


def take_files(folder: Path) -> dict[str, list[Path]]:
    """Word -> five takes in files of two seconds, written into a folder."""
    rng = np.random.default_rng(1)
    found: dict[str, list[Path]] = {}
    for word, clips in spoken().items():
        for number, clip in enumerate(clips[:5]):
            room = np.rint(rng.normal(0, 3, 2 * RATE_HZ)).astype(np.int16)
            room[RATE_HZ // 2 : RATE_HZ // 2 + RATE_HZ] += clip
            path = folder / f"{word}{number}.wav"
            path.write_bytes(wav_bytes(room, RATE_HZ))
            found.setdefault(word, []).append(path)
    return found
