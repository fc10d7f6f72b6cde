"""Keyword spotting: the recipe to begin with, and how much training is worth, in hours of streams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.models import architectures
from tinyml_cli.speech import kokoro_files

LEVELS = ("quick", "standard", "high")

STREAMING = "kws_stream"
"""The packaged recipe of a network that listens for hours: the default where synthetic speech trains it."""

# For a network of whole windows, which needs no hours of streams.
_QUICK: Mapping[str, Any] = {
    "synthesis.clips_per_word": 250,
    "synthesis.unknown_clips": 1000,
    "augmentation.copies": 6,
    "training.epochs": 16,
}
_HIGH: Mapping[str, Any] = {
    "streams.hours": 20.0,
    "operating_point.hours": 20.0,
    "operating_point.fresh_hours": 6.0,
    "synthesis.clips_per_word": 600,
    "synthesis.unknown_clips": 2400,
    "augmentation.snr_db": [0.0, 30.0],
    "training.epochs": 40,
}
_KOKORO: Mapping[str, Any] = {
    "synthesis.engines": ["espeak", "flite", "kokoro"],
    "synthesis.kokoro_share": 0.35,
    "streams.kokoro_speech": 600,
}


def recipe_name(quality: str | None, has_recordings: bool, model: str | None) -> str | None:
    """The packaged recipe to begin with unless another is given; None for the task's own, as for `quick`.

    Streams are made of synthetic speech; recordings of the words train by clips, and so do networks that
    take whole windows, except for `high`, which is nothing but streams.
    """
    if quality == "quick":
        return None
    streams = quality == "high" or model is None or model in architectures.STREAMING
    return STREAMING if streams and not has_recordings else None


def values(quality: str | None, has_recordings: bool) -> dict[str, Any]:
    """Dotted key of the recipe -> value; none for `standard`.

    Raises:
        TinymlError: another level, or another than `standard` where recordings of the words train.
    """
    if quality not in (None, *LEVELS):
        raise TinymlError(f"`{quality}` is not a quality", "--quality", f"Choose from: {', '.join(LEVELS)}.")
    if quality in (None, "standard"):
        return {}
    if has_recordings:
        less_or_more = "less" if quality == "quick" else "more hours of"
        raise TinymlError(
            f"`{quality}` is {less_or_more} synthetic speech, which --data replaces",
            "--quality",
            "Omit one of them; --add-recordings mixes a few recordings of yours into synthetic speech.",
        )
    if quality == "quick":
        return dict(_QUICK)
    if kokoro_files.missing():
        console.info(
            "Kokoro's natural voices are not installed, and high quality goes without them. To add them: "
            f"{kokoro_files.remedy()}"
        )
        return dict(_HIGH)
    return {**_HIGH, **_KOKORO}
