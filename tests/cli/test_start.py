"""How the command line starts: fast, light, and clear about mistakes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Tinyml
from tinyml_cli import main

HEAVY = ("tensorflow", "keras", "numpy", "rich", "pydantic", "platformio", "matplotlib")
COMMANDS = tuple(main.command_paths())


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    program = (
        "import sys; sys.argv = ['tinyml', '--help']\n"
        "from tinyml_cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"heavy = [m for m in {HEAVY!r} if m in sys.modules]\n"
        "print('HEAVY', heavy)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert "HEAVY []" in answer.stdout


MEASURE = """
import resource, subprocess, sys
best = float("inf")
for _ in range(10):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "tinyml_cli", "--help"], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
print(best, after.ru_maxrss)
"""


@pytest.mark.serial
@pytest.mark.skipif(sys.platform == "win32", reason="the module resource is POSIX")
def test_help_is_fast_and_small(tmp_path: Path) -> None:
    """150 ms and 40 MB. Processor time, the best of ten: the machine may be busy with something else."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path / "pyc")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", MEASURE]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    seconds, peak = answer.stdout.split()
    assert float(seconds) <= 0.150
    assert int(peak) // (1024 if sys.platform == "darwin" else 1) <= 40_000


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples(tinyml: Tinyml, tmp_path: Path, name: str) -> None:
    text = tinyml(*name.split(), "--help", cwd=tmp_path).out
    assert "Examples:" in text
    assert f"tinyml {name}" in text
    assert "--json" in text
    # Typer's own words for a range and for what repeats.
    assert not re.search(r" range>|<=x|x[<>]=|list\[|^Usage: .*([{}]|\[\[)", text, re.MULTILINE)
    told = re.findall(r"^  -.*?  +(\S.*(?:\n {8,}.*)*)", text, re.MULTILINE)
    assert told and len(told) == len(set(told)), "two options are said to be the same"


def test_unknown_command_and_option(tinyml: Tinyml, tmp_path: Path) -> None:
    answer = tinyml("trian", cwd=tmp_path, code=2)
    assert "trian" in answer.err
    document = tinyml("train", "kws", "--wrods", "yes", "--json", cwd=tmp_path, code=2).json
    assert set(document["error"]) == {"what", "where", "next_step"}
    assert "--wrods" in document["error"]["what"]


def test_version(tinyml: Tinyml, tmp_path: Path) -> None:
    assert re.fullmatch(r"tinyml \d+\.\d+\.\d+\n", tinyml("--version", cwd=tmp_path).out)


def test_doctor_lists_tools(tinyml: Tinyml, tmp_path: Path) -> None:
    answer = tinyml("doctor", "--json", cwd=tmp_path, code=None)
    checks = {check["name"]: check for check in answer.json["checks"]}
    assert checks["PlatformIO"]["found"]
    missing = [check for check in checks.values() if not check["found"]]
    assert all(check["remedy"] for check in missing)
    assert answer.code == (1 if any(check["required"] for check in missing) else 0)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full and a shell that closes streams")
@pytest.mark.parametrize(
    ("arguments", "code", "out", "err"),
    [
        ("runs --json > /dev/full", 2, "", "error: No space left"),
        ("nonsense --json 2>&-", 2, '{"error"', ""),
        ("runs rm a <&-", 2, "", "error:"),
        ("runs >&- 2>&- <&-", 0, "", ""),
    ],
)
def test_streams_that_are_closed_or_full(
    tmp_path: Path, arguments: str, code: int, out: str, err: str
) -> None:
    run = tmp_path / "runs" / "a"
    run.mkdir(parents=True)
    (run / "manifest.json").write_text('{"schema_version": 1, "task": "kws", "seed": 1}')
    line = f"{sys.executable} -m tinyml_cli {arguments}"
    answer = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert answer.returncode == code, answer.stderr
    assert answer.stdout.startswith(out) and answer.stdout.count("\n") == bool(out)
    assert err in answer.stderr and "Traceback" not in answer.stderr
    assert run.is_dir()


def test_a_hidden_package_is_one_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    from tinyml_cli.installed import spec_of

    class Hiding:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "hidden_by_hook":
                raise ModuleNotFoundError(name)

    monkeypatch.setattr(sys, "meta_path", [Hiding(), *sys.meta_path])
    monkeypatch.setitem(sys.modules, "hidden_by_none", None)  # type: ignore[arg-type]
    assert spec_of("hidden_by_hook") is None and spec_of("hidden_by_none") is None
    assert spec_of("json") is not None
