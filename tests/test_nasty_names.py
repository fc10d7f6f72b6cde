"""Any path that the system allows: a command works with it or refuses it, and runs nothing that it holds."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.conftest import Tinyml
from tests.doubles import fake_run
from tests.engines import zoo
from tests.engines.test_export import make_run
from tinyml_cli.build import platformio
from tinyml_cli.build.build import build
from tinyml_cli.build.target import build_target
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.link import Link
from tinyml_cli.link.virtual import VirtualDevice
from tinyml_cli.run import Run, default_name

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows allows few of these names")

NAMES = [
    "c $x`touch PWN`", "x$(touch PWN)y", "${HOME}", "$$", "`", "$(cat", 'a"; touch PWN; "', "a'b",
    "new\nline", "tab\tx", "carriage\rreturn", "-dash", "--help", "--", "trailing ", "trailing.", " leading",
    "...", "ünï コード", "é\u0301\u202e", "%s%n%(x)s", "{braces}", ",a,,b", "@file", "#hash", "a;b", "a&b",
    "a|b", "*?[x]", "~", "~root", "back\\slash", "\x1b[31mred", "=value", "<img src=x>", "[section]", "!bang",
     "\x7f", "CON", "x" * 2000, os.fsdecode(b"not utf-8 \xff"),
]  # fmt: skip
NASTIEST = ["c $x`touch PWN`", 'a"; touch PWN; "\n$(touch PWN)']
PLAIN = re.compile(r"[\w./+@ -]+", re.ASCII)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: nothing may appear in it but what is named."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def check_nothing_else(folder: Path, name: str) -> None:
    assert {path.name for path in folder.iterdir()} <= {name, "latest"}
    assert not [path for path in folder.parent.rglob("PWN*") if path.name == "PWN"]


def make(path: Path, model: bytes) -> bool:
    """Makes a run; False where the system does not take the name."""
    try:
        make_run(path, model)
    except (TinymlError, OSError):
        return False
    return True


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_a_run_of_any_name_is_exported_and_built_from_plain_paths(
    name: str, here: Path, tinyml: Tinyml, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def stop(project: Path, *arguments: Any) -> None:
        seen.extend(project.rglob("*"))
        seen.append((project / "platformio.ini").read_text(encoding="utf-8"))
        raise TinymlError("stopped before the compilers")

    monkeypatch.setattr(platformio, "run", stop)
    is_made = make(here / name, zoo.model("one_channel_depthwise"))
    answer = tinyml("export-c-array", "--engine", "aot", "--", name, cwd=here, code=None)
    is_text = not any("\ud800" <= character <= "\udfff" for character in name)
    works = is_made and is_text
    assert answer.code == (0 if works else 2), answer
    answer = tinyml("build", "--board", "native", "--", name, cwd=here, code=2)
    if works:
        assert "stopped before the compilers" in answer.err
        *paths, config = seen
        assert paths and all(PLAIN.fullmatch(str(path)) for path in paths)
        assert str(here) not in config
    check_nothing_else(here, name)


@pytest.mark.parametrize("name", NAMES[::3], ids=ascii)
def test_a_data_folder_of_any_name_is_checked_or_refused(name: str, here: Path, tinyml: Tinyml) -> None:
    (here / "data").mkdir()
    try:
        (here / "data" / name / name).mkdir(parents=True)
        soundfile.write(here / "data" / name / name / "a_nohash_0.wav", np.ones(16000, np.int16), 16000)
    except (OSError, soundfile.LibsndfileError):
        pass
    answer = tinyml("data", "check", "--", here / "data" / name, cwd=here, code=None)
    assert answer.code in (0, 1, 2)
    assert not [path for path in here.rglob("PWN*") if path.name == "PWN"]


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_the_default_name_of_a_run_is_plain_whatever_the_words(name: str) -> None:
    folder = default_name("kws", [name, "no"])
    assert re.fullmatch(r"[\w-]{1,60}", folder)


@pytest.mark.parametrize("name", NASTIEST, ids=ascii)
def test_firmware_is_compiled_and_runs_below_a_nasty_name(
    name: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not shutil.which("gcc"):
        pytest.skip("no gcc here")
    temporary = here.parent / f"tmp {name}"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    run = fake_run.make(here / name)
    outcome = build(run, build_target("native"))
    assert Path(outcome.elf).parent == run.path / "firmware" / "native"
    with VirtualDevice("native", Path(outcome.elf)) as device, Link(device.url) as link:
        assert link.wait_ready().board == "native"
    check_nothing_else(here, name)
    assert not list(temporary.iterdir())


def test_the_emulator_takes_commas_and_a_leading_dash(banner_elf: Path, here: Path) -> None:
    folder = Path("-a,b,,readonly=on,")
    folder.mkdir()
    shutil.copy(banner_elf, folder / "firmware.elf")
    with VirtualDevice("sim", folder / "firmware.elf") as device, Link(device.url) as link:
        assert link.wait_ready().app == "echo"


@pytest.mark.parametrize("name", [name for name in NAMES if not PLAIN.fullmatch(name)][:12], ids=ascii)
def test_a_cache_that_scons_would_misread_is_refused(
    name: str, here: Path, tinyml: Tinyml, monkeypatch: pytest.MonkeyPatch
) -> None:
    if re.fullmatch(r"[\w ]+", name):
        pytest.skip("a name like any other")
    monkeypatch.setattr(platformio, "run", lambda *_: pytest.fail("started"))
    fake_run.make(here / "run")
    caches = here.parent / "caches" / name
    answer = tinyml("build", "--board", "native", "run", cwd=here, code=2, env={"TINYML_CACHE": str(caches)})
    assert "TINYML_CACHE" in answer.err and len(answer.err.strip().splitlines()) <= 2
    check_nothing_else(here, "run")


def test_a_source_tree_that_scons_would_misread_is_refused(here: Path, tinyml: Tinyml) -> None:
    make(here / "run", zoo.model("one_channel_depthwise"))
    tree = here.parent / "tree $(touch PWN)"
    (tree / "tensorflow" / "lite" / "micro").mkdir(parents=True)
    pytest.importorskip("tflite_micro", reason="measures the arena")
    answer = tinyml("build", "--board", "sim", "--engine", "tflm", "--tflm", tree, "run", cwd=here, code=2)
    assert "--tflm" in answer.err
    check_nothing_else(here, "run")


def test_training_again_in_the_latest_run_keeps_the_link(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYML_RUNS", str(here))
    first = Run.create(here / "first")
    first.make_latest()
    Run.at(here / "latest").make_latest()
    assert (here / "latest").resolve() == first.path.resolve()
