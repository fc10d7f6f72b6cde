"""The main job through the real command line: recordings in, firmware that hears the word out."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import whistles
from tests.conftest import Tinyml
from tests.corpus import SPEAKERS, TAKES, write_corpus
from tests.outcomes import check as check_outcome
from tinyml_cli.files import sha256_file


@pytest.fixture(scope="session")
def corpus() -> Path:
    return whistles.corpus()


@pytest.fixture(scope="session")
def outcomes(tinyml: Tinyml, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The JSON of every stage of one run, made once."""
    home = tmp_path_factory.mktemp("home")
    made = whistles.whistle_run(tinyml)
    run = made.copy(home / "runs" / "whistles")
    stages: dict[str, tuple[str | Path, ...]] = {
        "build": ("build", run, "--board", "sim"),
        "evaluate": ("evaluate", run, "--data", corpus),
        "flash": ("flash", run, "--board", "sim"),
    }
    documents: dict[str, Any] = {"path": run, **made.outcomes}
    for name, arguments in stages.items():
        documents[name] = tinyml(*arguments, "--json", cwd=home).json
    return documents


@pytest.fixture
def run(outcomes: dict[str, Any], tmp_path: Path) -> Path:
    """A copy of the run that a test may spoil."""
    return Path(shutil.copytree(outcomes["path"], tmp_path / "runs" / "copy"))


@pytest.mark.parametrize(
    "stage", ["train", "quantize", "convert", "export-c-array", "build", "evaluate", "flash"]
)
def test_json_fits_the_schema(outcomes: dict[str, Any], stage: str) -> None:
    check_outcome(stage, outcomes[stage])


def test_every_split_has_every_word(outcomes: dict[str, Any]) -> None:
    data = json.loads((outcomes["path"] / "manifest.json").read_text())["data"]
    assert data["split_by"].startswith("speaker")
    for split in ("train", "validation", "test"):
        assert data["counts"][split]["up"] > 0
    assert sum(counts["up"] for counts in data["counts"].values()) == SPEAKERS * TAKES


def test_int8_is_what_tflm_says(outcomes: dict[str, Any]) -> None:
    convert = outcomes["convert"]
    assert convert["max_difference"] <= 1
    assert convert["int8"]["sha256"] == sha256_file(outcomes["path"] / "model_int8.tflite")
    assert convert["int8"]["bytes"] <= 35_000


def test_it_learnt_the_words(outcomes: dict[str, Any]) -> None:
    evaluate = outcomes["evaluate"]
    assert evaluate["labels"] == ["silence", "unknown", "up", "down"]
    assert evaluate["int8"]["accuracy"] >= 0.85
    low, high = evaluate["int8"]["ci95"]
    assert low <= evaluate["int8"]["accuracy"] <= high
    confusion = evaluate["int8"]["confusion"]
    assert sum(map(sum, confusion)) == evaluate["n"]


def test_strangers_all_count(tinyml: Tinyml, outcomes: dict[str, Any], corpus: Path, tmp_path: Path) -> None:
    """Only speakers that trained or chose the epoch are left out, whichever folder they are met in."""
    strangers = write_corpus(tmp_path / "strangers", speakers=8, takes=1, first=SPEAKERS)
    judged = tinyml("evaluate", outcomes["path"], "--data", strangers, "--json", cwd=tmp_path).json
    assert judged["n"] == 4 * 8
    known = outcomes["evaluate"]
    assert known["n"] < 4 * SPEAKERS


def test_the_firmware_fits_and_says_so(outcomes: dict[str, Any]) -> None:
    build = outcomes["build"]
    assert 0 < build["flash_bytes"] <= 1024 * 1024
    assert build["arena_bytes"] < build["ram_bytes"] <= 256 * 1024


def test_the_banner_names_this_model(outcomes: dict[str, Any]) -> None:
    assert outcomes["convert"]["int8"]["sha256"].startswith(outcomes["flash"]["model"])
    assert outcomes["flash"]["banner"]["labels"] == ["silence", "unknown", "up", "down"]


