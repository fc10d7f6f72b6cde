"""Train, Try and Deploy in Chromium, over real trainings and builds; the microphone hears two whistles."""

from __future__ import annotations

import io
import json
import os
import shlex
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import soundfile

from tests.build.test_browser import chromium  # noqa: F401  (a fixture)
from tests.corpus import RATE_HZ
from tests.firmware.board_tools import require_tools
from tests.studio.keyboard import Keyboard
from tinyml_cli import processes
from tinyml_cli.build.build import build
from tinyml_cli.build.target import build_target
from tinyml_cli.engines.export import export
from tinyml_cli.run import Run

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "folder"


@pytest.fixture
def entrance(folder: Path) -> Iterator[tuple[str, str]]:
    """(address, token) of a studio over the folder."""
    (folder / "runs").mkdir(parents=True)
    command = [sys.executable, "-m", "tinyml_cli", "studio", str(folder), "--no-open", "--json"]
    with processes.Process(command, stdout=processes.PIPE, stderr=processes.DEVNULL) as process:
        url = json.loads(next(process.lines()))["url"]
        address, _, token = url.partition("/#")
        yield address, token
        process.stop()


def visit(page: Any, entrance: tuple[str, str], path: str) -> list[str]:
    """Opens a page of the studio; the list collects what goes wrong in it."""
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(f"{entrance[0]}{path}#{entrance[1]}")
    page.wait_for_selector("body[data-ready]")
    return wrong


def until(page: Any, is_true: Callable[[], bool]) -> None:
    """Waits; Playwright's own wait evaluates text, which the page's policy forbids."""
    for _ in range(600):
        if is_true():
            return
        page.wait_for_timeout(100)
    raise AssertionError(page.inner_text("main"))


def test_a_training_starts_stops_and_goes_on(
    chromium: Any,  # noqa: F811
    entrance: tuple[str, str],
    folder: Path,
) -> None:
    page, _ = chromium
    keys = Keyboard(page)
    wrong = visit(page, entrance, "/train?recipe=hello")
    keys.fill("Epochs", "150")
    keys.fill("Name of the run", "sine")
    command = "tinyml train hello --set training.epochs=150 --run runs/sine"
    until(page, lambda: page.inner_text("#command") == command)
    keys.press("Train")
    page.wait_for_selector(".u-over", state="attached", timeout=60_000)
    until(page, lambda: page.locator(".tile").count() > 1)
    keys.press("Stop")
    page.wait_for_selector(".state.stopped", timeout=20_000)
    state = folder / "runs/sine/logs/checkpoint/state.json"
    done = json.loads(state.read_text())["epochs_done"]
    assert 0 < done < 150
    assert f"Stopped after epoch {done} of 150" in page.inner_text("main")
    page.reload()  # nothing of it is in the page alone
    page.get_by_role("button", name="Resume").wait_for()
    keys.press("Resume")
    until(page, lambda: json.loads(state.read_text())["epochs_done"] > done)
    keys.press("Stop")
    page.wait_for_selector(".state.stopped, .state.done", timeout=20_000)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert wrong == []


@pytest.fixture
def usb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Simulated USB ports, which every `tinyml flash` sees that is started from now on."""
    if sys.platform == "win32":
        pytest.skip("the simulated USB board needs pseudo terminals")
    from tests.doubles.desk import BOSSAC, HERE, QUICK, Desk

    (tmp_path / "usb").mkdir()
    desk = Desk(tmp_path / "usb")
    setup = desk.folder / "setup.json"
    setup.write_text(
        json.dumps({"ports": str(desk.bus.file), "program": str(desk.program), "timing": asdict(QUICK)})
    )
    bossac = desk.folder / "bossac"
    bossac.write_text(f'#!/bin/sh\nexec {shlex.join(BOSSAC.program)} "$@"\n')
    bossac.chmod(0o755)
    (desk.folder / "sitecustomize.py").write_text(
        "import pathlib, sys\n"
        "if 'flash' in sys.orig_argv:\n"
        "    from tests.doubles.fake_usb_cli import install\n"
        f"    install(pathlib.Path({str(setup)!r}))\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(desk.folder), str(HERE.parent.parent))))
    monkeypatch.setenv("TINYML_BOSSAC", str(bossac))
    return desk


def test_a_board_that_is_plugged_in_is_flashed(
    chromium: Any,  # noqa: F811
    usb: Any,
    entrance: tuple[str, str],
    folder: Path,
    whistle_run: Path,
) -> None:
    run = Run(Path(shutil.copytree(whistle_run, folder / "runs/whistles")))
    usb.program.write_bytes(Path(build(run, build_target("native")).elf).read_bytes())
    page, _ = chromium
    wrong = visit(page, entrance, "/deploy?run=whistles")
    keys = Keyboard(page)
    flash = page.get_by_role("button", name="Flash")
    keys.press("Flash")
    page.locator(".state.failed", has_text="No board").wait_for()
    with usb.board() as board:
        keys.press("Flash")
        page.locator("section", has=flash).locator(".state.done").wait_for()
        assert (board.touches, board.uploads) == (1, 1)
    job = page.evaluate("fetch('/api/jobs').then((answer) => answer.json())")["jobs"][0]
    assert job["progress"] == {"what": "uploading", "done": 100, "total": 100, "note": ""}
    assert job["command"] == "tinyml flash runs/whistles --board nano33ble"
    assert wrong == []


def test_a_run_is_tried_and_taken_away(
    chromium: Any,  # noqa: F811
    entrance: tuple[str, str],
    folder: Path,
    whistle_run: Path,
    tmp_path: Path,
) -> None:
    require_tools("browser")
    shutil.copytree(whistle_run, folder / "runs/whistles")
    page, _ = chromium
    wrong = visit(page, entrance, "/try?run=whistles")
    keys = Keyboard(page)
    keys.press("Build the page")
    board = page.frame_locator("iframe.board")
    board.locator("body[data-ready]").wait_for(timeout=120_000)
    keys.press("Listen")
    until(page, lambda: set(page.locator(".heard li > b").all_inner_texts()) == {"up", "down"})
    keys.press("Keep …")
    other = folder / "recordings" / "other"
    until(page, lambda: len(list(other.glob("studio_nohash_*.wav"))) == 1)
    assert soundfile.info(next(other.glob("*.wav"))).frames == RATE_HZ  # a second, as `data record` keeps
    keys.press("Deploy")
    page.get_by_role("button", name="C array").wait_for()
    with page.expect_download(timeout=60_000) as download:
        keys.press("C array")
    archive = zipfile.ZipFile(io.BytesIO(Path(download.value.path()).read_bytes()))
    own = Run(Path(shutil.copytree(whistle_run, tmp_path / "own")))
    export(own, "both")
    for name in archive.namelist():
        assert archive.read(name) == own.file(f"export/{name}").read_bytes()
    assert {"tflm/model_data.cc", "aot/network.c"} <= set(archive.namelist())
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert wrong == []
