"""tinyml data record words"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import board_options, options, record_options, speech_options
from tinyml_cli.console import console


def command(
    words: Annotated[str | None, typer.Option("--words", help="Words to say, comma-separated.")] = None,
    speaker: record_options.Speaker = None,
    out: Annotated[Path | None, record_options.out("recordings")] = None,
    count: Annotated[int | None, record_options.count("word", 20)] = None,
    board: record_options.Board = None,
    port: board_options.Port = None,
    run: record_options.Run = None,
    device: record_options.Device = None,
    from_wav: Annotated[
        Path | None,
        typer.Option(
            "--from-wav",
            callback=options.given(checks.input_file),
            help="Split a long recording of one word, without prompts.",
        ),
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.5, max=10, help="Length of a take.")] = 2.0,
    countdown: Annotated[
        float,
        typer.Option("--countdown", min=0, max=10, help="Seconds between the key press and the take."),
    ] = 1.5,
    language: speech_options.PromptLanguage = None,
    keep_good: Annotated[bool, typer.Option("--keep-good", help="Keep good takes without asking.")] = False,
    sample_rate: Annotated[
        int, typer.Option("--sample-rate", min=4000, max=48_000, help="Sample rate of the clips, in Hz.")
    ] = 16_000,
    clip_ms: Annotated[
        int, typer.Option("--clip-ms", min=200, max=3000, help="Length of a clip, in ms.")
    ] = 1000,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Record words from a microphone, or cut them out of a recording; resumes where it stopped.

    \b
    Examples:
      tinyml data record words --words marvin,sheila --speaker anna
      tinyml data record words --words marvin --speaker anna --count 50 --keep-good
      tinyml data record words --words marvin --speaker anna --board nano33ble
      tinyml data record words --words はい --speaker anna --language ja
      tinyml data record words --words marvin --speaker ben --from-wav long.wav --json
    """
    from tinyml_cli.collect import record_words

    plan = record_words.plan_of(
        options.word_list(words, "--words"),
        speaker,
        out,
        count,
        seconds,
        countdown,
        clip_ms,
        keep_good,
        options.word_list(language, "--language"),
    )
    target = record_options.target(board, port)
    where = record_words.Where(target, run, device, from_wav, sample_rate)
    document = record_words.record(plan, where)
    record_words.show(document)
    console.result(document, record_words.text(document))
