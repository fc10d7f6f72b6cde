"""Unexpected exceptions: they too end as a paragraph, with the traceback in a file."""

from __future__ import annotations

import os
import sys
import traceback

from tinyml_cli import __version__, temporary
from tinyml_cli.errors import TinymlError

VARIABLE = "TINYML_DEBUG"


def explain(error: Exception) -> TinymlError:
    """Names an unexpected exception, and where its traceback is: on the terminal with TINYML_DEBUG=1."""
    command = "tinyml " + " ".join(word for word in sys.argv[1:3] if not word.startswith("-"))
    if os.environ.get(VARIABLE):
        traceback.print_exception(error, file=sys.stderr)
        place = "the traceback above"
    else:
        place = _keep(error)
    reason = (str(error).splitlines() or [""])[0][:200].rstrip(".")
    return TinymlError(
        f"Bug in tinyml {__version__}: {type(error).__name__}{f' ({reason})' if reason else ''}",
        command.strip(),
        f"Please report it with {place}; finished work is kept.",
    )


def _keep(error: Exception) -> str:
    text = f"tinyml {__version__}, Python {sys.version}\n{sys.argv[1:]}\n\n" + "".join(
        traceback.format_exception(error)
    )
    path = temporary.system_folder() / f"tinyml-defect-{os.getpid()}.log"
    try:
        path.write_text(text, encoding="utf-8", newline="\n", errors="backslashreplace")
    except OSError:
        return f"the traceback that {VARIABLE}=1 shows"
    return f"the traceback in {path}"
