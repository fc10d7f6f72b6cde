"""Options of the commands that build for a board or talk to one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options

Board = Annotated[
    str,
    typer.Option(
        "--board",
        callback=options.given(checks.board),
        help="sim (virtual Cortex-M4), native (a process on this computer), nano33ble, nano33ble_rev2 or "
        "your own; see tinyml boards.",
    ),
]
Port = Annotated[
    str | None, typer.Option("--port", help="The board's serial port; found automatically by default.")
]
Engine = Annotated[
    str | None,
    typer.Option(
        "--engine",
        callback=options.one_of("engine", "aot", "tflm"),
        help="aot (compiled ahead of time) or tflm (TensorFlow Lite Micro).",
    ),
]
TflmDir = Annotated[
    Path | None,
    typer.Option(
        "--tflm",
        callback=options.given(checks.data_folder),
        help="A TensorFlow Lite Micro source tree, for --engine tflm.",
    ),
]
App = Annotated[
    str | None,
    typer.Option("--app", help="The firmware application; the task's own by default; bench runs any model."),
]
With = Annotated[
    str | None,
    typer.Option(
        "--with", metavar="RUN", help="A second run: more words, or images to look at after a word."
    ),
]
Runs = Annotated[
    list[str] | None,
    typer.Option("--run", metavar="RUN", help="Instead of [RUN] and --with; give it twice for two models."),
]
UpdateKey = Annotated[
    Path | None,
    typer.Option(
        "--update-key",
        metavar="FILE",
        help="The firmware takes models that this key has signed; either half of it will do.",
    ),
]
Release = Annotated[
    int | None,
    typer.Option(
        "--release",
        min=0,
        max=(1 << 32) - 1,
        metavar="N",
        help="The model's number, which grows with each; by default the time of its file.",
    ),
]
Gate = Annotated[
    bool,
    typer.Option(
        "--gate/--no-gate",
        help="Exit with 1 if the board finds fewer than half of what it should in the replay.",
    ),
]

Microphone = Annotated[
    bool, typer.Option("--microphone", help="A virtual board hears by this computer's microphone.")
]
Camera = Annotated[bool, typer.Option("--camera", help="A virtual board sees by this computer's camera.")]
Device = Annotated[
    str | None,
    typer.Option(
        "--device",
        metavar="NAME",
        help="Which microphone or camera: number or name; of both, the microphone.",
    ),
]
Duration = Annotated[
    float | None, typer.Option("--duration", min=0.01, max=31_536_000, help="Stop after so many seconds.")
]
Calibrate = Annotated[
    int | None,
    typer.Option(
        "--calibrate",
        min=1,
        max=86_400,
        metavar="SECONDS",
        help="Recalibrate the anomaly threshold on the board.",
    ),
]
Frames = Annotated[
    Path | None,
    typer.Option(
        "--frames",
        callback=options.given(checks.data),
        metavar="PATH",
        help="With --with and --replay: images to show after the word is heard.",
    ),
]
Teach = Annotated[str | None, typer.Option("--teach", metavar="WORD", help="Have the board learn a word.")]
Train = Annotated[str | None, typer.Option("--train", metavar="WORD", help="Train by takes of a known word.")]
Trace = Annotated[
    str | None,
    typer.Option("--trace", help="What else the board should report: scores, features, status, audio."),
]
