"""The options of `evaluate-stream`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinyml_cli.errors import TinymlError
from tinyml_cli.tasks.kws.triggers import check_folder

DEFAULT_HOURS = 1.0
_HOURS = (0.05, 1000.0)


@dataclass(frozen=True)
class StreamOptions:
    """Which audio to evaluate, and how.

    Attributes:
        stream: a recording, or a folder of them; None builds streams.
        truth: when which word is said in them; None: never.
        data: recordings that streams are built from; None uses the run's own data.
        hours: duration of a built stream.
        max_fa_per_hour: choose the operating point for this many false accepts an hour; None keeps the run's.
        save_triggers: a new folder for the audio of false accepts.
    """

    stream: Path | None = None
    truth: Path | None = None
    data: Path | None = None
    hours: float = DEFAULT_HOURS
    max_fa_per_hour: float | None = None
    save_triggers: Path | None = None

    @property
    def seconds(self) -> int:
        """The length of a built stream."""
        return round(self.hours * 3600)


def stream_options(
    stream: Path | None,
    truth: Path | None,
    data: Path | None,
    hours: float | None,
    max_fa_per_hour: float | None,
    save_triggers: Path | None,
) -> StreamOptions:
    """The command line's options.

    Raises:
        TinymlError: options of recordings for a built stream or the reverse, or values out of range.
    """
    if truth is not None and stream is None:
        raise TinymlError(
            "A built stream has its own ground truth", "--truth", "Also give the recording: --stream FILE."
        )
    if stream is not None and max_fa_per_hour is None:
        for name, value in (("--hours", hours), ("--data", data)):
            if value is not None:
                raise TinymlError(
                    f"{name} applies to built streams, and a recording is given",
                    name,
                    "Omit it, omit --stream, or add --max-fa-per-hour, which builds validation streams.",
                )
    if hours is not None and not _HOURS[0] <= hours <= _HOURS[1]:
        raise TinymlError(f"The stream cannot be {hours:g} hours long", "--hours", "Use 0.05 to 1000.")
    if max_fa_per_hour is not None and not 0 < max_fa_per_hour <= 3600:
        raise TinymlError(
            f"The target must be greater than 0 false accepts per hour, not {max_fa_per_hour:g}",
            "--max-fa-per-hour",
            "Use for example 0.5.",
        )
    if save_triggers is not None:
        check_folder(save_triggers)
    return StreamOptions(stream, truth, data, hours or DEFAULT_HOURS, max_fa_per_hour, save_triggers)
