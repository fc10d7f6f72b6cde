"""What evaluate measures besides the plain accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from tinyml_cli.build.target import BuildTarget
from tinyml_cli.errors import TinymlError

AUDIO_CLIPS = 100

Part = Literal["model", "audio"]


@dataclass(frozen=True)
class EvaluationOptions:
    """Further measurements.

    Attributes:
        groups: a file with the group of each speaker, see `groups.read_groups`.
        target: the board that the int8 model runs on; None is this computer.
        part: "model" writes the model's input and reads its output; "audio" plays clips as the microphone.
        noise: whether to repeat the test in noise.
        limit: largest number of clips played to a board.
    """

    groups: Path | None = None
    target: BuildTarget | None = None
    part: Part = "model"
    noise: bool = True
    limit: int = AUDIO_CLIPS


def options_of(
    groups: Path | None, target: BuildTarget | None, path: str, limit: int, noise: bool
) -> EvaluationOptions:
    """The command line's options.

    Raises:
        TinymlError: a path other than model and audio, or the path audio on the host.
    """
    if path not in ("model", "audio"):
        raise TinymlError(f"Unknown path `{path}`", "--path", "Use model or audio.")
    if path == "audio" and target is None:
        raise TinymlError(
            "Only firmware can take audio through its microphone path",
            "--path audio",
            "Also give a board: --on native, --on sim, or a real one.",
        )
    return EvaluationOptions(groups, target, cast(Part, path), noise, limit)
