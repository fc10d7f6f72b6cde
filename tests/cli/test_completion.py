"""Completion: what is offered, by the protocol and in the shells themselves."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from tests.conftest import Tinyml
from tinyml_cli import completion, main, shell_scripts
from tinyml_cli.completion import SOURCES, complete

NASTY = "odd $(touch PWNED) `id` 'x" + ("" if sys.platform == "win32" else '"')  # Windows refuses the last


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, labels in (("kws-yes-no", ["yes", "no", "unknown"]), ("wand", ["0", "wing"]), (NASTY, ["a"])):
        run = tmp_path / "runs" / name
        run.mkdir(parents=True)
        (run / "manifest.json").write_text(json.dumps({"labels": labels}))
    (tmp_path / "recordings" / "marvin").mkdir(parents=True)
    (tmp_path / "recordings" / "_background_noise_").mkdir()
    return tmp_path


def offered(line: str) -> list[str]:
    *before, typed = line.split(" ")[1:]
    return [value for value, _ in complete(main.app, before, typed)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("tinyml qu", ["quantize"]),
        ("tinyml data ch", ["check"]),
        ("tinyml train ", ["hello", "kws", "anomaly", "vww", "mask", "images", "wand"]),
        ("tinyml quantize --meth", ["--method"]),
        ("tinyml quantize --method int", ["int16x8"]),
        ("tinyml quantize --method=int", ["--method=int16x8"]),
        ("tinyml quantize kws-", ["kws-yes-no"]),
        ("tinyml quantize runs/w", ["runs/wand"]),
        ("tinyml quantize wand ", []),
        ("tinyml compare wand kws", ["kws-yes-no"]),
        ("tinyml explain kws", ["kws-yes-no"]),
        ("tinyml explain wand kws", []),
        ("tinyml build --board nat", ["native"]),
        ("tinyml evaluate --on ho", ["host"]),
        ("tinyml evaluate --engine ", ["aot", "tflm"]),
        ("tinyml export-c-array --engine b", ["both"]),
        ("tinyml export-library --for p", ["platformio"]),
        ("tinyml tune kws --engine ", ["local", "ray"]),
        ("tinyml train kws --model bc", ["bc_resnet"]),
        ("tinyml train vww --model ", ["mobilenet_v1", "mobilenet_v2", "vww_micro"]),
        ("tinyml train kws --config kws_sm", ["kws_small"]),
        ("tinyml recipes show wa", ["wand"]),
        ("tinyml train kws --words y", ["yes"]),
        ("tinyml train kws --words yes,", ["yes,no", "yes,0", "yes,wing", "yes,a"]),
        ("tinyml train kws --data recordings --words ", ["marvin"]),
        ("tinyml train kws --words=yes,n", ["--words=yes,no"]),
        ("tinyml completion ", ["bash", "zsh", "fish", "powershell"]),
        ("tinyml nonsense ", []),
        ("tinyml quantize --nonsense x", []),
        ("tinyml quantize -- --m", []),
    ],
)
def test_offers(folder: Path, line: str, expected: list[str]) -> None:
    assert sorted(offered(line)) == sorted(expected)


def test_an_option_is_offered_once_unless_it_repeats(folder: Path) -> None:
    assert "--seed" not in offered("tinyml train kws --seed 3 --")
    assert "--set" in offered("tinyml train kws --set a=1 --")


def parameters() -> Iterator[tuple[str, typer.core.TyperOption | typer.core.TyperArgument]]:
    for path in main.command_paths():
        command = typer.main.get_command(main.app)
        for word in path.split():
            command = command.get_command(None, word)  # type: ignore[attr-defined]
        yield from ((path, parameter) for parameter in command.params)  # type: ignore[misc]


def test_every_run_and_board_is_completed() -> None:
    for path, parameter in parameters():
        metavar = parameter.metavar or ""
        if "--board" in parameter.opts or re.search(r"\bRUN\b", metavar):
            assert completion._source_of(path, parameter, 0), f"{path} {parameter.name}"


def test_no_source_is_left_over() -> None:
    names = {
        (path, name) for path, parameter in parameters() for name in [*parameter.opts, parameter.metavar]
    }
    names |= {(path, parameter.name.upper()) for path, parameter in parameters()}
    for place, name in SOURCES:
        fitting = [
            p
            for p, n in names
            if (n or "").strip("[]") == name and (p + " ").startswith(place + " " * bool(place))
        ]
        assert fitting, (place, name)


def test_fixed_values_are_those_of_the_product() -> None:
    from typing import get_args

    from tinyml_cli.download.public_datasets import DATASETS
    from tinyml_cli.learn.filters import KERNELS
    from tinyml_cli.learn.network import RATES
    from tinyml_cli.link.protocol import TraceMode
    from tinyml_cli.quantization.scheme import COMPARISONS, METHODS, RANGES
    from tinyml_cli.recipes.kws import SpeechEngine

    def values(place: str, name: str) -> set[str]:
        return {value for value, _ in SOURCES[place, name](completion.Line())}

    assert values("learn filter", "--kernel") == {*KERNELS}
    assert values("learn digits", "--optimizer") == {*RATES}
    assert values("quantize", "--method") == {*METHODS, *COMPARISONS}
    assert values("quantize", "--ranges") == {*RANGES}
    assert values("monitor", "--trace") == {*get_args(TraceMode)} - {"off"}
    assert values("data synth", "--engines") == {*get_args(SpeechEngine)}
    assert values("data download", "NAME") == {dataset.name for dataset in DATASETS}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
@pytest.mark.parametrize("typed", ["kws-", "'kws-", '"kws-', "kws\\-"])
def test_the_protocol(tinyml: Tinyml, folder: Path, shell: str, typed: str) -> None:
    if shell in ("fish", "powershell") and typed != "kws-":
        pytest.skip("these shells take quotes and escapes away")
    words = {"COMP_WORDS": f"tinyml\nbuild\n{typed}", "COMP_CWORD": "2", completion.VARIABLE: shell}
    answer = tinyml(cwd=folder, env=words)
    assert answer.out.split("\t")[0].strip() == "kws-yes-no"
    assert ("\t" in answer.out) == (shell != "bash")


MEASURE = """
import os, resource, subprocess, sys
best = float("inf")
for _ in range(10):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "tinyml_cli"], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
print(best, after.ru_maxrss)
"""


@pytest.mark.serial
@pytest.mark.skipif(sys.platform == "win32", reason="the module resource is POSIX")
@pytest.mark.parametrize(
    "words", ["", "train\nkws\n--", "train\nkws\n--model\n", "build\n--board\n", "card\n"]
)
def test_it_is_fast_and_small(folder: Path, words: str) -> None:
    """150 ms of processor time and 40 MB, the best of ten."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "pyc"), completion.VARIABLE: "zsh"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment |= {"COMP_WORDS": f"tinyml\n{words}", "COMP_CWORD": str(words.count("\n") + 1)}
    command = [sys.executable, "-c", MEASURE]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    seconds, peak = answer.stdout.split()
    assert float(seconds) <= 0.150
    assert int(peak) // (1024 if sys.platform == "darwin" else 1) <= 40_000


