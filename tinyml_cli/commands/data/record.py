"""tinyml data record"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    words: Annotated[str | None, typer.Option("--words", help="Words to say, comma-separated.")] = None,
    speaker: Annotated[
        str | None,
        typer.Option("--speaker", help="Who speaks or waves the wand; any name or pseudonym."),
    ] = None,
    camera: Annotated[
        bool, typer.Option("--camera", help="Take images from a webcam or a board's camera.")
    ] = False,
    gesture: Annotated[
        str | None,
        typer.Option("--gesture", help="Record wand strokes: the gestures to draw, comma-separated."),
    ] = None,
    ble: Annotated[
        str | None, typer.Option("--ble", help="With --gesture: the name of a Bluetooth wand, or any.")
    ] = None,
    classes: Annotated[
        str, typer.Option("--classes", help="With --camera: the classes to show, one after another.")
    ] = "person,none",
    every: Annotated[
        float,
        typer.Option("--every", min=0, max=3600, help="With --camera: seconds between images."),
    ] = 0.3,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            callback=options.given(checks.output_folder),
            help="The data folder; recordings, images or strokes by default.",
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            "--count",
            min=1,
            max=10_000,
            help="Takes per word or gesture, existing ones included; 20 by default, 200 for images.",
        ),
    ] = None,
    board: Annotated[
        str | None,
        typer.Option(
            "--board",
            callback=options.given(checks.board),
            help="Record with a board instead of this computer.",
        ),
    ] = None,
    port: options.Port = None,
    run: Annotated[
        str | None,
        typer.Option("--run", help="The run whose firmware a virtual board boots; the latest by default."),
    ] = None,
    from_wav: Annotated[
        Path | None,
        typer.Option(
            "--from-wav",
            callback=options.given(checks.input_file),
            help="Split a long recording of one word, without prompts.",
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option("--device", help="The input device: a number or part of its name.")
    ] = None,
    seconds: Annotated[float, typer.Option("--seconds", min=0.5, max=10, help="Length of a take.")] = 2.0,
    countdown: Annotated[
        float | None,
        typer.Option(
            "--countdown",
            min=0,
            max=10,
            help="Seconds between the key press and the take; 1.5 or 3 by default.",
        ),
    ] = None,
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
    """Record words from a microphone, images from a camera, or strokes of a wand; resumes where it stopped.

    \b
    Examples:
      tinyml data record --words marvin,sheila --speaker anna
      tinyml data record --words marvin --speaker anna --count 50 --keep-good
      tinyml data record --words marvin --speaker anna --board nano33ble
      tinyml data record --words marvin --speaker ben --from-wav long.wav --json
      tinyml data record --camera --classes person,none --count 300
      tinyml data record --camera --classes cup --board nano33ble --run vww-person
      tinyml data record --gesture wing,ring --count 20 --board nano33ble
      tinyml data record --gesture wing --ble any
    """
    if camera:
        from tinyml_cli.collect import record_camera

        names = options.word_tuple(classes) or ()
        plan_of_images = record_camera.plan_of(names, out, count, every, countdown)
        with record_camera.open_camera(board, port, run, device) as source:
            taken = record_camera.record_images(plan_of_images, source)
        console.result(taken, record_camera.text(taken))
        return
    if gesture is not None:
        from tinyml_cli.collect import record_gesture
        from tinyml_cli.collect.stroke_source import open_wand

        strokes = record_gesture.plan_of(options.word_tuple(gesture) or (), speaker, out, count)
        with open_wand(board, port, ble) as wand:
            drawn = record_gesture.record_gestures(strokes, wand)
        console.result(drawn, record_gesture.text(drawn))
        return
    from tinyml_cli.collect import record_command

    plan = record_command.plan_of(
        options.word_list(words), speaker, out, count, seconds, countdown, clip_ms, keep_good
    )
    where = record_command.Where(board, port, run, device, from_wav, sample_rate)
    document = record_command.record(plan, where)
    record_command.show(document)
    console.result(document, record_command.text(document))
