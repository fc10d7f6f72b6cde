"""The studio in Chromium: two words are recorded from an empty folder, by a microphone that plays a file."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.corpus import whistle
from tests.studio.keyboard import Keyboard

pytestmark = pytest.mark.slow

# Any take of two seconds holds a whole word.
_PERIOD_S = 0.9
_RATE_HZ = 48_000


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    """A short word again and again, as Chromium's fake microphone plays it."""
    word = whistle("up", 0, 0)[4_000:11_000].astype(float)
    period = np.random.default_rng(0).normal(0, 20, round(_PERIOD_S * 16_000))
    period[: len(word)] += word * np.hanning(len(word))
    path = tmp_path / "voice.wav"
    slow = np.interp(np.arange(0, len(period), 16_000 / _RATE_HZ), np.arange(len(period)), period)
    soundfile.write(path, np.tile(slow, 10).astype(np.int16), _RATE_HZ)
    return path


class Server:
    """`tinyml studio` as a process."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "tinyml_cli", "studio", str(folder), "--no-open", "--json"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout
        self.url: str = json.loads(self.process.stdout.readline())["url"]

    def end(self, how: signal.Signals) -> int:
        self.process.send_signal(how)
        code = self.process.wait(timeout=10)
        assert self.process.stdout
        self.process.stdout.close()
        return code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "words"
    made.mkdir()
    return made


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    running = Server(folder)
    yield running
    if running.process.poll() is None:
        running.end(signal.SIGKILL)


@pytest.fixture
def page(voice: Path) -> Iterator[Any]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    options = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={voice}",
    ]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=options)
        opened = browser.new_page(viewport={"width": 390, "height": 844})
        wrong: list[str] = []
        opened.on("pageerror", lambda error: wrong.append(str(error)))
        yield opened
        assert wrong == []
        browser.close()


def clips(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.wav"))


def record_two_words(page: Any, keys: Keyboard, server: Server) -> None:
    """From the first page to one clip of `go` and one of `stop`."""
    page.goto(server.url)
    assert "#" not in page.url
    page.get_by_role("link", name="Words").wait_for()
    keys.press("Words…")
    page.get_by_label("Speaker").wait_for()
    keys.fill("Words", "go, stop")
    keys.fill("Speaker", "anna")
    keys.press("Begin")
    page.get_by_role("button", name="Record").wait_for()
    assert "--words go,stop --speaker anna" in page.locator("#command").inner_text()
    keys.press("Record")
    verdict = page.locator(".verdict", has_text="ept")
    verdict.wait_for()
    for _ in range(8):  # a take may cut the word that the microphone repeats
        page.get_by_role("button", name="Record").wait_for()
        if page.get_by_text("1 of 20").count() == 2:
            break
        assert keys.focused() == "Record"
        page.keyboard.press("Space")
        page.get_by_role("button", name="Speak now").wait_for()
        verdict.wait_for()


def test_two_words_from_an_empty_folder(page: Any, server: Server, folder: Path) -> None:
    """By keys alone, at the width of a phone; a killed studio has lost nothing."""
    keys = Keyboard(page)
    record_two_words(page, keys, server)
    kept = ["recordings/go/anna_nohash_0.wav", "recordings/stop/anna_nohash_0.wav"]
    assert clips(folder) == kept
    assert server.end(signal.SIGKILL) != 0
    assert clips(folder) == kept
    for name in kept:
        audio, rate_hz = soundfile.read(folder / name, dtype="int16")
        assert (len(audio), rate_hz) == (16_000, 16_000)
        assert np.abs(audio).max() > 1000
    again = Server(folder)
    try:
        page.goto(again.url)
        page.get_by_role("article").nth(1).wait_for()
        first, second = (page.get_by_role("article").nth(n).get_attribute("aria-label") for n in (0, 1))
        keys.to(first)
        page.keyboard.press("Delete")
        page.get_by_role("article").nth(1).wait_for(state="detached")
        assert len(clips(folder)) == 1
        assert keys.focused() == second  # what is in its place
        page.keyboard.press("Control+z")
        page.get_by_text("Undone: ").wait_for()
        page.get_by_role("article").nth(1).wait_for()
        assert clips(folder) == kept
        keys.to(second)
        page.keyboard.press("t")
        page.get_by_role("dialog").wait_for()
        keys.to("Start")
        for _ in range(10):
            page.keyboard.press("ArrowRight")
        keys.press("Keep this part")
        page.get_by_text("rimmed").wait_for()
        assert sorted(soundfile.info(folder / name).frames for name in kept) == [14_400, 16_000]
        page.locator(f"article[aria-label='{second}']:first-child").wait_for()  # the newest
        assert keys.focused() == second
        keys.to("Label")
        page.keyboard.press("ArrowUp" if second.startswith("stop") else "ArrowDown")
        page.get_by_text("1 item → ").wait_for()
        assert len({name.split("/")[1] for name in clips(folder)}) == 1
        keys.press("Map")
        page.get_by_text("2 clips. ").wait_for()
        keys.press("Map of the items…", "ArrowRight")
        page.locator(".side article").wait_for()
        page.keyboard.press("ArrowLeft")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    finally:
        again.end(signal.SIGINT)
