"""Shell completion: the candidates for the next word, requested by the shell on every Tab.

It must be fast, so nothing heavy is imported here. The shell's script (see `shell_scripts`) sets
$_TINYML_COMPLETE to the shell's name, COMP_WORDS to the words typed so far, one per line, and COMP_CWORD to
the index of the word being typed. The answer is one line per candidate: the value and, after a
tab, its description if the shell shows descriptions. No line means: complete file names.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinyml_cli.files import configs_dir, runs_dir

VARIABLE = "_TINYML_COMPLETE"
_DESCRIBED = ("zsh", "fish", "powershell")

# A candidate's value, and what it means.
Candidates = Iterable[tuple[str, str]]
Source = Callable[["Line"], Candidates]


def answer(app: Any) -> int:
    """Prints the candidates for the command line in the environment."""
    shell = os.environ[VARIABLE]
    words = [_unquoted(word, shell) for word in os.environ.get("COMP_WORDS", "").split("\n")]
    at = int(os.environ.get("COMP_CWORD") or len(words) - 1)
    # bash makes a word of its own of every `=`, and of nothing of what stands between.
    before = [word for word in words[1:at] if word != "="]
    typed = words[at] if at < len(words) and words[at] != "=" else ""
    for value, meaning in complete(app, before, typed):
        line = f"{value}\t{' '.join(meaning.split())}" if meaning and shell in _DESCRIBED else value
        sys.stdout.buffer.write(f"{line}\n".encode("utf-8", "surrogateescape"))
    return 0


def complete(app: Any, before: list[str], typed: str) -> list[tuple[str, str]]:
    """The candidates for a word.

    Args:
        app: the typer command line.
        before: the whole words after `tinyml`.
        typed: what there is of the word so far.
    """
    line = _read(app, before)
    line.typed = typed
    if line.group is not None and not typed.startswith("-"):
        return [(item.value, item.help or "") for item in line.group.shell_complete(None, typed)]
    asked, start = line.asked, typed
    if asked is None and typed.startswith("--") and "=" in typed:
        name, _, start = typed.partition("=")
        asked = line.options.get(name)
    elif asked is None and typed.startswith("-") and not line.only_arguments:
        options = [(name, option.help or "") for name, option in line.open_options()]
        options.append(("--help", "Show what is available."))
        return [(name, meaning) for name, meaning in options if name.startswith(typed)]
    source = _source_of(line.command, asked or line.next_argument(), line.given)
    if source is None:
        return []
    # Of a list such as yes,no the last one is being typed.
    done = start[: start.rfind(",") + 1] if _LISTS & {*getattr(asked, "opts", ())} else ""
    taken = done.split(",")
    prefix = typed[: len(typed) - len(start)] + done  # --board= and yes,
    return [
        (f"{prefix}{value}", meaning)
        for value, meaning in source(line)
        if value.startswith(start[len(done) :]) and value not in taken and value.isprintable()
    ]


@dataclass
class Line:
    """What a command line says so far. No value is checked: typer's own reading is too slow for that.

    Attributes:
        command: its words, such as "train kws".
        group: the group whose command comes next; None where the command is known.
        options: name -> option of the command.
        arguments: the arguments of the command, in order.
        values: options and what they were given.
        asked: the option whose value comes next.
        typed: what there is of the next word.
        given: how many arguments were given.
        only_arguments: whether `--` has come.
    """

    command: str = ""
    group: Any = None
    options: dict[str, Any] = field(default_factory=dict)
    arguments: list[Any] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    asked: Any = None
    typed: str = ""
    given: int = 0
    only_arguments: bool = False

    def next_argument(self) -> Any:
        """The argument that comes next; None where there is none."""
        if self.given < len(self.arguments):
            return self.arguments[self.given]
        return self.arguments[-1] if self.arguments and self.arguments[-1].nargs == -1 else None

    def open_options(self) -> Iterator[tuple[str, Any]]:
        """The options that can still be given, by each of their names."""
        for name, option in self.options.items():
            if option.multiple or not any(
                each in self.values for each in option.opts + option.secondary_opts
            ):
                yield name, option

    def read(self, word: str) -> None:
        """Takes the next whole word."""
        if self.asked is not None:
            self.values[self.asked.opts[0]] = word
            self.asked = None
        elif self.only_arguments or not word.startswith("-") or word == "-":
            self.given += 1
        elif word == "--":
            self.only_arguments = True
        else:
            name, joined, value = word.partition("=")
            self.values[name] = value
            option = self.options.get(name)
            if option is not None and not joined and not option.is_flag and not option.count:
                self.asked = option


def _read(app: Any, words: list[str]) -> Line:
    import typer

    command: Any = typer.main.get_command(app)
    rest, path = list(words), list[str]()
    while rest and hasattr(command, "list_commands"):
        word = rest.pop(0)
        if not word.startswith("-"):
            path.append(word)
            command = command.get_command(None, word)
    line = Line(" ".join(path), command if hasattr(command, "list_commands") else None)
    for parameter in getattr(command, "params", ()):
        if parameter.param_type_name == "argument":
            line.arguments.append(parameter)
        elif not parameter.hidden:
            line.options.update(dict.fromkeys([*parameter.opts, *parameter.secondary_opts], parameter))
    for word in rest:
        line.read(word)
    return line


def _unquoted(word: str, shell: str) -> str:
    if shell == "fish":  # which has taken the quotes away
        return word
    if shell == "powershell":
        return word.strip("'\"")
    lexer = shlex.shlex(word, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters, lexer.whitespace = True, "", ""
    try:
        return lexer.get_token() or ""
    except ValueError:  # a quote that is still open
        return lexer.token


def runs(line: Line) -> Iterator[tuple[str, str]]:
    """The runs in the runs folder by name, or by path where a path is being typed."""
    folder = runs_dir()
    found = sorted(folder.glob("*/manifest.json")) + sorted(folder.glob("*/variants/*/manifest.json"))
    start = f"{folder.as_posix()}/"
    by_path = line.typed and (line.typed.startswith(start) or start.startswith(line.typed))
    for run in (manifest.parent for manifest in found):
        meaning = "the newest run" if run.is_symlink() else "a run"
        yield run.relative_to(folder).as_posix(), meaning
        if by_path:
            yield run.as_posix(), meaning


def boards(line: Line) -> Iterator[tuple[str, str]]:
    """All boards, those of the user included."""
    from tinyml_cli.boards.board_files import board_files

    yield from ((name, "a board") for name in sorted(board_files()))


def recipes(line: Line) -> Iterator[tuple[str, str]]:
    """The recipes that come with the package, and those of other packages' tasks."""
    from tinyml_cli import registry

    names = [path.stem for path in sorted(configs_dir().glob("*.yaml"))]
    yield from ((name, "a recipe") for name in [*names, *registry.installed()])


