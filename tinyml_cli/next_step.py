"""Command lines that tinyml suggests: rendered in one place, quoted for the system's shell."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from tinyml_cli.user_text import is_printable

_PLAIN_ON_WINDOWS = re.compile(r"[\w\-+=.:/\\,~]+")


def next_step(*words: str | Path | int | float) -> str:
    """`tinyml WORD …`, ready to be pasted into a shell.

    Args:
        words: what follows `tinyml`, a word each. A Path is a file or folder: it is shown relative to the
            current folder where it lies in it, and never looks like an option.
    """
    if _accepts_partial and words[0] in TAKE_PARTIAL:
        words = (*words, "--accept-partial")
    return command_line("tinyml", *words)


def train_again(run: Path, task: str, *options: str | Path) -> str:
    """The command that trains a run again by its recipe."""
    return next_step("train", task, "--config", run / "recipe.yaml", "--run", run, *options)


def command_line(*words: str | Path | int | float) -> str:
    """The words as a line of the system's shell: each one stays one word, and nothing in it is expanded."""
    return " ".join(_quoted(shown(word) if isinstance(word, Path) else str(word)) for word in words)


def shown(path: Path) -> str:
    """A path as people type it: relative to the current folder where it lies in it."""
    try:
        text = os.fspath(path.relative_to(Path.cwd())) if path.is_absolute() else os.fspath(path)
    except (ValueError, OSError):
        text = os.fspath(path)
    return f".{os.sep}{text}" if text.startswith("-") else text


def _quoted(word: str) -> str:
    if os.name != "nt":
        return shlex.quote(word) if is_printable(word) else _ansi_c_quoted(word)
    # Double quotes are what both cmd and PowerShell understand.
    return word if _PLAIN_ON_WINDOWS.fullmatch(word) else '"' + word.replace('"', '\\"') + '"'


def _ansi_c_quoted(word: str) -> str:
    """A word with line feeds or other control characters, as bash, zsh and ksh read it: $'a\\nb'."""
    letters = (
        f"\\{letter}"
        if letter in "\\'"
        else letter
        if letter.isprintable()
        else "".join(f"\\x{byte:02x}" for byte in os.fsencode(letter))
        for letter in word
    )
    return f"$'{''.join(letters)}'"


TAKE_PARTIAL = {
    *(
        "attack",
        "bench",
        "build",
        "card",
        "cluster",
        "convert",
        "distill",
        "drift",
        "evaluate",
        "evaluate-stream",
        "export-library",
    ),
    *("explain", "export-c-array", "fairness", "flash", "inspect", "monitor", "profile", "prune", "quantize"),
    "watch-drift",
}
"""The commands that have the option --accept-partial."""

_this_run: list[Path] = []
_remembering = False
_accepts_partial = False


def on_this_run(verb: str, *options: str | Path | int | float) -> str:
    """The same with the run that the command works on: `tinyml VERB RUN …`.

    For places that know the manifest alone. Without a run the command line means the latest.
    """
    return next_step(verb, *_this_run, *options)


def model_again() -> str:
    """What to do about a model that a runtime does not load: of a run, or a file that somebody else made."""
    if _this_run:
        return f"Run `{on_this_run('convert')}` again."
    return "Export the model again, with operators that TensorFlow Lite Micro has."


def train_this_run(task: str) -> str:
    """The command that trains the run again that the command works on."""
    return train_again(_this_run[0], task) if _this_run else next_step("train", task)


def accept_partial() -> None:
    """Has the next steps of this command go on accepting the model of a stopped training."""
    global _accepts_partial
    _accepts_partial = _remembering


def work_on(run: Path) -> None:
    """Remembers the first run that a command opens."""
    if _remembering and not _this_run:
        _this_run.append(run)


@contextlib.contextmanager
def one_command() -> Iterator[None]:
    """While a command runs, the run that it opens first is remembered for its messages."""
    global _remembering, _accepts_partial
    _this_run.clear()
    _remembering, _accepts_partial = True, False
    try:
        yield
    finally:
        _this_run.clear()
        _remembering = _accepts_partial = False
