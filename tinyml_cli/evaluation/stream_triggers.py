"""The sound of false accepts, kept as files: to listen to, and to train on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tinyml_cli.evaluation.operating_point import Tally
from tinyml_cli.evaluation.stream_source import Part
from tinyml_cli.files import atomic_path


def save_triggers(
    folder: Path,
    tally: Tally,
    parts: Sequence[Part],
    labels: Sequence[str],
    sample_rate_hz: int,
    clip_ms: int,
) -> list[str]:
    """Writes what the model saw at each false accept as `LABEL_STREAM_SECONDS.wav`, 16-bit mono.

    Args:
        folder: new or empty.
        tally: false accepts of each of `parts`.
        parts: loaded again, one at a time.
        labels: the model's.
        sample_rate_hz, clip_ms: what the model looks at.

    Returns:
        The files' names.
    """
    import soundfile

    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for part, matched in zip(parts, tally.matched, strict=True):
        if not matched.false_accepts:
            continue
        audio = part.load().audio
        for detection in matched.false_accepts:
            end = detection.time_ms * sample_rate_hz // 1000
            clip = audio[max(0, end - clip_ms * sample_rate_hz // 1000) : end]
            name = f"{labels[detection.label]}_{Path(part.name).stem}_{detection.time_ms / 1000:08.2f}s.wav"
            with atomic_path(folder / name) as temporary:
                soundfile.write(temporary, clip, sample_rate_hz, subtype="PCM_16")
            names.append(name)
    return names