def tasks(line: Line) -> Iterator[tuple[str, str]]:
    """The tasks that can be trained, those of other packages included."""
    from tinyml_cli import registry

    yield from ((name, "a task") for name in [*registry.built_in(), *registry.installed()])


def models(line: Line) -> Iterator[tuple[str, str]]:
    """The registry's models, and what their aliases mean."""
    folder = Path(line.values.get("--registry") or os.environ.get("TINYML_REGISTRY") or "registry")
    for path in sorted(folder.glob("models/[!.]*.json")):
        yield path.stem, "a model"
        yield from ((f"{path.stem}@{alias}", "a version") for alias in ("champion", "challenger"))


def labels(line: Line) -> Iterator[tuple[str, str]]:
    """The folders of --data; without data the labels of the runs there are."""
    data = line.values.get("--data")
    if data:
        folders = sorted(path.name for path in Path(data).glob("*") if path.is_dir())
        yield from ((name, "a folder of data") for name in folders if not name.startswith(("_", ".")))
        return
    from tinyml_cli.documents import load_json

    known: dict[str, str] = {}
    for path in sorted(runs_dir().glob("*/manifest.json")):
        try:
            manifest = load_json(path)
            known.update((str(label), f"of {path.parent.name}") for label in manifest["labels"])
        except (ValueError, KeyError, TypeError):
            continue
    yield from ((label, where) for label, where in known.items() if label not in ("silence", "unknown"))


