"""The board `browser`: the bytes of `native`, and a page that hears through the microphone of Chromium."""

from __future__ import annotations

import base64
import contextlib
import re
import shutil
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from tests.conftest import Tinyml
from tests.corpus import RATE_HZ, whistle
from tests.doubles import looking_run, sine_run
from tests.firmware.board_tools import require_tools
from tests.tasks.wand import waved_run
from tests.tasks.wand.test_wand_app import line
from tests.tasks.wand.test_wand_app import waved as stroke
from tinyml_cli.boards import boards
from tinyml_cli.build.build import build
from tinyml_cli.build.project import project_dir
from tinyml_cli.build.target import build_target
from tinyml_cli.connect import open_board
from tinyml_cli.console import console
from tinyml_cli.data.resample import resample
from tinyml_cli.engines.export import export
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.gesture_settings import GestureInput
from tinyml_cli.files import firmware_dir
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Event
from tinyml_cli.run import Run

INPUTS = 200
_TIMES = r"(inference_us|frame_us|instructions)=\d+"
_CLOCK = r"t_ms=\d+|@\d+ms"  # the board's own, where there is no stream


@pytest.fixture
def needs_both() -> None:
    for board in ("native", "browser"):
        require_tools(board)
    console.quiet = True


def kws(folder: Path, whistle_run: Path) -> Run:
    return Run(Path(shutil.copytree(whistle_run, folder / "run")))


def heard(link: Link) -> None:
    rng = np.random.default_rng(3)
    quiet = rng.normal(0, 30, RATE_HZ).astype(np.int16)
    for piece in np.split(np.concatenate([whistle("up", 3, 1), quiet, whistle("down", 3, 1), quiet]), 100):
        link.feed_pcm(piece)


def seen(link: Link) -> None:
    rng = np.random.default_rng(4)
    for _ in range(6):
        link.feed_frame(rng.integers(0, 256, looking_run.IMAGE.frame_bytes).astype(np.uint8).tobytes())


def waved(link: Link) -> None:
    motion = stroke(line(0.4))
    for at in range(0, len(motion), 50):
        link.feed_imu(motion[at : at + 50])


def lit(link: Link) -> None:
    link.advance(500)


def hummed(link: Link) -> None:
    time = np.arange(2 * RATE_HZ) / RATE_HZ
    hum, whine = np.sin(2 * np.pi * 220 * time), np.sin(2 * np.pi * 3100 * time)
    for sound in (6000 * hum, 6000 * hum + 4000 * whine):
        for piece in np.split(sound.astype(np.int16), 100):
            link.feed_pcm(piece)


def shaken(link: Link) -> None:
    motion = np.random.default_rng(5).normal(0, 200, (1500, 6)).astype(np.int16)
    for at in range(0, len(motion), 50):
        link.feed_imu(motion[at : at + 50])


class PageTransport:
    """Bytes to and from the firmware in a page of Chromium, in place of a serial port."""

    can_come_back = False

    def __init__(self, page: Any, program: Path) -> None:
        self._page = page
        module = (firmware_dir() / "page" / "board.mjs").read_text(encoding="utf-8")
        wasm = base64.b64encode(program.read_bytes()).decode()
        page.goto("about:blank")
        page.add_script_tag(content=module.replace("export class", "window.Board = class"))
        page.evaluate(
            """async (text) => {
                const bytes = (base64) => Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
                window.said = [];
                const board = await Board.start(bytes(text), { onLine: (line) => said.push(line) });
                window.talk = (base64) => (board.send(bytes(base64)), board.run(), said.splice(0));
            }""",
            wasm,
        )
        self._said = b""

    def open(self) -> None:
        self.write(b"")

    def close(self) -> None:
        self._page.evaluate("delete window.talk")

    def write(self, data: bytes) -> None:
        lines = self._page.evaluate("(base64) => talk(base64)", base64.b64encode(data).decode())
        self._said += "".join(f"{line}\n" for line in lines).encode()

    def read(self, timeout_s: float) -> bytes:
        said, self._said = self._said, b""
        return said


@contextlib.contextmanager
def opened(run: Run, place: str, page: Any) -> Iterator[Link]:
    """A board: `native`, `browser` in Node, or `chromium`."""
    if place != "chromium":
        with open_board(run, build_target(place)) as link:
            yield link
        return
    link = Link("page")
    target = build_target("browser")
    program = project_dir(run, "browser", target.application(run)) / "firmware.elf"
    link._transport = PageTransport(page, program)  # type: ignore[assignment]
    with link:
        yield link


