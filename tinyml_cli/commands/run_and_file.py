"""Arguments of the commands that take `[RUN] FILE`."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli.errors import TinymlError


def run_and_file(command: str, words: list[str], file: str) -> tuple[str | None, Path]:
    """Reads `[RUN] FILE`: the run comes first in every command; without one the latest is meant.

    Args:
        command: the command's name.
        words: its arguments.
        file: what the file is called in the usage.

    Raises:
        TinymlError: more than two arguments, or the run behind the file.
    """
    from tinyml_cli.next_step import next_step
    from tinyml_cli.run import is_run

    if len(words) > 2:
        raise TinymlError(f"Unexpected argument `{words[2]}`", "", f"tinyml {command} [RUN] {file}")
    if len(words) == 2 and is_run(words[1]) and not is_run(words[0]):
        raise TinymlError(
            "Give the run first, then the file", "", next_step(command, Path(words[1]), Path(words[0]))
        )
    return (words[0] if len(words) == 2 else None), Path(words[-1])
