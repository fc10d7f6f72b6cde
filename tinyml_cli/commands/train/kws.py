"""tinyml train kws"""

from __future__ import annotations

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    words: options.Words = None,
    data: options.DataOption = None,
    add_recordings: options.AddRecordings = None,
    model: options.Model = None,
    teacher: options.Teacher = None,
    config: options.Config = None,
    set_: options.Set = None,
    run: options.RunOption = None,
    seed: options.Seed = None,
    resume: options.Resume = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train keyword spotting for your words, from recordings or from synthesised speech.

    \b
    Examples:
      tinyml train kws --words yes,no
      tinyml train kws --words yes,no --data speech_commands/ --seed 7
      tinyml train kws --words marvin --add-recordings recordings/
      tinyml train kws --words marvin --set training.epochs=40 --run runs/marvin
      tinyml train kws --words yes,no --resume
      tinyml train kws --words yes,no --model bc_resnet
      tinyml train kws --data speech_commands/ --config kws_teacher --run runs/teacher
      tinyml train kws --data speech_commands/ --teacher runs/teacher
    """
    from tinyml_cli.run import Run
    from tinyml_cli.stages import common as stages

    teachers = [str(Run.open(name).path.resolve()) for name in teacher or ()]
    values = {
        "words": options.word_list(words),
        "model": {"name": model} if model else None,
        "recordings.path": str(add_recordings.resolve()) if add_recordings else None,
        "distillation.teachers": teachers or None,
    }
    opened, recipe = stages.prepare("kws", values, data, config, set_ or [], run, seed)
    outcome = stages.train(opened, recipe, resume)
    console.result(outcome, stages.train_text(outcome))