def said_by(link: Link, feed: Any) -> tuple[list[bytes], list[str]]:
    """The outputs of random inputs, and every event of what is fed, without its times."""
    rng = np.random.default_rng(6)
    ready = link.info()
    outputs = []
    for _ in range(INPUTS):
        link.write_input(rng.integers(-128, 128, ready.input_bytes).astype(np.int8))
        outputs.append(link.run_inference().data)
    link.reset()
    link.trace("scores", "features")
    link.take_events()
    feed(link)
    return outputs, [_without_times(event, feed in (seen, lit)) for event in link.take_events()]


def _without_times(event: Event, clock: bool) -> str:
    text = re.sub(_TIMES, "", repr(event))
    return re.sub(_CLOCK, "", text) if clock else text


def _machine(folder: Path, sensor: str) -> Run:
    pytest.importorskip("tensorflow", reason="extra `train` is not installed")
    from tests.tasks.anomaly import runs

    if sensor == "motion":
        run = runs.train(folder / "run", training__epochs=3)
    else:
        sounds = runs.write_sounds(folder / "sounds")
        run = runs.train(folder / "run", sounds, method="kmeans", mixture__clusters=2)
    export(run, "aot")
    return run


@pytest.mark.slow
@pytest.mark.usefixtures("needs_both")
@pytest.mark.parametrize(
    "task",
    ["kws", "machine sound"]
    + [pytest.param(task, marks=pytest.mark.nightly) for task in ("vww", "wand", "hello", "machine motion")],
)
def test_it_gives_the_bytes_of_native(
    task: str, tmp_path: Path, request: pytest.FixtureRequest, chromium: Any
) -> None:
    """In Node and in Chromium."""
    feed: Any
    if task == "kws":
        run, feed = kws(tmp_path, request.getfixturevalue("whistle_run")), heard
    elif task == "vww":
        run, feed = looking_run.make(tmp_path / "run"), seen
    elif task == "wand":
        run, feed = waved_run.make(tmp_path / "run", waved_run.line_model(), GestureInput()), waved
    elif task == "hello":
        run, feed = sine_run.make(tmp_path / "run"), lit
    else:
        sensor = task.removeprefix("machine ")
        run, feed = _machine(tmp_path, sensor), hummed if sensor == "sound" else shaken
    for board in ("native", "browser"):
        build(run, build_target(board))
    said = {}
    for place in ("native", "browser", "chromium"):
        with opened(run, place, chromium[0]) as link:
            said[place] = said_by(link, feed)
    assert len(said["native"][0]) == INPUTS and said["native"][1]
    assert said["native"] == said["browser"] == said["chromium"]