@pytest.mark.parametrize("word", ["up", "down"])
def test_the_virtual_board_hears_the_word(
    tinyml: Tinyml, outcomes: dict[str, Any], corpus: Path, tmp_path: Path, word: str
) -> None:
    clip = sorted((corpus / word).glob("*.wav"))[0]
    plain = tinyml("monitor", outcomes["path"], "--board", "sim", "--replay", clip, cwd=tmp_path)
    assert f"Heard {word} (" in plain.out
    answer = tinyml("monitor", outcomes["path"], "--board", "sim", "--replay", clip, "--json", cwd=tmp_path)
    events = [json.loads(line) for line in answer.out.splitlines()]
    detections = [event for event in events if event["event"] == "detection"]
    assert [event["label"] for event in detections] == [word]
    assert 0 < detections[0]["score"] <= 1
    lights = [
        event
        for event in events
        if event["event"] == "led" and (event["r"], event["g"], event["b"]) != (0, 0, 0)
    ]
    assert lights
    assert events[-1]["event"] == "summary"


def test_replaying_a_folder_reports_each_clip(
    tinyml: Tinyml, outcomes: dict[str, Any], corpus: Path, tmp_path: Path
) -> None:
    for word in ("up", "down", "flat"):
        (tmp_path / "play" / word).mkdir(parents=True)
        for clip in sorted((corpus / word).glob("*.wav"))[:3]:
            shutil.copy(clip, tmp_path / "play" / word)
    answer = tinyml(
        "monitor", outcomes["path"], "--board", "sim", "--replay", tmp_path / "play", "--json", cwd=tmp_path
    )
    events = [json.loads(line) for line in answer.out.splitlines()]
    clips = [event for event in events if event["event"] == "clip"]
    assert len(clips) == 9
    assert {clip["expected"] for clip in clips} == {"up", "down", "unknown"}
    right = [c for c in clips if c["detected"] == (c["expected"] if c["expected"] != "unknown" else None)]
    assert len(right) >= 7


@pytest.mark.parametrize("first", [pytest.param("quantize", marks=pytest.mark.slow), "export-c-array"])
def test_each_next_step_works_when_it_is_pasted(
    tinyml: Tinyml, run: Path, tmp_path: Path, first: str
) -> None:
    """From a stage on, every command does what the one before it says, until the board is watched."""
    name = "it's mine $HOME" if sys.platform == "win32" else 'it\'s "mine" $HOME'
    run = run.rename(run.with_name(name))
    (tmp_path / "runs" / "latest").write_text("another\n")
    step, steps = [first, "runs/" + run.name], []
    while step:
        steps.append(step[0])
        bound = ["--duration", "1"] if step[0] == "monitor" else []  # which would watch for ever
        said = tinyml(*step, *bound, cwd=tmp_path).out
        step = shlex.split(said.partition("Next: tinyml ")[2].partition("\n")[0])
    assert steps[-3:] == ["export-c-array", "build", "monitor"]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_int8_model(
    tinyml: Tinyml, outcomes: dict[str, Any], tmp_path: Path
) -> None:
    run = tmp_path / "again"
    whistles.train(tinyml, run)
    tinyml("quantize", run, "--samples", "64", cwd=tmp_path)
    again = tinyml("convert", run, "--json", cwd=tmp_path).json
    assert again["int8"]["sha256"] == outcomes["convert"]["int8"]["sha256"]


def test_a_stale_artifact_is_refused(tinyml: Tinyml, run: Path, tmp_path: Path) -> None:
    manifest = json.loads((run / "manifest.json").read_text())
    (run / "model.keras").write_bytes(b"retrained")
    manifest["artifacts"]["model.keras"]["sha256"] = sha256_file(run / "model.keras")
    (run / "manifest.json").write_text(json.dumps(manifest))
    before = (run / "model_int8.tflite").read_bytes()
    for stage in (["convert"], ["export-c-array"], ["build", "--board", "sim"]):
        error = tinyml(stage[0], run, *stage[1:], "--json", cwd=tmp_path, code=2).json["error"]
        assert "stale" in error["what"]
        assert "tinyml" in error["next_step"]
    assert (run / "model_int8.tflite").read_bytes() == before


def test_an_unknown_board(tinyml: Tinyml, run: Path, tmp_path: Path) -> None:
    error = tinyml("build", run, "--board", "uno", "--json", cwd=tmp_path, code=2).json["error"]
    assert "uno" in error["what"]
    assert "sim" in error["next_step"]


