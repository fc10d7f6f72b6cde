"""The pages Check and Compare of the studio in Chromium, by keys alone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import soundfile

from tests.corpus import RATE_HZ, whistle
from tests.doubles import sine_run
from tests.studio.keyboard import Keyboard
from tests.studio.test_browser import Server, folder, page, server, voice  # noqa: F401  (fixtures)

pytestmark = pytest.mark.slow
ALIKE, BROKEN = 16, 2


@pytest.fixture
def recordings(folder: Path) -> Path:  # noqa: F811
    """Words of which many are one clip again and again, and two cannot be read."""
    place = folder / "recordings"
    for word in ("down", "up"):
        (place / word).mkdir(parents=True)
        for take in range(3):
            clip = whistle(word, take, take)
            soundfile.write(place / word / f"anna_nohash_{take}.wav", clip, RATE_HZ)
    for copy in range(ALIKE):
        shutil.copy(place / "up/anna_nohash_0.wav", place / "up" / f"bert_nohash_{copy}.wav")
    for number in range(BROKEN):
        (place / "down" / f"carl_nohash_{number}.wav").write_bytes(b"RIFF")
    return place


def test_what_check_finds_is_mended(page: Any, server: Server, recordings: Path) -> None:  # noqa: F811
    before = sorted(path.name for path in recordings.rglob("*.wav"))
    keys = Keyboard(page)
    page.goto(server.url)
    page.get_by_role("article").first.wait_for()
    keys.press("Check")
    page.locator(".verdict.wrong").wait_for()
    assert "bad" in page.locator(".verdict").inner_text()
    keys.press("Move bad files away")
    page.get_by_role("button", name="Move back").wait_for()
    page.locator(".verdict.good").wait_for()
    assert "--fix" in page.locator("#command").inner_text()
    assert len(list(recordings.rglob("*.wav"))) < len(before)
    keys.press("Move back")
    page.locator(".verdict.wrong").wait_for()
    assert sorted(path.name for path in recordings.rglob("*.wav")) == before
    # A kind of finding that is folded in opens, and stays so while one mends what is in it.
    folded = page.locator("details.finding:not([open]) summary").first
    meaning = folded.inner_text()
    keys.press(folded.text_content())
    opened = page.locator(
        "details.finding[open]", has=page.locator("summary", has_text=meaning.split("\n")[1])
    )
    shown = opened.get_by_role("article")
    assert shown.count() == 12
    keys.press(opened.get_by_role("button", name="All ").inner_text())
    assert shown.count() > 12
    name = page.evaluate("document.activeElement.getAttribute('aria-label')")  # the first that was not shown
    assert name == shown.nth(12).get_attribute("aria-label")
    many = shown.count()
    page.keyboard.press("Delete")
    page.get_by_text("deleted", exact=False).first.wait_for()
    shown.nth(many - 1).wait_for(state="detached")
    assert shown.count() > 12
    assert page.evaluate("document.activeElement.tagName") == "ARTICLE"
    page.keyboard.press("Control+z")
    shown.nth(many - 1).wait_for()


def test_two_runs_are_compared(page: Any, server: Server, folder: Path) -> None:  # noqa: F811
    for name in ("first", "second"):
        sine_run.make(folder / "runs" / name)
    page.goto(server.url)
    keys = Keyboard(page)
    keys.press("Train")
    page.get_by_role("row", name="second").wait_for()
    compare = page.get_by_role("button", name="Compare", exact=True)
    assert compare.is_disabled()
    keys.press("Compare first", "Space")
    keys.press("Compare second", "Space")
    keys.press("Compare")
    page.get_by_role("heading", name="Compare runs").wait_for()
    command = page.locator("#command")
    command.get_by_text("tinyml compare runs/first runs/second").wait_for()
    keys.press("second")
    page.get_by_role("heading", name="second").wait_for()
    page.go_back()  # by a key of the browser, which Playwright does not pass on
    page.get_by_role("heading", name="Compare runs").wait_for()
    keys.press("All runs, and a new training")
    page.get_by_role("row", name="second").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
