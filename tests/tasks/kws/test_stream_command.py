"""evaluate-stream through the real command line, and against `native`."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from tests.conftest import Tinyml
from tests.corpus import RATE_HZ, whistle
from tinyml_cli.build.target import build_target
from tinyml_cli.connect import open_board
from tinyml_cli.data.audio_file import read_audio
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.answers import Int8Model
from tinyml_cli.files import write_atomic
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import MAX_PCM_SAMPLES, Detection, Event, Scores
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.tasks.kws import stream_source
from tinyml_cli.tasks.kws.operating_point import OperatingPointTrial, ScoredStream
from tinyml_cli.tasks.kws.stream_audio import SCENES
from tinyml_cli.tasks.kws.stream_options import StreamOptions, stream_options
from tinyml_cli.tasks.kws.stream_report import section
from tinyml_cli.tasks.kws.stream_scores import inferences, score_stream
from tinyml_cli.tasks.kws.streams import load_material
from tinyml_cli.tflite.interpret import has_tflm


@pytest.fixture
def run(whistle_run: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return Path(shutil.copytree(whistle_run, tmp_path / "runs" / "copy"))


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Half a minute at another rate with five words, and its truth."""
    folder = tmp_path_factory.mktemp("recording")
    audio = np.random.default_rng(5).normal(0, 40, 30 * RATE_HZ)
    rows = []
    for index, word in enumerate(("up", "down", "up", "down", "flat")):
        start = (3 + 5 * index) * RATE_HZ
        audio[start : start + RATE_HZ] += whistle(word, 35, index)
        rows.append(f"{3.2 + 5 * index}\t{3.8 + 5 * index}\t{word}")
    twice = np.repeat(np.clip(audio, -32768, 32767).astype(np.int16), 2)
    soundfile.write(folder / "kitchen.flac", twice, 2 * RATE_HZ)
    (folder / "truth.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder / "kitchen.flac", folder / "truth.tsv"


@pytest.mark.slow
def test_a_built_stream_is_heard_and_reported(run: Path, tinyml: Tinyml, tmp_path: Path) -> None:
    triggers = tmp_path / "triggers"
    _keep_report(run, "<p>before</p><tinyml-streams><i>before</i></tinyml-streams><p>after</p>")
    arguments = ("evaluate-stream", run, "--hours", "0.17", "--save-triggers", triggers, "--json")
    outcome = tinyml(*arguments, cwd=tmp_path).json
    assert json.loads((run / "report" / "stream.json").read_text(encoding="utf-8")) == outcome
    assert outcome["hours"] == pytest.approx(0.17)
    rejects, accepts = outcome["false_rejects"], outcome["false_accepts"]
    assert rejects["of"] > 5
    assert rejects["rate"] < 0.5, "whistles are easy"
    assert accepts["per_hour"] == pytest.approx(accepts["n"] / 0.17)
    assert accepts["ci95"][0] <= accepts["per_hour"] <= accepts["ci95"][1]
    assert len(outcome["false_accept_list"]) == accepts["n"] == len(list(triggers.iterdir()))
    assert outcome["mlperf_rule"]["windows"] == [], "shorter than a window of the rule"
    assert outcome["allowance"] is None
    assert outcome["tflm"]["max_difference"] in (0, 1, 2, None)
    by_threshold = [point["false_accepts"] for point in outcome["det"]]
    assert by_threshold[0] > by_threshold[-1]
    with Image.open(run / "report" / "stream_det.png") as picture:
        assert min(picture.size) > 500
    for path in triggers.iterdir():
        assert soundfile.info(path).duration == 1.0
    for entry in outcome["false_accept_list"]:
        assert set(entry["said"].split()) <= {"up", "down", "flat"}
        assert entry["scene"] in SCENES
    assert sum(band["of"] for band in outcome["det_snr_db"]) == rejects["of"]
    for at, point in enumerate(outcome["det"]):
        assert sum(band["misses"][at] for band in outcome["det_snr_db"]) == point["misses"]
    page = (run / "report" / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<p>before</p><tinyml-streams>")
    assert page.endswith("</tinyml-streams><p>after</p>")
    assert "<i>" not in page
    assert page.count("<audio") == min(10, accepts["n"])
    manifest = Run(run).manifest()
    assert Run(run).is_fresh(manifest, "report/report.html")
    assert section(Run(run), manifest) in page, "what the next evaluation shows"
    assert manifest.metrics["stream"]["false_accepts"] == accepts
    assert "false_accept_list" not in manifest.metrics["stream"]


def _keep_report(run: Path, page: str) -> None:
    """As if `evaluate` had written this page."""
    opened = Run(run)
    manifest = opened.manifest()
    write_atomic(run / "report" / "report.html", page)
    opened.record(manifest, "report/report.html", "tinyml evaluate", [MODEL_INT8])
    opened.save(manifest)


@pytest.mark.slow
def test_settings_are_chosen_on_validation_and_reach_the_firmware(
    run: Path, tinyml: Tinyml, tmp_path: Path
) -> None:
    before = tinyml("build", run, "--board", "native", "--json", cwd=tmp_path).json
    assert not before["fresh"]
    arguments = ("evaluate-stream", run, "--hours", "0.1", "--max-fa-per-hour", "20", "--json")
    answer = tinyml(*arguments, cwd=tmp_path)
    outcome, chosen = answer.json, Run(run).manifest().recognizer
    assert outcome["recognizer"] == chosen.model_dump()
    assert outcome["tuning"]["after"] != outcome["tuning"]["before"]
    assert outcome["tuning"]["validation"]["fa_per_hour"] <= 20
    assert outcome["allowance"]["max_fa_per_hour"] == 20
    assert "validation: " in outcome["note"]
    after = tinyml("build", run, "--board", "native", "--json", cwd=tmp_path).json
    assert not after["fresh"], "the thresholds are compiled in"
    text = (run / "export" / "aot" / "model_settings.h").read_text(encoding="utf-8")
    defines = dict(re.findall(r"#define (AVERAGE_WINDOW_MS|SUPPRESSION_MS|MINIMUM_COUNT) (\d+)", text))
    assert {name: int(value) for name, value in defines.items()} == {
        "AVERAGE_WINDOW_MS": chosen.average_window_ms,
        "SUPPRESSION_MS": chosen.suppression_ms,
        "MINIMUM_COUNT": chosen.minimum_count,
    }
    table = re.search(r"DETECTION_THRESHOLD_PERMILLE\[LABEL_COUNT\] = \{\s*([\d, \n]+?),?\s*\}", text)
    assert table is not None
    assert {int(value) for value in table[1].split(",")} == {round(chosen.threshold * 1000)}
    assert tinyml("build", run, "--board", "native", "--json", cwd=tmp_path).json["fresh"]


class Reference(Int8Model):
    """Scores by the runtime whose bytes the firmware has to give."""

    def run(self, inputs: Any, advance: Any = None) -> Any:
        return self.reference(inputs, advance)[0]


@pytest.mark.slow
def test_firmware_reports_the_same_words_at_the_same_times(run: Path, tinyml: Tinyml, tmp_path: Path) -> None:
    manifest = Run(run).manifest()
    # Low, so that much is heard.
    manifest.recognizer = manifest.recognizer.model_copy(update={"threshold": 0.45, "suppression_ms": 300})
    Run(run).save(manifest)
    tinyml("build", run, "--board", "native", cwd=tmp_path)
    material = load_material(Run(run), manifest, None, "test")
    (part,) = stream_source.built(material, manifest.labels, 100, [1])
    stream = part.open()
    (audio,) = stream.blocks
    model = Reference((run / MODEL_INT8).read_bytes())
    scores = score_stream(audio, model, manifest)
    assert len(scores.scores) == inferences(part.samples, manifest)
    tally = OperatingPointTrial([ScoredStream(scores, stream.targets)], model.output, manifest.labels).tally(
        manifest.recognizer
    )
    expected = sorted(
        [(d.t_ms, d.label) for d in _detections(tally, manifest.labels)],
    )
    with open_board(Run(run), build_target("native")) as link:
        link.wait_ready()
        link.trace("scores")
        events = list(_play(link, audio))
    heard = [(event.t_ms, event.label) for event in events if isinstance(event, Detection)]
    answered = [event for event in events if isinstance(event, Scores)]
    assert [event.t_ms for event in answered] == scores.times_ms.tolist()
    difference = np.abs(np.array([event.q for event in answered]) - scores.scores)
    # Without TensorFlow Lite Micro's runtime, LiteRT answers, which rounds its softmax otherwise.
    assert difference.max() <= (0 if has_tflm() else 2)
    assert len(heard) > 4
    assert heard == expected


def _detections(tally: Any, labels: list[str]) -> list[Detection]:
    (matched,) = tally.matched
    found = [*(d for _, d in matched.hits), *matched.repeats, *matched.false_accepts]
    return [Detection(label=labels[d.label], score=d.score_permille / 1000, t_ms=d.time_ms) for d in found]


def _play(link: Link, audio: np.ndarray) -> list[Event]:
    link.take_events()
    link.reset()
    events: list[Event] = []
    for start in range(0, len(audio), MAX_PCM_SAMPLES):
        link.feed_pcm(audio[start : start + MAX_PCM_SAMPLES])
        events += link.take_events()
    return events


def test_a_recording_with_its_truth(
    run: Path, tinyml: Tinyml, tmp_path: Path, recording: tuple[Path, Path]
) -> None:
    sound, truth = recording
    arguments = ("--truth", truth, "--save-triggers", tmp_path / "wrong", "--json")
    answer = tinyml("evaluate-stream", run, "--stream", sound, *arguments, cwd=tmp_path)
    outcome = answer.json
    assert "truth.tsv: ignored 1 row with other words: `flat`" in answer.err
    assert outcome["source"] == "recordings"
    assert outcome["hours"] == pytest.approx(30 / 3600)
    assert outcome["false_rejects"]["of"] == 4
    assert outcome["false_rejects"]["n"] <= 1
    assert outcome["det_snr_db"] == [], "nobody knows how loud the kitchen was"
    assert all(-600 < value < 1000 for value in outcome["latency_ms"].values())
    names = sorted(path.name for path in (tmp_path / "wrong").iterdir())
    assert names == sorted(outcome["triggers"])
    for entry, name in zip(outcome["false_accept_list"], outcome["triggers"], strict=True):
        end = round(entry["t_s"] * RATE_HZ)
        clip, rate_hz = soundfile.read(tmp_path / "wrong" / name, dtype="int16")
        assert rate_hz == RATE_HZ
        assert np.array_equal(clip, read_audio(sound, RATE_HZ)[end - RATE_HZ : end])


def test_a_folder_without_truth_has_only_false_accepts(
    run: Path, tinyml: Tinyml, tmp_path: Path, recording: tuple[Path, Path]
) -> None:
    folder = tmp_path / "long"
    folder.mkdir()
    shutil.copy(recording[0], folder / "b.flac")
    soundfile.write(folder / "a.wav", np.zeros((5 * 8000, 2), np.int16), 8000)
    (folder / "notes.txt").write_text("no sound", encoding="utf-8")
    (folder / "more").mkdir()
    shutil.copy(folder / "a.wav", folder / "more" / "a.wav")
    header = tmp_path / "nothing.tsv"
    header.write_text("file\tstart_s\tend_s\tlabel\n", encoding="utf-8")
    tinyml("evaluate-stream", run, "--hours", "0.05", cwd=tmp_path)
    outcome = tinyml("evaluate-stream", run, "--stream", folder, "--json", cwd=tmp_path).json
    assert outcome["streams"] == ["a.wav", "b.flac", "more/a.wav"]
    assert outcome["hours"] == pytest.approx(40 / 3600, abs=1e-4)
    assert {entry["said"] for entry in outcome["false_accept_list"]} == {None}
    assert outcome["false_rejects"] == {"n": 0, "of": 0, "rate": None, "ci95": None}
    assert outcome["false_accepts"]["n"] >= 3, "the words count, as nobody said that they are in it"
    assert outcome["latency_ms"] is None
    assert not (run / "report" / "stream_det.png").exists(), "a picture of other streams"
    arguments = ("--stream", folder, "--truth", header, "--json")
    quiet = tinyml("evaluate-stream", run, *arguments, cwd=tmp_path).json
    assert quiet["false_accepts"] == outcome["false_accepts"]
    assert {entry["said"] for entry in quiet["false_accept_list"]} == {""}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--hours", "1", "--save-triggers", "full"), "folder is not empty"),
        (("--hours", "1", "--data", "empty"), "empty"),
        (("--stream", "none.wav"), "There is no such file or folder"),
        (("--stream", "empty"), "contains no readable recordings"),
        (("--stream", "text.wav"), "Cannot read"),
        (("--stream", "short.wav"), "lasts 0.5 s, but the model needs 1 s"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_written(
    run: Path, tinyml: Tinyml, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.wav").write_bytes(b"mine")
    (tmp_path / "text.wav").write_text("no sound", encoding="utf-8")
    soundfile.write(tmp_path / "short.wav", np.zeros(4000, np.int16), 8000)
    before = (run / "manifest.json").read_bytes()
    answer = tinyml("evaluate-stream", run, *arguments, "--json", cwd=tmp_path, code=2)
    assert message in answer.json["error"]["what"] + answer.json["error"]["where"]
    assert (run / "manifest.json").read_bytes() == before
    assert not (run / "report" / "stream.json").exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"truth": Path("truth.tsv")}, "has its own ground truth"),
        ({"stream": Path("a.wav"), "hours": 1.0}, "--hours applies to built streams"),
        ({"stream": Path("a.wav"), "data": Path("a")}, "--data applies to built streams"),
        ({"hours": 1.0, "truth": Path("truth.tsv")}, "has its own ground truth"),
        ({"hours": 0.0}, "cannot be 0 hours long"),
        ({"hours": float("nan")}, "cannot be nan hours long"),
        ({"hours": 1.0, "max_fa_per_hour": -1.0}, "greater than 0 false accepts per hour, not -1"),
        ({"max_fa_per_hour": float("inf")}, "greater than 0 false accepts per hour, not inf"),
    ],
)
def test_options_that_do_not_go_together_are_refused(changes: dict[str, Any], message: str) -> None:
    none = dict.fromkeys(("stream", "truth", "data", "hours", "max_fa_per_hour", "save_triggers"))
    assert stream_options(**none) == StreamOptions()
    with pytest.raises(TinymlError, match=message):
        stream_options(**(none | changes))