def test_a_missing_toolchain(tinyml: Tinyml, run: Path, tmp_path: Path) -> None:
    shutil.rmtree(run / "firmware")
    error = tinyml("build", run, "--json", cwd=tmp_path, code=2, env={"PATH": str(tmp_path)}).json["error"]
    assert "arm-none-eabi" in error["what"] + error["next_step"]
    assert not list(run.rglob("firmware.elf"))


def test_monitor_before_build(tinyml: Tinyml, run: Path, tmp_path: Path) -> None:
    shutil.rmtree(run / "firmware")
    error = tinyml("monitor", run, "--board", "sim", "--json", cwd=tmp_path, code=2).json["error"]
    assert "tinyml build" in error["next_step"] or "tinyml flash" in error["next_step"]


def _stopped_here(tinyml: Tinyml, options: list[str], run: Path, cwd: Path) -> str:
    """Stops a training in its second epoch; what it says."""
    from tinyml_cli.training.clip_batches import ClipBatches

    batches = ClipBatches.epoch

    def epoch(self: ClipBatches, number: int) -> Any:
        if number == 1:
            raise KeyboardInterrupt
        return batches(self, number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ClipBatches, "epoch", epoch)
        return tinyml(*options, cwd=cwd, code=130).err


def _stopped_by_signal(tinyml: Tinyml, options: list[str], run: Path, cwd: Path) -> str:
    """Stops a training in a process of its own once an epoch is saved; what it says."""
    with subprocess.Popen(
        [sys.executable, "-m", "tinyml_cli", *options], cwd=cwd, stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 200
        while not list((run / "logs").rglob("state.json")) and time.monotonic() < deadline:
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=100)
    assert process.returncode == 130
    return error.decode()


@pytest.mark.parametrize(
    "stop",
    [
        pytest.param(_stopped_here, id="in this process"),
        pytest.param(
            _stopped_by_signal,
            id="by a signal",
            marks=[
                pytest.mark.slow,
                pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT to a child process"),
            ],
        ),
    ],
)
def test_a_stopped_training_is_refused_until_accepted(
    stop: Callable[..., str], tinyml: Tinyml, tmp_path: Path
) -> None:
    run, corpus = tmp_path / "runs" / "long", write_corpus(tmp_path / "few", speakers=16)
    options = ["train", "kws", "--data", str(corpus), "--run", str(run), "--words", "up,down"]
    options += [*whistles.SMALL, "--set", "training.epochs=500", "--set", "augmentation.copies=2"]
    error = stop(tinyml, options, run, tmp_path)
    said = re.search(r"Stopped by Ctrl-C after epoch (\d+) of 500, which is kept .* To resume: ", error)
    assert said and "Traceback" not in error, error
    manifest = json.loads((run / "manifest.json").read_text())
    assert (manifest["complete"], manifest["epochs"]) == (False, {"done": int(said[1]), "planned": 500})
    refused = tinyml("quantize", run, "--json", cwd=tmp_path, code=2).json["error"]
    assert "--accept-partial" in refused["next_step"]
    tinyml("quantize", run, "--samples", "32", "--accept-partial", cwd=tmp_path)
    tinyml("convert", run, cwd=tmp_path, code=2)
    # The command that the refusal names goes on.
    again = shlex.split(refused["next_step"].partition("tinyml ")[2].partition(", or")[0])
    assert again[:2] == ["train", "kws"] and "--resume" in again


@pytest.mark.skipif(sys.platform == "win32", reason="uses make")
def test_a_makefile_pipeline_does_nothing_the_second_time(
    outcomes: dict[str, Any], run: Path, repository: Path, tmp_path: Path
) -> None:
    # An unchanged copy keeps the order of times, as a checkout of artifacts would.
    command = ["make", "-C", str(repository), f"RUN={run}", "-o", ".venv/.ready", "kws"]
    command += [f"TINYML={sys.executable} -m tinyml_cli"]
    shutil.rmtree(run / "export")
    first = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "export-c-array" in first.stdout and "build" in first.stdout and "convert" not in first.stdout
    second = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "tinyml_cli" not in second.stdout
