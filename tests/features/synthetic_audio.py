"""Clips made with integers only, so that every host makes the same ones, and the golden features of them.

`python -m tests.features.synthetic_audio` writes tests/golden/audio_frontend_synthetic.npz anew. Do that only
when test_matches_the_reference_front_end passes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.features.settings import AudioFrontendSettings

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "audio_frontend_synthetic.npz"

SETTINGS = {
    f"w{window_ms}_s{stride_ms}_c{channels}": AudioFrontendSettings(
        window_ms=window_ms, stride_ms=stride_ms, channels=channels
    )
    for window_ms, stride_ms, channels in ((30, 20, 40), (30, 10, 40), (30, 20, 32), (30, 10, 20))
}


def clips(samples: int = 8000) -> NDArray[np.int16]:
    """Twelve clips int16 [12, samples]: noise, silence, extremes, steps, impulses, sweeps, bursts."""
    # RandomState's stream is frozen (NEP 19), Generator's is not.
    random = np.random.RandomState(20)
    time = np.arange(samples, dtype=np.int64)
    sweep_phase = (time * time // 24) % 4096
    triangle = np.abs(sweep_phase - 2048) * 28 - 28672
    rows = [
        random.randint(-32768, 32768, samples),
        random.randint(-200, 201, samples),
        np.zeros(samples),
        np.full(samples, 32767),
        np.full(samples, -32768),
        np.where(time // 8 % 2 == 0, 32767, -32768),
        np.where(time % 2 == 0, 32767, -32768),
        np.where(time % 1000 == 500, -32768, 0),
        triangle,
        triangle // 64 + random.randint(-20, 21, samples),
        np.where(time // 1600 % 2 == 0, triangle // 2, random.randint(-3, 4, samples)),
        np.where(time < samples // 2, 0, random.randint(-12000, 12001, samples)),
    ]
    return np.stack(rows).astype(np.int16)


def main() -> None:
    from tinyml_cli.features import numpy_frontend
    from tinyml_cli.features.tables import build_tables

    features = {
        f"features_{name}": numpy_frontend.extract(clips(), build_tables(settings))
        for name, settings in SETTINGS.items()
    }
    GOLDEN.parent.mkdir(exist_ok=True)
    np.savez_compressed(GOLDEN, **features)


if __name__ == "__main__":
    main()
