"""evaluate, explain and card through the real command line, on a run that heard whistles."""

from __future__ import annotations

import base64
import json
import re
import shutil
import wave
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from tests.conftest import Tinyml
from tests.corpus import RATE_HZ, whistle
from tests.outcomes import check as check_outcome
from tinyml_cli.build.target import build_target
from tinyml_cli.connect import open_board
from tinyml_cli.link.protocol import Detection, Scores
from tinyml_cli.pages.templates import script_hash
from tinyml_cli.run import Run
from tinyml_cli.tasks.kws.replay import LEAD_IN_MS, replay_file


@pytest.fixture(scope="module")
def groups(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("groups") / "groups.tsv"
    path.write_text(
        "speaker\tpitch\n" + "".join(f"speaker{i:02d}\t{'low' if i < 20 else 'high'}\n" for i in range(40)),
        encoding="utf-8",
    )
    return path


@pytest.fixture(scope="module")
def made(
    tinyml: Tinyml, corpus: Path, groups: Path, whistle_run: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """One run, evaluated on everybody: most were trained on, which is what this test needs."""
    home = tmp_path_factory.mktemp("home")
    run = Path(shutil.copytree(whistle_run, home / "runs" / "whistles"))
    options = ("--data", corpus, "--split", "all", "--groups", groups)
    answer = tinyml("evaluate", run, *options, "--on", "native", "--json", cwd=home).json
    return {"home": home, "run": run, "evaluate": answer, "options": options}


@pytest.fixture
def run(made: dict[str, Any], tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(made["run"], tmp_path / "runs" / "copy"))


def test_figures_fit_each_other(made: dict[str, Any]) -> None:
    outcome = made["evaluate"]
    check_outcome("evaluate", outcome)
    confusion = np.array(outcome["int8"]["confusion"])
    assert confusion.sum() == outcome["n"]
    assert outcome["int8"]["accuracy"] > 0.7, "whistles are easy; a lower figure means wrong inputs"
    assert outcome["auc"] == pytest.approx(np.mean([curve["auc"] for curve in outcome["curves"].values()]))
    assert outcome["calibration"]["accuracy"] == outcome["int8"]["accuracy"]
    assert sum(entry["n"] for entry in outcome["calibration"]["bins"]) == outcome["n"]
    wrong = outcome["n"] - int(np.trace(confusion))
    assert len(outcome["mistakes"]) == min(wrong, 12)
    assert "including possible training speakers" in outcome["note"]
    assert all(entry["score"] >= entry["true_score"] for entry in outcome["mistakes"])


def test_noise_comes_from_the_data_and_is_heard(made: dict[str, Any]) -> None:
    noise = made["evaluate"]["noise"]
    assert noise["noise"] == "recordings"
    clean, loud = noise["points"][0], noise["points"][-1]
    assert clean["accuracy"] == made["evaluate"]["in_stream"]["accuracy"]
    assert (clean["snr_db"], loud["snr_db"]) == (None, -5.0)
    # Whistles stand out of any noise that the front end has settled on; what is silence changes.
    assert len({point["recall"]["silence"] for point in noise["points"]}) > 1


def test_groups_of_the_file_are_compared(made: dict[str, Any]) -> None:
    (entry,) = made["evaluate"]["fairness"]
    rows = {row["group"]: row for row in entry["groups"]}
    assert entry["attribute"] == "pitch"
    assert set(rows) == {"low", "high"}
    silent = sum(made["evaluate"]["int8"]["confusion"][0])
    assert rows["low"]["n"] + rows["high"]["n"] == made["evaluate"]["n"] - silent, "silence has no speaker"
    assert entry["gap"] == pytest.approx(rows[entry["best"]]["accuracy"] - rows[entry["worst"]]["accuracy"])


def test_native_and_sim_give_the_reference_bytes(
    made: dict[str, Any], run: Path, tinyml: Tinyml, tmp_path: Path
) -> None:
    outcome = tinyml("evaluate", run, "--on", "sim", "--no-noise", "--json", cwd=tmp_path).json
    assert outcome["noise"] is None, "an earlier report of other clips says nothing about these"
    sim = outcome["device"]
    native = made["evaluate"]["device"]
    for device, board, level in ((native, "native", "host"), (sim, "sim", "emulated")):
        assert (device["board"], device["level"], device["path"]) == (board, level, "model")
        assert (device["mismatches"], device["max_difference"]) == (0, 0)
        assert device["n"] > 0
    assert native["n"] == made["evaluate"]["n"]
    assert sim["instructions_per_inference"] > 10_000


def test_clips_can_be_played_to_the_board(
    made: dict[str, Any], run: Path, tinyml: Tinyml, tmp_path: Path, corpus: Path
) -> None:
    arguments = ("--data", corpus, "--split", "all", "--on", "native", "--path", "audio", "--limit", "30")
    outcome = tinyml("evaluate", run, *arguments, "--no-noise", "--json", cwd=tmp_path).json
    device = outcome["device"]
    assert (device["path"], device["n"]) == ("audio", 30)
    for part in ("noise", "fairness"):
        assert outcome[part] == made["evaluate"][part], "what an earlier report said of the same is kept"
    heard = device["heard"]
    assert sum(sum(reports.values()) for reports in heard.values()) == 30
    assert device["recall"]["up"] == heard["up"].get("up", 0) / sum(heard["up"].values())
    assert device["false_alarms"]["of"] == sum(sum(heard[label].values()) for label in ("silence", "unknown"))


class _Page(HTMLParser):
    """Collects what a page would load and what it lets people open."""

    def __init__(self) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.tags: set[str] = set()
        self.headings: list[str] = []
        self._in_heading = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._in_heading = tag == "h2"
        self.sources += [
            value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")
        ]

    def handle_data(self, data: str) -> None:
        if self._in_heading:
            self.headings.append(data)
            self._in_heading = False


def test_the_report_is_one_file_that_loads_nothing(made: dict[str, Any]) -> None:
    text = (made["run"] / "report" / "report.html").read_text(encoding="utf-8")
    page = _Page()
    page.feed(text)
    assert re.findall(r"<script[^>]*>", text) == [
        '<script type="application/json" id="fair-data">',
        '<script type="module">',
    ]
    assert f"script-src '{script_hash('fairness.js')}'" in text, "no other script may run"
    assert not page.tags & {"link", "iframe", "object", "a"}
    assert all(source.startswith("data:") for source in page.sources)
    assert not re.search(r"https?:|url\(|@import", text)
    assert "default-src 'none'" in text
    assert {"Summary", "In noise", "Gaps between groups", "On native"} <= set(page.headings)
    assert f"{100 * made['evaluate']['int8']['accuracy']:.1f} %" in text
    assert str(made["home"]) not in text, "no path of the computer"


def test_mistakes_can_be_heard(made: dict[str, Any]) -> None:
    text = (made["run"] / "report" / "report.html").read_text(encoding="utf-8")
    sounds = re.findall(r'src="data:audio/wav;base64,([^"]+)"', text)
    pictures = re.findall(r'src="data:image/png;base64,([^"]+)"', text)
    mistakes = made["evaluate"]["mistakes"]
    assert len(sounds) == len(pictures) == len(mistakes)
    for sound, picture in zip(sounds, pictures, strict=True):
        with wave.open(BytesIO(base64.b64decode(sound))) as file:
            assert (file.getframerate(), file.getnframes(), file.getsampwidth()) == (RATE_HZ, RATE_HZ, 2)
        with Image.open(BytesIO(base64.b64decode(picture))) as image:
            assert image.size == (49, 40)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--path", "sound"), "Unknown path `sound`"),
        (("--path", "audio"), "Also give a board"),
        (("--on", "toaster"), "toaster"),
        (("--groups", "missing.tsv"), "The file does not exist"),
    ],
)
def test_mistyped_options_say_what_to_do(
    made: dict[str, Any], tinyml: Tinyml, arguments: tuple[str, ...], message: str
) -> None:
    answer = tinyml("evaluate", made["run"], *arguments, cwd=made["home"], code=2)
    assert message in answer.err


