"""The options of `evaluate` for long audio."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.options import HOST, Options
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

    def refuse_others(self, clips: Options, split: str | None) -> None:
        """Refuses options that only apply to the evaluation of clips.

        Raises:
            TinymlError: one of its options is set too.
        """
        given = {
            "--split": split is not None,
            "--groups": clips.groups is not None,
            "--on": clips.place.name != HOST,
        }
        for name in (name for name, is_given in given.items() if is_given):
            raise TinymlError(
                f"{name} does not apply to streams",
                name,
                "Omit it, or omit --stream, --hours and --max-fa-per-hour to evaluate clips.",
            )


def stream_options(
    stream: Path | None,
    truth: Path | None,
    data: Path | None,
    hours: float | None,
    max_fa_per_hour: float | None,
    save_triggers: Path | None,
) -> StreamOptions | None:
    """The command line's options; None if no stream is requested.

    Raises:
        TinymlError: stream options without a stream, or values out of range.
    """
    if stream is None and hours is None and max_fa_per_hour is None:
        for name, value in (("--truth", truth), ("--save-triggers", save_triggers)):
            if value is not None:
                raise TinymlError(
                    f"{name} applies only to streams",
                    name,
                    "Add --stream FILE, or --hours N to build a stream.",
                )
        return None
    if truth is not None and stream is None:
        raise TinymlError(
            "A built stream has its own ground truth", "--truth", "Also give the recording: --stream FILE."
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
