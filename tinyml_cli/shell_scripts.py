"""The shells' scripts for completion, which call `completion`; and where each shell loads them from."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tinyml_cli import processes
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic

_BASH = r"""
# Completion of tinyml for bash.
_tinyml_completion() {
    local IFS=$'\n' line quote=%q
    [[ ${COMP_WORDS[COMP_CWORD]} == [\"\']* ]] && quote=%s
    COMPREPLY=()
    while IFS= read -r line; do
        [[ $line == *[=,] ]] && compopt -o nospace
        COMPREPLY+=("$(printf "$quote" "$line")")
    done < <(_TINYML_COMPLETE=bash COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD \
        "${1/#\~/$HOME}" 2>/dev/null)
}
complete -o bashdefault -o default -F _tinyml_completion tinyml
"""

_ZSH = r"""
#compdef tinyml
# Completion of tinyml for zsh.
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
_tinyml_completion() {
    local -a values shown
    local value meaning
    while IFS=$'\t' read -r value meaning; do
        values+=("$value")
        shown+=("$value${meaning:+  -- $meaning}")
    done < <(_TINYML_COMPLETE=zsh COMP_WORDS="${(pj:\n:)words}" COMP_CWORD=$((CURRENT - 1)) \
        ${~words[1]} 2>/dev/null)
    if (( $#values )); then
        compadd -l -d shown -a values
    else
        _files
    fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _tinyml_completion "$@"
else
    compdef _tinyml_completion tinyml
fi
"""

_FISH = r"""
# Completion of tinyml for fish.
function __tinyml_completion
    set -l words (commandline -opc) (commandline -ct)
    set -l found (env _TINYML_COMPLETE=fish COMP_WORDS=(string join \n -- $words | string collect) \
        COMP_CWORD=(math (count $words) - 1) $words[1] 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete --command tinyml --no-files --arguments '(__tinyml_completion)'
"""

_POWERSHELL = r"""
# Completion of tinyml for PowerShell.
Register-ArgumentCompleter -Native -CommandName tinyml -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements |
        Where-Object { $_.Extent.StartOffset -lt $cursorPosition } |
        ForEach-Object { $_.ToString() })
    if ($wordToComplete -eq '') { $words += '' }
    $env:_TINYML_COMPLETE = 'powershell'
    $env:COMP_WORDS = $words -join "`n"
    $env:COMP_CWORD = $words.Count - 1
    try {
        & $words[0] 2>$null | ForEach-Object {
            $value, $meaning = $_ -split "`t", 2
            $typed = $value
            if ($value -match '[^\w\-+=./:\\]') { $typed = "'" + $value.Replace("'", "''") + "'" }
            $tip = if ($meaning) { $meaning } else { $value }
            [System.Management.Automation.CompletionResult]::new($typed, $value, 'ParameterValue', $tip)
        }
    } finally {
        Remove-Item Env:_TINYML_COMPLETE, Env:COMP_WORDS, Env:COMP_CWORD
    }
}
"""

_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH, "powershell": _POWERSHELL, "pwsh": _POWERSHELL}


def script(shell: str) -> str:
    """What the shell has to run so that Tab completes `tinyml`.

    Raises:
        TinymlError: no such shell.
    """
    if shell not in _SCRIPTS:
        raise TinymlError(f"No completion for shell `{shell}`", "", f"Shells: {', '.join(_SCRIPTS)}.")
    return _SCRIPTS[shell].lstrip("\n")


def current_shell() -> str:
    """The shell that started this command.

    Raises:
        TinymlError: it cannot be told.
    """
    import shellingham

    try:
        return str(shellingham.detect_shell()[0])
    except (shellingham.ShellDetectionFailure, OSError) as error:
        raise TinymlError("Cannot detect your shell", "", f"Name one: {', '.join(_SCRIPTS)}.") from error


def install(shell: str) -> tuple[Path, Path | None]:
    """Writes the shell's script, and a line into the file that the shell reads at its start.

    Doing it again changes nothing.

    Returns:
        The script, and the file with the line; None where the shell looks for the script by itself.

    Raises:
        TinymlError: no such shell, or a file cannot be written.
    """
    text = script(shell)
    if shell == "fish":
        place = _config_home() / "fish" / "completions" / "tinyml.fish"
        write_atomic(place, text)
        return place, None
    suffix = {"bash": "bash", "zsh": "zsh"}.get(shell, "ps1")
    place = _data_home() / "tinyml" / f"completion.{suffix}"
    write_atomic(place, text)
    start = _start_file(shell)
    quoted = str(place).replace("'", "''" if suffix == "ps1" else "'\\''")
    line = f"{'.' if suffix == 'ps1' else 'source'} '{quoted}'"
    before = start.read_text(encoding="utf-8") if start.is_file() else ""
    if line not in before.splitlines():
        start.parent.mkdir(parents=True, exist_ok=True)
        gap = "" if before.endswith("\n") or not before else "\n"
        with start.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(f"{gap}{line}\n")
    return place, start


def _start_file(shell: str) -> Path:
    if shell == "bash":
        return Path.home() / ".bashrc"
    if shell == "zsh":
        return Path(os.environ.get("ZDOTDIR") or Path.home()) / ".zshrc"
    program = shutil.which("pwsh") or shutil.which("powershell")
    if program is None:
        raise TinymlError("PowerShell is not on PATH", "", "Add the script to your $PROFILE by hand.")
    command = [program, "-NoProfile", "-Command", "$PROFILE"]
    answer = processes.run(command, timeout_s=60)
    if not answer.stdout.strip():
        raise TinymlError("PowerShell reports no $PROFILE", program, "Add the script to yours by hand.")
    return Path(answer.stdout.strip())


def _data_home() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


def _config_home() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
