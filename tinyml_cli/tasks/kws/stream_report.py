"""Hours of audio in report.html: the trade-off by noise, and the worst false accepts to listen to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from tinyml_cli.array_file import UnreadableArrayError, read_arrays
from tinyml_cli.evaluation.embed import wav_uri
from tinyml_cli.evaluation.frame import change_report
from tinyml_cli.files import write_arrays
from tinyml_cli.manifest import Manifest
from tinyml_cli.outcomes.streams import EvaluatedStream
from tinyml_cli.pages import charts
from tinyml_cli.pages.templates import fragment, put
from tinyml_cli.run import Run
from tinyml_cli.tasks.kws.stream_source import StreamPart, sounds_at
from tinyml_cli.tasks.kws.stream_summary import band

if TYPE_CHECKING:
    from markupsafe import Markup

STREAM = "report/stream.json"
SOUNDS = "report/stream_sounds.npz"

_WORST = 10
_AROUND_MS = 500  # before and after the model's window, so that words can be understood


def keep(
    run: Run, outcome: EvaluatedStream, parts: Sequence[StreamPart], sample_rate_hz: int, clip_ms: int
) -> None:
    """Keeps the sound of the worst false accepts, and shows the streams in report.html if there is one."""
    names = [part.name for part in parts]
    places = []
    for row in worst(outcome):
        entry = outcome.false_accept_list[row]
        end_ms = round(entry.t_s * 1000)
        limits_ms = (end_ms - clip_ms - _AROUND_MS, end_ms + _AROUND_MS)
        first, end = (limit_ms * sample_rate_hz // 1000 for limit_ms in limits_ms)
        places.append((names.index(entry.stream), first, end))
    sounds = sounds_at(parts, places)
    write_arrays(run.file(SOUNDS), {f"{rank}": sound for rank, sound in enumerate(sounds)})
    manifest = run.manifest()
    run.record(manifest, SOUNDS, "tinyml evaluate-stream", [STREAM])
    change_report(run, manifest, lambda page: put(page, "streams", section(run, manifest)))
    run.save(manifest)


def worst(outcome: EvaluatedStream) -> list[int]:
    """The rows of `false_accept_list` with the highest scores, at most ten."""
    found = outcome.false_accept_list
    return sorted(range(len(found)), key=lambda row: -found[row].score)[:_WORST]


def section(run: Run, manifest: Manifest) -> Markup | str:
    """What report.html shows of the last evaluation of streams; nothing if there is none of this model."""
    if manifest.features is None or not (run.is_fresh(manifest, STREAM) and run.is_fresh(manifest, SOUNDS)):
        return ""
    try:
        outcome = EvaluatedStream.model_validate(run.read_json(manifest, STREAM))
        sounds: dict[str, NDArray[np.int16]] = read_arrays(run.file(SOUNDS))
        rate_hz = manifest.features.sample_rate_hz
        found = [
            (outcome.false_accept_list[row], wav_uri(sounds[f"{rank}"], rate_hz))
            for rank, row in enumerate(worst(outcome))
        ]
    except (ValidationError, UnreadableArrayError, KeyError):  # of a tinyml that kept other things
        return ""
    return fragment(
        "streams.html",
        outcome=outcome,
        found=found,
        chart=charts.stream_det(outcome) if outcome.false_rejects.of else "",
        bands=[(band(each), each) for each in outcome.snr_db if each.of],
        drawn=[band(each) for each in outcome.det_snr_db],
    )
