"""Temporary files of killed processes are found by name, owner, age and process, and nothing else is."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tinyml_cli import temporary
from tinyml_cli.run import Run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")

_KILLED = """
import os, signal, tempfile
from pathlib import Path
from tinyml_cli import temporary
from tinyml_cli.data.clip_files import write_new
from tinyml_cli.files import atomic_folder, atomic_path
early = temporary.folder("device")
Path(early.name, "socket").write_text("half")
temporary.keep_to_own_folder()
with (
    atomic_path(Path("run/report/confusion.png")) as a,
    atomic_folder(Path("run/replay")) as b,
    temporary.folder("convert") as c,
    tempfile.NamedTemporaryFile(prefix="__autograph_generated_file", suffix=".py"),
):
    a.write_text("half")
    (b / "clip.wav").write_text("half")
    (Path(c) / "model").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def _age(root: Path, hours: float) -> None:
    then = time.time() - hours * 3600
    for path in [*root.rglob("*"), root]:
        os.utime(path, (then, then), follow_symlinks=False)


@pytest.fixture
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty $TMPDIR, in which nothing was looked for yet."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(temporary, "_swept", set())
    return folder


def _files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def _kill(tmp_path: Path, temp: Path) -> list[str]:
    """The files that a killed process leaves."""
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED], cwd=tmp_path, env={**os.environ, "TMPDIR": str(temp)}, check=False
    )
    assert killed.returncode == -9
    left = _files(tmp_path)
    assert any("__autograph" in name for name in left)
    return left


def test_what_a_killed_process_left_goes_with_the_next_lock(tmp_path: Path, temp: Path) -> None:
    _kill(tmp_path, temp)
    temporary.sweep(tmp_path / "run", deep=True)
    assert _files(tmp_path) == ["run", "run/report", "tmp"]


def test_a_command_that_locks_nothing_tidies_too(tmp_path: Path, temp: Path) -> None:
    _kill(tmp_path, temp)
    with temporary.folder("device") as own:  # as `monitor` makes one
        assert list(temp.iterdir()) == [Path(own)]


def test_a_run_that_was_being_removed_goes_with_the_next_command(tmp_path: Path, temp: Path) -> None:
    program = (
        "import filelock, os, shutil, signal\nfrom pathlib import Path\nfrom tinyml_cli.run import Run\n"
        "remove = shutil.rmtree  # also of what other killed processes left elsewhere\n"
        "def killed(path, **kw):\n"
        "    os.kill(os.getpid(), signal.SIGKILL) if 'runs' in Path(path).parts else remove(path, **kw)\n"
        "shutil.rmtree = killed\nRun(Path('runs/a')).remove()"
    )
    (tmp_path / "runs" / "a").mkdir(parents=True)
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=False)
    assert len(_files(tmp_path / "runs")) == 1
    with Run(tmp_path / "runs" / "b").writing():
        pass
    assert _files(tmp_path / "runs") == []


_EXCHANGING = """
import os, signal, sys
from pathlib import Path
from tinyml_cli import temporary
from tinyml_cli.files import atomic_folder
renamed, rename = [], Path.rename
def stopping(path, target):
    renamed.append(path)
    if len(renamed) == 2:
        os.kill(os.getpid(), signal.SIGKILL) if sys.argv[1] == "killed" else exec("raise KeyboardInterrupt")
    return rename(path, target)
Path.rename = stopping
with atomic_folder(Path("run/variants/p")) as made:
    (made / "model").write_text("new")
"""


@pytest.mark.parametrize("how", ["killed", "interrupted"])
def test_a_folder_that_was_being_exchanged_is_not_lost(tmp_path: Path, temp: Path, how: str) -> None:
    variant = tmp_path / "run" / "variants" / "p"
    variant.mkdir(parents=True)
    (variant / "model").write_text("old")
    subprocess.run([sys.executable, "-c", _EXCHANGING, how], cwd=tmp_path, capture_output=True, check=False)
    assert variant.is_dir() == (how == "interrupted")
    temporary.sweep(tmp_path / "run", deep=True)
    assert (variant / "model").read_text() == "new"
    assert _files(tmp_path / "run") == ["variants", "variants/p", "variants/p/model"]


def test_what_was_left_where_nothing_can_be_locked_goes_after_an_hour(
    tmp_path: Path, temp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows, or on a file system without locks."""
    monkeypatch.setattr(temporary, "_is_let_go", lambda folder: None)
    _kill(tmp_path, temp)
    left = [name for name in _files(tmp_path) if name.startswith("tmp")]
    for hours, expected in ((0.9, left), (1.1, ["tmp"])):
        _age(tmp_path, hours)
        monkeypatch.setattr(temporary, "_swept", set())
        temporary.sweep(tmp_path / "run", deep=True)
        assert _files(tmp_path) == ["run", "run/report", *expected]


def test_what_a_process_of_another_container_uses_stays(tmp_path: Path, temp: Path) -> None:
    """Its number means nothing here, its lock does."""
    (tmp_path / "run").mkdir()
    temporary.keep_to_own_folder()
    own = Path(tempfile.gettempdir())
    other = own.rename(own.with_name(own.name.replace(str(os.getpid()), "4194304999")))
    tempfile.tempdir = str(temp)
    _age(temp, 30)
    temporary.sweep(tmp_path / "run")
    assert other.is_dir()


@pytest.mark.parametrize(
    "name",
    [
        "tinyml-cli",
        "tinyml-projects",
        "tinyml-my-notes",
        "tinyml-convert-1-notes",
        "tinyml-convert-12-abcdefgh9",
        ".tinyml",
        "__autograph_generated_file1.py",
        "notes.tmp",
        ".hidden.png",
    ],
)
def test_what_only_looks_like_ours_stays(tmp_path: Path, temp: Path, name: str) -> None:
    for folder in (temp, tmp_path / "run"):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("mine")
    _age(tmp_path, 100)
    temporary.sweep(tmp_path / "run", deep=True)
    assert (temp / name).read_text() == (tmp_path / "run" / name).read_text() == "mine"


def test_what_a_living_process_uses_stays(tmp_path: Path, temp: Path) -> None:
    with temporary.folder("device") as name:
        _age(temp, 30)
        temporary.sweep(tmp_path)
        assert Path(name).is_dir()
    assert list(temp.iterdir()) == []


def test_a_link_is_removed_and_not_what_it_leads_to(tmp_path: Path, temp: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").write_text("mine")
    (tmp_path / "run").mkdir()
    link = tmp_path / "run" / ".tinyml-folder-4194304999-abcdefgh"
    link.symlink_to(tmp_path / "mine")
    _age(tmp_path, 2)
    temporary.sweep(tmp_path / "run")
    assert _files(tmp_path) == ["mine", "mine/file", "run", "tmp"]


@pytest.mark.parametrize("suffix", [".keras", "", ".x" * 100, ".a b\n"])
def test_a_long_or_odd_suffix_is_no_trouble(tmp_path: Path, suffix: str) -> None:
    from tinyml_cli.files import write_atomic

    path = tmp_path / f"name{suffix}"
    write_atomic(path, "whole")
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
