"""A small corpus that needs no download: whistled "words" by imaginary speakers.

`up` rises, `down` falls, `flat` stays: a network learns them in a few epochs, so the tests can run the whole
pipeline in seconds and still hear the right word at its end.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

RATE_HZ = 16_000
SPEAKERS = 40
TAKES = 1
SHAPES = {"up": (600.0, 2400.0), "down": (2400.0, 600.0), "flat": (1200.0, 1200.0)}


def whistle(word: str, speaker: int, take: int) -> np.ndarray:
    """One second of int16 at 16 kHz: a sweep of 500 ms in faint noise."""
    rng = np.random.default_rng([speaker, take, *word.encode()])
    start, end = (frequency * (0.8 + 0.006 * speaker) for frequency in SHAPES[word])
    n = RATE_HZ // 2
    frequency = np.linspace(start, end, n) * rng.uniform(0.97, 1.03)
    tone = np.sin(2 * np.pi * np.cumsum(frequency) / RATE_HZ) * np.hanning(n) * rng.uniform(0.2, 0.6)
    clip = rng.normal(0, 0.003, RATE_HZ)
    begin = rng.integers(3_000, 5_000)
    clip[begin : begin + n] += tone
    return (np.clip(clip, -1, 1) * 32_767).astype(np.int16)


def write_corpus(folder: Path, speakers: int = SPEAKERS, takes: int = TAKES, first: int = 0) -> Path:
    """Speech Commands layout: `WORD/SPEAKER_nohash_TAKE.wav`, and background noise."""
    for word in SHAPES:
        (folder / word).mkdir(parents=True)
        for speaker in range(first, first + speakers):
            for take in range(takes):
                path = folder / word / f"speaker{speaker:02d}_nohash_{take}.wav"
                soundfile.write(path, whistle(word, speaker, take), RATE_HZ)
    (folder / "_background_noise_").mkdir()
    for seed, (name, level) in enumerate({"hiss": 0.02, "quiet": 0.002}.items()):
        noise = np.random.default_rng(seed).normal(0, level, RATE_HZ * 60)
        soundfile.write(folder / "_background_noise_" / f"{name}.wav", noise, RATE_HZ)
    return folder