@pytest.fixture
def home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder with `tinyml` on PATH and completion installed."""
    program = folder / "bin" / "tinyml"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m tinyml_cli "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(Path(main.__file__).parent.parent))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"):
        monkeypatch.delenv(name, raising=False)
    return folder


def terminal_shows(shell: list[str], exchanges: list[tuple[str, str]]) -> None:
    """Types into a shell in a terminal, and waits for what has to be shown after each time."""
    if sys.platform == "win32":
        pytest.skip("pseudo-terminals are POSIX")
    import pty
    import select

    child, terminal = pty.fork()
    if child == 0:
        os.environ["TERM"] = "vt100"
        os.execvp(shell[0], shell)
    try:
        shown = b""
        while not shown or select.select([terminal], [], [], 0.5)[0]:  # until the prompt is there
            shown += os.read(terminal, 4096)
        for keys, until in exchanges:
            os.write(terminal, b"\x15" + keys.encode())
            shown, ends = b"", time.monotonic() + 60
            while until.encode() not in shown:
                assert time.monotonic() < ends, f"{keys!r} shows {shown!r}, not {until!r}"
                if select.select([terminal], [], [], 0.5)[0]:
                    shown += os.read(terminal, 4096)
    finally:
        os.close(terminal)
        os.waitpid(child, 0)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_in_a_terminal(home: Path, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    shell_scripts.install(shell)
    shell_scripts.install(shell)
    start = home / (".bashrc" if shell == "bash" else ".zshrc")
    assert len(start.read_text().splitlines()) == 1
    exchanges = [
        ("tinyml quan\t", "tize"),
        ("tinyml build --board=nat\t", "ive"),
        ("tinyml train kws --config kws_sm\t", "all"),
        ("tinyml build odd\t", "PWNED"),
    ]
    terminal_shows([shell, "-i"], exchanges)
    assert not (home / "PWNED").exists()


def test_in_fish(home: Path) -> None:
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    shell_scripts.install("fish")

    def asked(line: str) -> str:
        command = ["fish", "-c", f"complete -C '{line}'"]
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=home).stdout

    assert asked("tinyml quan").startswith("quantize\tChoose how")
    assert asked("tinyml build --board nat") == "native\ta board\n"
    assert "recordings/" in asked("tinyml data check rec")


def test_scripts_and_errors(tinyml: Tinyml, folder: Path) -> None:
    for shell in ("bash", "zsh", "fish", "powershell"):
        assert "tinyml" in tinyml("completion", shell, cwd=folder).out
    assert "Shells: bash" in tinyml("completion", "tcsh", cwd=folder, code=2).err
