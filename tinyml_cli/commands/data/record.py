"""tinyml data record"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    words: Annotated[str, typer.Option("--words", help="Words to say, separated by commas.")],
    speaker: Annotated[
        str, typer.Option("--speaker", help="Who speaks; an invented name keeps the clips anonymous.")
    ],
    out: Annotated[Path, typer.Option("--out", help="The data folder.")] = Path("recordings"),
    count: Annotated[
        int, typer.Option("--count", min=1, max=10_000, help="Clips of each word, earlier ones included.")
    ] = 20,
    board: Annotated[
        str | None, typer.Option("--board", help="Record through a board's microphone, not this computer's.")
    ] = None,
    port: options.Port = None,
    run: Annotated[
        str | None, typer.Option("--run", help="The run whose firmware a virtual board boots; the latest.")
    ] = None,
    from_wav: Annotated[
        Path | None, typer.Option("--from-wav", help="Cut a long recording of one word; asks nothing.")
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", help="The input: a number or part of its name.")
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.5, max=10, help="Length of a take.")] = 2.0,
    countdown: Annotated[
        float, typer.Option("--countdown", min=0, max=10, help="Seconds from the key to the take.")
    ] = 1.5,
    keep_good: Annotated[
        bool, typer.Option("--keep-good", help="Keep takes without faults unasked, and go on.")
    ] = False,
    sample_rate: Annotated[
        int, typer.Option("--sample-rate", min=4000, help="Of the clips, in Hz.")
    ] = 16_000,
    clip_ms: Annotated[int, typer.Option("--clip-ms", min=200, help="Length of a clip, in ms.")] = 1000,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Record words from a microphone, one by one, cut to the word; goes on where it stopped.

    \b
    Examples:
      tinyml data record --words marvin,sheila --speaker anna
      tinyml data record --words marvin --speaker anna --count 50 --keep-good
      tinyml data record --words marvin --speaker anna --board nano33ble
      tinyml data record --words marvin --speaker ben --from-wav long.wav --json
    """
    from tinyml_cli.data import record_command
    from tinyml_cli.data.record_session import Plan
    from tinyml_cli.data.speakers import speaker_id
    from tinyml_cli.tasks.kws import check_words

    listed = options.word_list(words) or []
    check_words(listed)
    plan = Plan(tuple(listed), speaker_id(speaker), out, count, seconds, countdown, clip_ms, keep_good)
    where = record_command.Where(board, port, run, device, from_wav, sample_rate)
    document = record_command.record(plan, where)
    record_command.show(document)
    console.result(document, record_command.text(document))
