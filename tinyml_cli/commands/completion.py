"""tinyml completion"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    shell: Annotated[
        str | None,
        typer.Argument(
            metavar="[SHELL]", help="bash, zsh, fish or powershell; your current shell by default."
        ),
    ] = None,
    install: Annotated[
        bool, typer.Option("--install", help="Install the script instead of printing it.")
    ] = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Complete commands, options, runs, boards, recipes, models and labels with the Tab key.

    Prints the script for the shell. With --install, writes it to your home folder, where new shells
    load it.

    \b
    Examples:
      tinyml completion --install
      tinyml completion bash > /etc/bash_completion.d/tinyml
      tinyml completion powershell | Out-String | Invoke-Expression
      tinyml completion zsh --json
    """
    from tinyml_cli import shell_scripts
    from tinyml_cli.outcomes.housekeeping import CompletionInstalled, CompletionScript

    name = shell or shell_scripts.current_shell()
    if not install:
        script = shell_scripts.script(name)
        console.result(CompletionScript(shell=name, script=script), script.rstrip("\n"))
        return
    place, start = shell_scripts.install(name)
    read_by = f", loaded by {start}" if start else ""
    console.result(
        CompletionInstalled(shell=name, script=str(place), start_file=str(start) if start else None),
        f"Completion for {name} is installed in {place}{read_by}. Open a new terminal to use it.",
    )