def test_explain_hears_what_the_firmware_hears(made: dict[str, Any], tinyml: Tinyml, tmp_path: Path) -> None:
    found = {}
    with open_board(Run(made["run"]), build_target("native")) as link:
        link.wait_ready()
        link.trace("scores")
        for word in ("up", "flat"):
            audio = whistle(word, 3, 0)
            path = tmp_path / f"{word}.wav"
            soundfile.write(path, audio, RATE_HZ)
            events: list[Any] = []
            replay_file(link, audio, RATE_HZ, events.append)
            found[path] = events
    for path, events in found.items():
        outcome = tinyml(
            "explain", made["run"], path, "--out", tmp_path / "why.png", "--json", cwd=tmp_path
        ).json
        check_outcome("explain", outcome)
        scores = [event for event in events if isinstance(event, Scores)]
        assert [entry["t_ms"] + LEAD_IN_MS for entry in outcome["inferences"]] == [
            event.t_ms for event in scores
        ]
        expected = np.array([event.q for event in scores]) + 128
        assert np.array([entry["scores"] for entry in outcome["inferences"]]) * 256 == pytest.approx(expected)
        detections = [event for event in events if isinstance(event, Detection)]
        assert [(entry["label"], entry["t_ms"] + LEAD_IN_MS) for entry in outcome["detections"]] == [
            (event.label, event.t_ms) for event in detections
        ]
        assert outcome["why"].startswith("Heard" if detections else "Nothing was heard")
        with Image.open(tmp_path / "why.png") as picture:
            assert min(picture.size) > 800


def test_explain_refuses_what_it_cannot_hear(made: dict[str, Any], tinyml: Tinyml, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound", encoding="utf-8")
    soundfile.write(tmp_path / "long.wav", np.zeros(61 * 8000, np.int16), 8000)
    for name, message in (
        ("text.wav", "Cannot read"),
        ("long.wav", "at most 60 s"),
        ("none.wav", "The recording does not exist"),
    ):
        answer = tinyml("explain", made["run"], tmp_path / name, "--json", cwd=tmp_path, code=2)
        assert message in answer.json["error"]["what"]


def test_card_states_the_evaluation_and_the_training(run: Path, tinyml: Tinyml, tmp_path: Path) -> None:
    outcome = tinyml("card", run, "--out", tmp_path / "cards", "--watts", "36", "--json", cwd=tmp_path).json
    card = json.loads((tmp_path / "cards" / "card.json").read_text(encoding="utf-8"))
    assert card == outcome["card"]
    assert card["carbon"]["energy_kwh"] == pytest.approx(card["training"]["seconds"] * 36 / 3.6e6)
    assert card["quality"]["noise"]["n"] > 0
    text = (tmp_path / "cards" / "card.md").read_text(encoding="utf-8")
    assert "Lowest accuracy" in text
    assert str(tmp_path.parent) not in text + json.dumps(card), "no path of the computer"
