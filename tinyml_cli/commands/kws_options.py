"""Options of `train kws` and `pipeline kws`, declared once."""

from __future__ import annotations

from typing import Any

from tinyml_cli.commands import options


def values(
    words: options.Words = None,
    data: options.DataOption = None,
    add_recordings: options.AddRecordings = None,
    model: options.Model = None,
) -> dict[str, Any]:
    """Options as values of the recipe; None where not given."""
    return {
        "words": options.word_list(words),
        "data": data,
        "recordings.path": str(add_recordings.resolve()) if add_recordings else None,
        "model": {"name": model} if model else None,
    }


def training(
    words: options.Words = None,
    data: options.DataOption = None,
    add_recordings: options.AddRecordings = None,
    model: options.Model = None,
    teacher: options.Teacher = None,
) -> dict[str, Any]:
    """The same with what only `train` takes."""
    from tinyml_cli.run import Run

    teachers = [str(Run.open(name).path.resolve()) for name in teacher or ()]
    return {**values(words, data, add_recordings, model), "distillation.teachers": teachers or None}
