"""The output of evaluate for people, as far as it is of sound."""

from __future__ import annotations

from tinyml_cli.console import console
from tinyml_cli.outcomes.evaluations import EvaluatedClips, Fairness, ModelOnDevice, Noise, SoundOnDevice
from tinyml_cli.wording import counted


def show(outcome: EvaluatedClips) -> None:
    """Tables of noise and groups, and a board's answers."""
    if outcome.in_stream is not None:
        low, high = outcome.in_stream.ci95
        console.info(
            f"In a stream, after two seconds of each clip's own background: int8 accuracy "
            f"{outcome.in_stream.accuracy:.3f} ({low:.3f}–{high:.3f})."
        )
    if outcome.noise is not None:
        _show_noise(outcome.noise)
    for entry in outcome.fairness:
        _show_groups(entry)
    if outcome.device is not None:
        _show_device(outcome.device)


def _show_noise(sweep: Noise) -> None:
    rows: list[list[object]] = [
        [
            "no noise" if point.snr_db is None else f"{point.snr_db:g} dB",
            f"{point.accuracy:.3f}",
            "{:.3f}–{:.3f}".format(*point.ci95),
        ]
        for point in sweep.points
    ]
    title = f"In noise ({sweep.noise}), after {sweep.lead_in_s:g} s of it, n = {sweep.n}"
    console.table(title, ["Signal to noise", "int8", "95 % interval"], rows)


def _show_groups(entry: Fairness) -> None:
    rows: list[list[object]] = [
        [
            row.group,
            row.n,
            row.speakers,
            f"{row.accuracy:.3f}",
            "{:.3f}–{:.3f}".format(*row.ci95),
        ]
        for row in entry.groups
    ]
    columns = [entry.attribute, "n", "speakers", "int8", "95 % interval"]
    console.table("By group, worst first", columns, rows)
    if entry.gap is not None and entry.gap_ci95 is not None:
        low, high = entry.gap_ci95
        console.info(
            f"Gap between {entry.best} and {entry.worst}: {entry.gap:.3f} (95 % {low:.3f} to {high:.3f})."
        )


def _show_device(device: ModelOnDevice | SoundOnDevice) -> None:
    where = f"{device.board} ({device.engine}, {device.level})"
    if isinstance(device, ModelOnDevice):
        console.info(
            f"On {where}: accuracy {device.accuracy:.3f}, n = {device.n}; "
            f"{counted(device.mismatches, 'output')} other than those of {device.reference} on "
            "this computer."
        )
        return
    words = ", ".join(f"{word} {share:.3f}" for word, share in device.recall.items() if share is not None)
    alarms = device.false_alarms
    console.info(
        f"On {where}, {counted(device.n, 'clip')} played as audio: recall {words}; a word detected in "
        f"{alarms.clips} of {counted(alarms.of, 'other clip')}."
    )
