"""No child process outlives the one that started it, however that one ends."""

from __future__ import annotations

import ast
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.processes import running
from tests.sources import PACKAGE, sources
from tinyml_cli import processes
from tinyml_cli.processes import family, guard

if sys.platform == "win32":
    pytest.skip("POSIX signals and shells", allow_module_level=True)

# A child, its child, and on Linux one that has left the group: each sleeps for `n` seconds.
FAMILY = (
    'sleep {n} & (exec python3 -c \'import os; os.setsid(); os.execvp("sleep", ["sleep", "{n}"])\') & wait'
)
PARENT = """
import sys, time
from tinyml_cli import processes
with processes.Process(["sh", "-c", sys.argv[1]]) as child:
    print("started", flush=True)
    time.sleep(60)
"""


def sleepers(seconds: str) -> list[int]:
    return [process.pid for process in running() if process.command.strip() == f"sleep {seconds}"]


def wait_until(count: int, seconds: str, within_s: float = 3.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if len(sleepers(seconds)) == count:
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def seconds() -> str:
    """How long the children of this test sleep: a number that tells them from others."""
    return f"{10**6 + secrets.randbelow(10**9)}"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process that leaves its group is lost")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("when", ["at once", "when all run"])
def test_a_family_ends_with_us(seconds: str, how: signal.Signals, when: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, FAMILY.format(n=seconds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert parent.stdout
    parent.stdout.readline()
    if when == "when all run":
        assert wait_until(2, seconds, 20.0)
    parent.send_signal(how)
    parent.wait()
    assert wait_until(0, seconds)
    time.sleep(0.2)
    assert not sleepers(seconds)  # nor one that started late


def test_a_process_that_hides_while_it_becomes_another_is_killed_all_the_same(
    seconds: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = subprocess.Popen(["sleep", seconds])
    looks = iter([[], [], [hidden.pid]])
    monkeypatch.setattr(guard, "marked", lambda mark: next(looks, []))
    guard.kill_all(set(), b"mark")
    assert hidden.wait(3) == -signal.SIGKILL


def test_the_pipe_of_a_killed_command_ends_with_it(seconds: str) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, f"sleep {seconds}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert parent.stdout
    parent.stdout.readline()
    parent.kill()
    parent.communicate(timeout=3)


def test_the_block_ends_what_the_child_left_behind(seconds: str) -> None:
    with processes.Process(["sh", "-c", f"sleep {seconds} &"]) as child:
        assert child.wait() == 0
    assert wait_until(0, seconds)


def test_an_exception_ends_the_family(seconds: str) -> None:
    with pytest.raises(KeyError), processes.Process(["sh", "-c", f"trap '' TERM; sleep {seconds} & wait"]):
        assert wait_until(1, seconds)
        raise KeyError
    assert wait_until(0, seconds)


def test_a_program_that_takes_too_long_ends_with_its_children(seconds: str) -> None:
    started = time.monotonic()
    with pytest.raises(processes.TimeoutExpired):
        processes.run(["sh", "-c", f"sleep {seconds} & wait"], timeout_s=0.3)
    assert time.monotonic() - started < 5
    assert wait_until(0, seconds)


def test_another_guard_takes_over_from_a_killed_one(seconds: str) -> None:
    guard = family._guard()
    others = set(guard._groups)  # of fixtures that outlive a test
    child = processes.Process(["sleep", seconds])
    guard._process.kill()
    guard._process.wait()
    processes.run(["true"])
    assert guard._process.poll() is None
    assert guard._groups == {*others, child.pid}
    child.stop()
    assert guard._groups == others


def test_output_is_text_whatever_it_holds(tmp_path: Path) -> None:
    outcome = processes.run(["sh", "-c", r"printf 'a\377b\n'; pwd >&2; exit 3"], cwd=tmp_path)
    assert (outcome.returncode, outcome.stdout) == (3, "a\ufffdb\n")
    assert Path(outcome.stderr.strip()).samefile(tmp_path)


def test_a_program_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        processes.run(["no-such-program"])


# attach.py is a script without the package; what it starts belongs to its own family.
OWN_STARTERS = ("processes/", "link/attach.py")
STARTERS = {
    "os": {"system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp", "startfile"},
    "pty": {"spawn", "fork"},
    "subprocess": {"Popen", "run", "call", "check_call", "check_output", "getoutput", "getstatusoutput"},
    "asyncio": {"create_subprocess_exec", "create_subprocess_shell"},
}
MODULES = {"multiprocessing", "concurrent.futures.process", "_posixsubprocess", "pexpect"}


def is_starter(module: str) -> bool:
    return module in MODULES or module.split(".")[0] in MODULES


def starts_processes(source: str) -> list[str]:
    """Whatever in a module could start a process without `tinyml_cli.processes`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [a.name for a in node.names if is_starter(a.name) or (a.name in STARTERS and a.asname)]
        elif isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names}
            module = node.module or ""
            if is_starter(module) or "ProcessPoolExecutor" in names:
                found.append(module)
            found += sorted(names & STARTERS.get(module, set()))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            wanted = STARTERS.get(node.value.id, set())
            if node.attr in wanted or (node.value.id == "os" and node.attr.startswith(("exec", "spawn"))):
                found.append(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.Attribute) and node.attr == "ProcessPoolExecutor":
            found.append(node.attr)
    return found


def test_nothing_else_in_the_package_starts_a_process() -> None:
    modules = {module.split(".")[0] for module in [*STARTERS, *MODULES]} - {"os"}
    words = [*modules, *STARTERS["os"], r"exec\w*", r"spawn\w*", "ProcessPoolExecutor", "import os as"]
    for path, text in sources(rf"\b({'|'.join(words)})\b"):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(OWN_STARTERS):
            assert not starts_processes(text), name


@pytest.mark.parametrize(
    "source",
    [
        "import subprocess\nsubprocess.Popen(['ls'])",
        "import subprocess as s",
        "from subprocess import run",
        "import os\nos.system('ls')",
        "import os\nos.execvp('ls', [])",
        "from multiprocessing import Pool",
        "from concurrent.futures import ProcessPoolExecutor",
        "import concurrent.futures\nconcurrent.futures.ProcessPoolExecutor()",
        "from os import popen",
    ],
)
def test_ways_to_start_a_process_are_seen(source: str) -> None:
    assert starts_processes(source)
