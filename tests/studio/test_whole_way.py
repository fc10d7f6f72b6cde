"""The studio in Chromium: from an empty folder to downloaded firmware, in one go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.firmware.board_tools import require_tools
from tests.studio.keyboard import Keyboard
from tests.studio.test_browser import Server, clips, folder, page, record_two_words, server, voice  # noqa: F401
from tinyml_cli.run import Run

pytestmark = pytest.mark.nightly

_RECIPE = """\
task: kws
words: [go, stop]
recordings: {path: recordings}
synthesis: {clips_per_word: 120, unknown_clips: 120}
augmentation: {copies: 1}
training: {epochs: 1}
"""
_TRAINING_MS = 300_000


def open_page(page: Any, server: Server, path: str) -> None:  # noqa: F811
    page.goto(server.url.partition("/#")[0] + path)
    page.wait_for_selector("body[data-ready]")


def test_two_words_become_firmware(page: Any, server: Server, folder: Path) -> None:  # noqa: F811
    """Recorded, trained, tried, taken away; what the words are called is typed once."""
    require_tools("sim")
    require_tools("browser")
    (folder / "small.yaml").write_text(_RECIPE, encoding="utf-8")
    keys = Keyboard(page)
    record_two_words(page, keys, server)
    recorded = clips(folder)
    open_page(page, server, "/train?recipe=small.yaml")
    keys.fill("Name of the run", "mine")
    page.locator("#command", has_text="--run runs/mine").wait_for()
    keys.press("Train")
    page.locator(".state.done").wait_for(timeout=_TRAINING_MS)
    open_page(page, server, "/try?run=mine")
    keys.press("Build the page")
    page.frame_locator("iframe.board").locator("body[data-ready]").wait_for(timeout=_TRAINING_MS)
    keys.press("Listen")
    open_page(page, server, "/deploy?run=mine")
    page.get_by_role("button", name="Firmware").wait_for()
    with page.expect_download(timeout=_TRAINING_MS) as download:
        keys.press("Firmware")
    run = Run(folder / "runs" / "mine")
    name = download.value.suggested_filename.removeprefix("sim-")
    assert Path(download.value.path()).read_bytes() == run.file(f"firmware/sim/{name}").read_bytes()
    assert run.manifest().labels[2:] == ["go", "stop"]
    assert clips(folder) == recorded
