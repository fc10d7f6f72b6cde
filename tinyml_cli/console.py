"""All output of the command line. Nothing else in the package prints.

In human mode, results go to stdout. With --json, stdout carries only JSON and text for people goes to
stderr, so a pipe reads one and a terminal shows the other. No name in a text steers the terminal.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any, Protocol

from tinyml_cli.errors import TinymlError
from tinyml_cli.user_text import visible

PROGRESS_S = "TINYML_PROGRESS_S"
"""Environment variable: seconds between lines of a progress bar that is not drawn; set by who reads them."""

_REPORT_S = 10.0
with contextlib.suppress(KeyError, ValueError):
    _REPORT_S = max(0.0, float(os.environ[PROGRESS_S]))

COMPILING = "the first step compiles the network, which takes a while"


class Result(Protocol):
    """An outcome; see tinyml_cli/outcomes."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""


class ProgressBar:
    """A handle on a running progress bar."""

    def __init__(self, total: int, description: str, stream: IO[str] | None) -> None:
        self.total = total
        self.done = 0
        self._description = description
        self._stream = stream
        self._started = self._reported = time.monotonic()

    def advance(self, n: int = 1, note: str = "") -> None:
        """Moves on by `n` of `total`, with a short remark such as the current loss."""
        self.done += n
        now = time.monotonic()
        if self._stream and (now - self._reported >= _REPORT_S or self.done >= self.total):
            self._reported = now
            share = f"{self.done}/{self.total}" if self.total else str(self.done)
            print(f"  {self._description}: {share} {note}".rstrip(), file=self._stream, flush=True)


class _RichProgress(ProgressBar):
    def __init__(self, total: int, description: str, bar: Any, note: str) -> None:
        super().__init__(total, description, None)
        self._bar = bar
        self._task = bar.add_task(description, total=total or None, note=note)

    def advance(self, n: int = 1, note: str = "") -> None:
        super().advance(n, note)
        self._bar.update(self._task, advance=n, note=note)


class Console:
    """Where every message passes; `json` and `quiet` are set by the command that runs."""

    def __init__(self) -> None:
        self.json = False
        self.quiet = False

    @property
    def _people(self) -> IO[str]:
        return sys.stderr if self.json else sys.stdout

    def info(self, text: str) -> None:
        """A line for people; silent with --quiet."""
        if not self.quiet:
            print(visible(text), file=self._people, flush=True)

    def warn(self, text: str) -> None:
        """A warning, on stderr."""
        print(f"warning: {visible(text)}", file=sys.stderr, flush=True)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A table for people, never wider than the terminal (80 columns in a pipe); no cell is cut."""
        if not self.quiet:
            from tinyml_cli import tables

            self.info(tables.render(title, columns, rows, self.width) + "\n")

    @property
    def width(self) -> int:
        """Columns that a line for people may have."""
        from tinyml_cli import tables

        return tables.width_of(self._people)

    @contextlib.contextmanager
    def progress(self, total: int, description: str, note: str = "") -> Iterator[ProgressBar]:
        """A progress bar on stderr: drawn in a terminal, a line every ten seconds elsewhere.

        Args:
            total: how many; 0 where that is not known.
            description: what is done.
            note: shown until the first step is done, where that one takes long.
        """
        if self.quiet or not sys.stderr.isatty():
            if note and not self.quiet:
                print(f"  {description}: {note}", file=sys.stderr, flush=True)
            yield ProgressBar(total, description, None if self.quiet else sys.stderr)
            return
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as RichBar

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
        )
        with RichBar(*columns, console=_drawing(sys.stderr), transient=True) as bar:
            yield _RichProgress(total, description, bar, note)

    def ask(self, question: str) -> bool:
        """Whether a person agrees.

        Raises:
            TinymlError: there is no terminal to ask at.
        """
        if self.json or not sys.stdin.isatty():
            raise TinymlError("Cannot ask for confirmation without a terminal", "stdin", "Add --yes.")
        import typer

        return typer.confirm(question, err=True)

    @property
    def is_live(self) -> bool:
        """Whether a person sits at a terminal that can redraw."""
        return not self.json and not self.quiet and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"

    @property
    def is_terminal(self) -> bool:
        """Whether people's text goes to a terminal, with --json too."""
        return self._people.isatty()

    @contextlib.contextmanager
    def live(self) -> Iterator[Callable[[Any], None]]:
        """A place at the foot of the terminal; yields what draws a rich renderable there, over the last one.

        Lines that are printed meanwhile scroll by above it. The terminal is left clean, whatever happens.
        """
        from rich.live import Live

        with Live(console=_drawing(self._people), auto_refresh=False, transient=True) as area:
            yield lambda renderable: area.update(renderable, refresh=True)

    def result(self, document: Result | dict[str, Any], text: str = "") -> None:
        """The outcome of a command: one JSON object with --json, `text` otherwise."""
        if self.json:
            found = document if isinstance(document, dict) else document.as_dict()
            print(json.dumps(found, ensure_ascii=False), flush=True)
        elif text:
            print(visible(text), flush=True)

    def event(self, document: dict[str, Any]) -> None:
        """One JSON line of a stream of events (monitor --json)."""
        print(json.dumps(document, ensure_ascii=False), flush=True)

    def error(self, error: TinymlError) -> None:
        """An error: an object on stdout with --json, a paragraph on stderr always."""
        self.stopped(error, "error: ")

    def stopped(self, why: TinymlError, prefix: str = "") -> None:
        """The same for a command that was stopped, which is no error of anybody's."""
        # What cannot be told, on a full disk or a closed pipe, leaves the exit code.
        if self.json:
            with contextlib.suppress(OSError):
                print(json.dumps({"error": why.as_dict()}, ensure_ascii=False), flush=True)
        with contextlib.suppress(OSError):
            # One paragraph, whatever the names in it contain.
            print(visible(f"{prefix}{why}").replace("\n", "\\n"), file=sys.stderr, flush=True)


def _drawing(stream: IO[str]) -> Any:
    """What draws at the foot of a terminal, while lines that are printed scroll by above.

    It leaves breaking such a line to the terminal: a command in it can be copied as a whole then.
    """
    from rich.console import Console as RichConsole
    from rich.text import Text

    class Drawing(RichConsole):
        def print(self, *objects: Any, **options: Any) -> None:
            if objects and isinstance(objects[0], Text):
                options["soft_wrap"] = True
            super().print(*objects, **options)

    return Drawing(file=stream)


console = Console()
