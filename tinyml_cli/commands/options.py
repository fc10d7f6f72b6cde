"""Options and arguments that several commands share, declared once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from tinyml_cli import checks, next_step
from tinyml_cli.console import console

MOST_SEED = 2**32 - 1


def given(check: Callable[..., None], *arguments: Any) -> Callable[..., Any]:
    """A callback that asks a check of `tinyml_cli.checks` about an option's value, before anything else.

    The option's name comes last: check(value, *arguments, "--option").
    """

    def ask(parameter: typer.CallbackParam, value: Any) -> Any:  # typer tells them by their types
        if value is not None:
            names = [name for name in parameter.opts if name.startswith("--")]
            check(value, *arguments, names[0] if names else str(parameter.name).upper())
        return value

    return ask


def one_of(what: str, *choices: str) -> Callable[..., Any]:
    """A callback that takes these names alone."""

    def ask(value: str, where: str) -> None:
        checks.choice(value, choices, where, what)

    return given(ask)


def _variant(name: str, where: str) -> None:
    from tinyml_cli.variants import check_name

    check_name(name)


def _set_json(value: bool) -> bool:
    console.json = value
    return value


def _set_quiet(value: bool) -> bool:
    console.quiet = value
    return value


def _accept_partial(value: bool) -> bool:
    from tinyml_cli.run import Run

    Run.accepts_partial = value
    if value:
        next_step.accept_partial()
    return value


Json = Annotated[
    bool,
    typer.Option(
        "--json", callback=_set_json, is_eager=True, help="One JSON object on stdout, text on stderr."
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", callback=_set_quiet, is_eager=True, help="Print only results, warnings and errors."
    ),
]
RunArgument = Annotated[
    str | None,
    typer.Argument(metavar="[RUN]", help="A run directory, or a name in runs/; the latest run by default."),
]
RunOption = Annotated[
    Path | None,
    typer.Option(
        "--run",
        callback=given(checks.output_folder),
        help="The run directory; runs/<task>-<words> by default.",
    ),
]
Words = Annotated[str | None, typer.Option("--words", help="Words to listen for, comma-separated.")]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        callback=given(checks.data),
        help="A folder of recordings, one folder per word (Speech Commands layout).",
    ),
]
AddRecordings = Annotated[
    Path | None,
    typer.Option(
        "--add-recordings",
        callback=given(checks.data_folder),
        metavar="DIR",
        help="Mix in your own recordings, even a single clip: one folder per word.",
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="RECIPE",
        help="A recipe: a YAML file, or a name from `tinyml recipes`; the task's own by default.",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override one value of the recipe; repeatable."),
]
SetData = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="How to read time series, such as data.units.gyro=rad/s; repeatable.",
    ),
]
Seed = Annotated[int | None, typer.Option("--seed", min=0, max=MOST_SEED, help="Random seed.")]
Resume = Annotated[bool, typer.Option("--resume", help="Resume an interrupted training.")]
AcceptPartial = Annotated[
    bool,
    typer.Option(
        "--accept-partial", callback=_accept_partial, help="Use a model whose training was interrupted."
    ),
]
Gate = Annotated[
    bool,
    typer.Option(
        "--gate/--no-gate",
        help="Exit with 1 if the board finds fewer than half of what it should in the replay.",
    ),
]
Model = Annotated[
    str | None,
    typer.Option("--model", metavar="NAME", help="The network architecture; set its options with --set."),
]
Teacher = Annotated[
    list[str] | None,
    typer.Option("--teacher", metavar="RUN", help="A trained, larger run to learn from; repeatable."),
]
Variant = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="NAME",
        callback=given(_variant),
        help="Create a variant of the run, in its folder variants/NAME.",
    ),
]
Then = Annotated[
    list[str] | None,
    typer.Option(
        "--then",
        metavar="STEP",
        help="The next step: prune=0.7, structured=0.5, cluster=16 or qat; repeatable.",
    ),
]
FineTuneEpochs = Annotated[
    int, typer.Option("--epochs", min=0, max=10_000, help="Epochs of training per step.")
]
FineTuneRate = Annotated[
    float,
    typer.Option("--learning-rate", min=1e-7, max=1, help="Learning rate of each step's training."),
]
FineTuneSamples = Annotated[
    int,
    typer.Option("--samples", min=10, max=1_000_000, help="Number of training inputs to fine-tune on."),
]
CountInstructions = Annotated[
    bool, typer.Option("--profile/--no-profile", help="Count instructions on the virtual board.")
]
Board = Annotated[
    str,
    typer.Option(
        "--board",
        callback=given(checks.board),
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
        callback=one_of("engine", "aot", "tflm"),
        help="aot (compiled ahead of time) or tflm (TensorFlow Lite Micro).",
    ),
]
TflmDir = Annotated[
    Path | None,
    typer.Option(
        "--tflm",
        callback=given(checks.data_folder),
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


def word_list(words: str | None) -> list[str] | None:
    """Splits `--words yes,no`; None stays None."""
    return None if words is None else [word.strip() for word in words.split(",") if word.strip()]


def word_tuple(words: str | None) -> tuple[str, ...] | None:
    """The same as a tuple, every entry kept; None stays None."""
    return None if words is None else tuple(word.strip() for word in words.split(","))


def run_and_file(command: str, words: list[str], file: str) -> tuple[str | None, Path]:
    """Reads `[RUN] FILE`: the run comes first in every command; without one the latest is meant.

    Args:
        command: the command's name.
        words: its arguments.
        file: what the file is called in the usage.

    Raises:
        TinymlError: more than two arguments, or the run behind the file.
    """
    from tinyml_cli.errors import TinymlError
    from tinyml_cli.next_step import next_step
    from tinyml_cli.run import is_run

    if len(words) > 2:
        raise TinymlError(f"Unexpected argument `{words[2]}`", "", f"tinyml {command} [RUN] {file}")
    if len(words) == 2 and is_run(words[1]) and not is_run(words[0]):
        raise TinymlError(
            "Give the run first, then the file", "", next_step(command, Path(words[1]), Path(words[0]))
        )
    return (words[0] if len(words) == 2 else None), Path(words[-1])
