"""Options of `train kws` and `pipeline kws`, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options, speech_options, training_options
from tinyml_cli.errors import TinymlError
from tinyml_cli.models.architectures import SPEECH

Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        autocompletion=lambda: SPEECH,
        help="The network architecture; set its options with --set. Those of whole windows train by clips.",
    ),
]
Teacher = Annotated[
    list[str] | None,
    typer.Option("--teacher", metavar="RUN", help="A trained, larger run to learn from; repeatable."),
]
Negatives = Annotated[
    Path | None,
    typer.Option(
        "--negatives",
        callback=options.given(checks.data_folder),
        metavar="DIR",
        help="Recordings without the words, of any length, to train by in streams.",
    ),
]
Quality = Annotated[
    str | None,
    typer.Option(
        "--quality",
        metavar="LEVEL",
        autocompletion=lambda: ["quick", "standard", "high"],
        help="quick, standard, or high: 20 hours of streams and natural voices, 20 to choose by; an hour.",
    ),
]
Quick = Annotated[
    bool,
    typer.Option(
        "--quick", help="--quality quick: a first model in about 80 seconds, a little less accurate."
    ),
]


def values(
    words: training_options.Words = None,
    data: options.DataOption = None,
    add_recordings: training_options.AddRecordings = None,
    model: Model = None,
    language: speech_options.Language = None,
    pronounce: speech_options.Pronounce = None,
    negatives: Negatives = None,
    quality: Quality = None,
    quick: Quick = False,
) -> dict[str, Any]:
    """Options as values of the recipe; None where not given."""
    from tinyml_cli.speech.pronunciation import spellings
    from tinyml_cli.tasks.kws import quality as kws_quality

    if quick and quality not in (None, "quick"):
        raise TinymlError("--quick and --quality are two levels", "--quick", "Omit one of them.")
    quality = "quick" if quick else quality
    recipe = kws_quality.recipe_name(quality, data is not None, model)
    return {
        **kws_quality.values(quality, data is not None),
        "config": Path(recipe) if recipe else None,
        "words": options.word_list(words, "--words"),
        "synthesis.language": options.word_list(language, "--language"),
        "synthesis.pronounce": spellings(pronounce),
        "data": data,
        "recordings.path": str(add_recordings.resolve()) if add_recordings else None,
        "streams.recordings": str(negatives.resolve()) if negatives else None,
        "model": {"name": model} if model else None,
    }


def training(
    words: training_options.Words = None,
    data: options.DataOption = None,
    add_recordings: training_options.AddRecordings = None,
    model: Model = None,
    language: speech_options.Language = None,
    pronounce: speech_options.Pronounce = None,
    negatives: Negatives = None,
    quality: Quality = None,
    quick: Quick = False,
    teacher: Teacher = None,
) -> dict[str, Any]:
    """The same with what only `train` takes."""
    from tinyml_cli.run import Run

    teachers = [str(Run.open(name).path.resolve()) for name in teacher or ()]
    return {
        **values(words, data, add_recordings, model, language, pronounce, negatives, quality, quick),
        "distillation.teachers": teachers or None,
    }