@pytest.fixture
def chromium(tmp_path: Path) -> Iterator[Any]:
    """A Chromium whose microphone hears two whistles at a rate not the model's; its camera sees white."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    quiet = np.random.default_rng(7).normal(0, 30, 2 * RATE_HZ).astype(np.int16)
    sound = np.concatenate([quiet, whistle("up", 3, 1), quiet, whistle("down", 3, 1), quiet])
    wav = tmp_path / "whistles.wav"
    soundfile.write(wav, resample(sound / 32768, RATE_HZ, 48_000), 48_000, "PCM_16")
    white = tmp_path / "white.y4m"
    frame = b"FRAME\n" + b"\xeb" * (160 * 120) + b"\x80" * (2 * 80 * 60)
    white.write_bytes(b"YUV4MPEG2 W160 H120 F10:1 Ip A1:1 C420jpeg\n" + 10 * frame)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=program,
            args=[
                f"--use-file-for-fake-video-capture={white}",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={wav}%noloop",
            ],
        )
        page = browser.new_page(viewport={"width": 390, "height": 800})
        yield page, wav
        browser.close()


def words(page: Any) -> list[str]:
    """What the page has heard once both whistles were, in order; a word may be heard again while it lasts."""
    found = page.locator("#events b")
    for _ in range(300):
        if len(set(found.all_inner_texts())) == 2:
            break
        page.wait_for_timeout(100)
    return [word for word, _ in groupby(reversed(found.all_inner_texts()))]


@pytest.mark.slow
@pytest.mark.usefixtures("needs_both")
def test_the_page_hears_by_its_microphone_and_from_a_file(
    chromium: Any, whistle_run: Path, tmp_path: Path, tinyml: Tinyml
) -> None:
    page, wav = chromium
    run = kws(tmp_path, whistle_run)
    file = Path(tinyml("build", run.path, "--board", "browser", "--json", cwd=tmp_path).json["page"])
    assert file.stat().st_size < 400_000
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(file.as_uri())
    page.wait_for_selector("body[data-ready]")
    page.set_input_files("#file", wav)
    assert words(page) == ["up", "down"]
    page.reload()
    page.wait_for_selector("body[data-ready]")
    page.click("#start")
    assert words(page) == ["up", "down"]
    refused = "fetch('https://example.com').then(() => 'sent', () => 'refused')"
    assert page.evaluate(refused) == "refused"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert wrong == []


_WAVE = """async (samples) => {
    const [begun, periodMs] = [performance.now(), 1000 / 119];
    for (let at = 0; at < samples.length; ) {
        const [x, y, z, alongX, alongY, alongZ] = samples[at];
        const felt = {
            accelerationIncludingGravity: { x, y, z },
            rotationRate: { beta: alongX, gamma: alongY, alpha: alongZ },
        };
        dispatchEvent(new DeviceMotionEvent("devicemotion", felt));
        await new Promise((resolve) => setTimeout(resolve, 8));
        at = Math.floor((performance.now() - begun) / periodMs);
    }
}"""


@pytest.mark.slow
@pytest.mark.usefixtures("needs_both")
@pytest.mark.parametrize(("angle", "label"), [(np.pi / 2, "upright"), (0.0, "wide")])
def test_a_phone_that_is_waved_draws(chromium: Any, tmp_path: Path, angle: float, label: str) -> None:
    """Its top points ahead, as the board's -x does: what is drawn upright is upright."""
    page, _ = chromium
    run = waved_run.make(tmp_path / "run", waved_run.line_model(), GestureInput())
    built = build(run, build_target("browser"))
    assert built.page is not None
    page.goto(Path(built.page).as_uri())
    page.wait_for_selector("body[data-ready]")
    page.click("#start")
    ax, ay, az, gx, gy, gz = stroke(line(angle)).T.astype(float)  # int16 as of the board's command `imu`
    of_phone = np.stack([ay, -ax, az, gy, -gx, gz], axis=1) / [[*[1000 / 9.80665] * 3, *[10] * 3]]
    page.evaluate(_WAVE, of_phone.tolist())
    page.locator("#events b").first.wait_for()
    assert page.locator("#events b").all_inner_texts() == [label]
    assert page.locator("#picture").is_visible()


@pytest.mark.slow
@pytest.mark.usefixtures("needs_both")
def test_a_word_opens_the_eyes_of_the_page(chromium: Any, whistle_run: Path, tmp_path: Path) -> None:
    page, wav = chromium
    run, looks = kws(tmp_path, whistle_run), looking_run.make(tmp_path / "eyes")
    built = build(run, build_target("browser", second=looks))
    assert built.page is not None
    page.goto(Path(built.page).as_uri())
    page.wait_for_selector("body[data-ready]")
    picture = tmp_path / "white.png"
    Image.new("L", (96, 96), 230).save(picture)
    page.set_input_files("#file", picture)
    page.locator("#events", has_text="is looked at after its word").wait_for()
    said = page.locator("#events b")

    def lasts_to_be(*words: str) -> bool:
        for _ in range(200):
            if tuple(reversed(said.all_inner_texts()))[-len(words) :] == words:
                return True
            page.wait_for_timeout(100)
        return False

    page.set_input_files("#file", wav)
    assert lasts_to_be("up", "eyes open", "person", "eyes shut", "down"), said.all_inner_texts()
    page.reload()
    page.wait_for_selector("body[data-ready]")
    page.click("#start")  # by microphone and camera
    assert lasts_to_be("up", "eyes open", "person", "eyes shut"), said.all_inner_texts()


def test_without_the_compiler_the_extra_is_named(
    whistle_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boards, "_program", lambda name: None)
    monkeypatch.setattr(boards, "spec_of", lambda name: None)
    with pytest.raises(TinymlError, match="`clang` is missing") as caught:
        build(kws(tmp_path, whistle_run), build_target("browser"))
    assert "tinyml-cli[browser]" in caught.value.next_step
