"""Clips per second of the audio front end on one core: the C extension and the numpy port."""

from __future__ import annotations

import json
import os
import time

import numpy as np

from tinyml_cli.features import audio_frontend
from tinyml_cli.features.settings import AudioFrontendSettings

CLIPS = 400


def clips_per_second(backend: str, clips: int) -> float:
    """Speed of one backend on one-second clips of noise, in process time: other work does not count."""
    os.environ["TINYML_FRONTEND"] = backend
    audio = np.random.default_rng(1).integers(-8000, 8000, (clips, 16_000)).astype(np.int16)
    settings = AudioFrontendSettings()
    audio_frontend.extract_batch(audio[:4], settings)
    started = time.process_time()
    audio_frontend.extract_batch(audio, settings)
    return clips / (time.process_time() - started)


def main() -> None:
    print(
        json.dumps(
            {
                "evidence": "host",
                "c_clips_per_s": round(clips_per_second("c", CLIPS)),
                "numpy_clips_per_s": round(clips_per_second("numpy", CLIPS)),
            }
        )
    )


if __name__ == "__main__":
    main()