def fixed(*values: str) -> Source:
    """One of a few words."""
    return lambda line: ((value, "") for value in values)


def _also(source: Source, *values: str) -> Source:
    return lambda line: [*((value, "") for value in values), *source(line)]


_SHELLS = fixed("bash", "zsh", "fish", "powershell")

# Command and option -> its values; "" stands for every command.
SOURCES: dict[tuple[str, str], Source] = {
    ("", "--board"): boards,
    ("", "--config"): recipes,
    ("", "--run"): runs,
    ("", "--with"): runs,
    ("", "--teacher"): runs,
    ("", "--words"): labels,
    ("", "--labels"): labels,
    ("", "--classes"): labels,
    ("", "--normal"): labels,
    ("", "--gesture"): labels,
    ("", "--engine"): fixed("aot", "tflm"),
    ("", "--split"): fixed("test", "all"),
    ("", "--app"): fixed("bench", "cascade"),
    ("", "--then"): fixed("prune=", "structured=", "cluster=", "qat"),
    ("", "NAME@VERSION"): models,
    ("init", "--task"): tasks,
    ("init", "--ci"): fixed("github", "gitlab"),
    ("registry rollback", "NAME"): models,
    ("retrain", "NAME"): models,
    ("retrain", "--when"): fixed("drift", "new-data", "age", "metric", "always"),
    ("quantize", "--method"): fixed("ptq", "qat", "dynamic", "float16", "int16x8"),
    ("quantize", "--ranges"): fixed("min-max", "percentile", "mse", "entropy"),
    ("export-c-array", "--engine"): fixed("tflm", "aot", "both"),
    ("export-c-array", "--io"): fixed("arena", "caller"),
    ("export-library", "--for"): fixed("arduino", "platformio", "cmake"),
    ("tune", "--engine"): fixed("local", "ray"),
    ("tune", "TASK"): tasks,
    ("evaluate", "--on"): _also(boards, "host"),
    ("evaluate", "--path"): fixed("model", "audio"),
    ("bench", "--benchmark"): fixed("kws", "vww", "ic", "ad", "model"),
    ("bench", "--mode"): fixed("accuracy", "performance"),
    ("inspect", "--diff"): runs,
    ("learn filter", "--kernel"): fixed(
        "identity", "blur", "gauss", "sharpen", "sobel-x", "sobel-y", "laplace", "emboss"
    ),
    ("learn filter", "--pooling"): fixed("max", "mean"),
    ("learn digits", "--optimizer"): fixed("sgd", "adam"),
    ("monitor", "--trace"): fixed("scores", "features", "status", "audio"),
    ("monitor", "--filter"): fixed("time", "detections"),
    ("data synth", "--engines"): fixed("espeak", "flite", "kokoro"),
    ("data download", "NAME"): fixed(
        "speech-commands",
        "vww",
        "kokoro",
        "uplot",
        "musan",
        *(f"librispeech-{part}" for part in ("dev-clean", "dev-other", "test-clean", "train-clean-100")),
    ),
    ("recipes show", "NAME"): recipes,
    ("recipes copy", "NAME"): recipes,
    ("completion", "SHELL"): _SHELLS,
}

_LISTS = {"--words", "--labels", "--classes", "--normal", "--gesture", "--trace", "--engines"}


def _source_of(command: str, parameter: Any, given: int) -> Source | None:
    if parameter is None:
        return None
    metavar = parameter.metavar or ""
    names = [*parameter.opts, metavar.strip("[]"), (parameter.name or "").upper()]
    for place in (command, command.partition(" ")[0], ""):
        for name in names:
            if (place, name) in SOURCES:
                return SOURCES[place, name]
    # `[RUN] FILE`: a run first, then files.
    if " " in metavar and given:
        return None
    return runs if re.search(r"\bRUN\b", metavar) else _own(parameter)


def _own(parameter: Any) -> Source | None:
    """The values that the option itself completes by; None where it has none, or takes files."""
    found = [(item.value, "") for item in parameter.shell_complete(None, "") if item.type == "plain"]
    return (lambda line: found) if found else None
