"""The one error type that reaches users, and the exit codes of the command line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

EXIT_OK = 0
EXIT_FAILURE = 1
EXIT_BAD_INPUT = 2
EXIT_DEFECT = 70
"""Something that nobody foresaw; EX_SOFTWARE of sysexits.h."""
EXIT_INTERRUPTED = 130


UPGRADE = "Upgrade: pip install --upgrade tinyml-cli"
"""The next step where a newer tinyml wrote a document."""


class TinymlError(Exception):
    """Something a user can mend: says what is wrong, where, and what to do next.

    Attributes:
        what: one sentence that names the problem.
        where: the file, option, tensor or port it was found in; empty when there is no such place.
        next_step: one sentence or command that leads out of it.
    """

    def __init__(self, what: str, where: str = "", next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.next_step = next_step

    def __str__(self) -> str:
        place = f" [{self.where}]" if self.where else ""
        advice = f" {self.next_step}" if self.next_step else ""
        return (
            f"{self.what}{place}.{advice}"
            if not self.what.endswith((".", "?", "!"))
            else (f"{self.what}{place}{advice}")
        )

    def as_dict(self) -> dict[str, str]:
        """The object under "error" in --json output."""
        return {"what": self.what, "where": self.where, "next_step": self.next_step}


def did_you_mean(given: str, known: Iterable[str], before: str = "") -> str:
    """`Did you mean X? ` with the known names that are most like the given one; "" where none is.

    Args:
        given: what was typed.
        known: the names there are.
        before: words to show before each name.
    """
    names = list(known)
    close = [name for name in names if len(given) > 2 and name.startswith(given)]
    close += difflib.get_close_matches(given, names, n=3)
    # A second guess is worth reading only where the first is not nearly what was typed.
    if close and difflib.SequenceMatcher(None, given, close[0]).ratio() > 0.85:
        close = close[:1]
    shown = [f"`{before} {name}`".replace("` ", "`") for name in dict.fromkeys(close)]
    return f"Did you mean {' or '.join(shown)}? " if shown else ""
