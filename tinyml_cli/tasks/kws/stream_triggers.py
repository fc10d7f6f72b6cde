"""Saves the audio of false accepts in streams."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tinyml_cli.tasks.kws.operating_point import Tally
from tinyml_cli.tasks.kws.stream_source import StreamPart, cut
from tinyml_cli.tasks.kws.triggers import write_trigger


def save_triggers(
    folder: Path,
    tally: Tally,
    parts: Sequence[StreamPart],
    labels: Sequence[str],
    sample_rate_hz: int,
    clip_ms: int,
) -> list[str]:
    """Writes the model's window at each false accept, see `write_trigger`.

    Args:
        folder: new or empty.
        tally: false accepts of each of `parts`.
        parts: opened again, one at a time.
        labels: the model's.
        sample_rate_hz, clip_ms: of the model's window.

    Returns:
        The files' names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for part, matched in zip(parts, tally.matched, strict=True):
        if not matched.false_accepts:
            continue
        source = Path(part.name).with_suffix("").as_posix()
        ends = [detection.time_ms * sample_rate_hz // 1000 for detection in matched.false_accepts]
        places = [(end - clip_ms * sample_rate_hz // 1000, end) for end in ends]
        for number, clip in cut(part.open().blocks, places):
            detection = matched.false_accepts[number]
            label = labels[detection.label]
            path = write_trigger(folder, label, source, detection.time_ms, clip, sample_rate_hz)
            names.append(path.name)
    return names
