"""A model that looks only after another one has heard a word, both in one arena."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from tests.conftest import Tinyml
from tests.doubles import looking_run
from tests.firmware import random_listener
from tests.firmware.board_tools import TOOLS
from tests.firmware.test_kws_app import Device
from tests.firmware.test_vww_app import frame_of, show
from tinyml_cli.boards import boards
from tinyml_cli.boards.boards import load_board
from tinyml_cli.build import budget
from tinyml_cli.build.build import build
from tinyml_cli.build.target import build_target
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.image_settings import GateRule
from tinyml_cli.manifest_sections import RecognizerSettings
from tinyml_cli.outcomes.profiles import ProfileFigures, ProgramMemory
from tinyml_cli.profile import cascade
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.tflite.graph import parse

LISTENS = RecognizerSettings(threshold=0.4, suppression_ms=300, average_window_ms=200, minimum_count=2)
HOLD_MS = 1000
# Of what is reserved for two interpreters: structures of a 64-bit host, and rounding.
MARGIN_BYTES = 8192


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    folder = tmp_path_factory.mktemp("cascade")
    listens = random_listener.make(folder / "colours", ["red", "green"], 5, LISTENS)
    looks = looking_run.make(folder / "people")
    manifest = looks.manifest()
    manifest.gate = GateRule(when="red", hold_ms=HOLD_MS)
    looks.save(manifest)
    return listens, looks


@pytest.fixture(
    scope="module",
    params=[pytest.param(("native", "aot"), marks=pytest.mark.slow), ("sim", "aot"), ("sim", "tflm")],
    ids="-".join,
)
def firmware(
    request: pytest.FixtureRequest, runs: tuple[Run, Run], tinyml: Tinyml
) -> tuple[str, Path, dict[str, Any]]:
    board, engine = request.param
    tree = os.environ.get("TINYML_TFLM")
    if engine == "tflm" and not tree:
        pytest.skip("TINYML_TFLM names no source tree of TensorFlow Lite Micro")
    for tool in TOOLS[board]:
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool} here")
    both = ("--run", runs[0].path, "--run", runs[1].path, "--app", "cascade")
    sources = ("--tflm", tree) if engine == "tflm" else ()
    arguments = ("build", *both, "--board", board, "--engine", engine, *sources, "--json")
    outcome = tinyml(*arguments, cwd=runs[0].path.parent).json
    return board, Path(outcome["elf"]), outcome


@pytest.fixture
def device(firmware: tuple[str, Path, dict[str, Any]]) -> Iterator[Device]:
    device = Device(firmware[0], firmware[1])
    try:
        assert device.wait("ready")["app"] == "cascade"
        yield device
    finally:
        device.process.kill()
        device.process.wait()


def sound_of(run: Run, word: str) -> np.ndarray:
    """Noise in which the first word that the first model hears is this one, up to that moment."""
    labels = run.manifest().labels
    for seed in range(7, 60):
        audio = random_listener.sounds(10, seed)
        heard = random_listener.heard(run, audio)
        if heard and labels[heard[0].label] == word:
            return audio[: (heard[0].time_ms + 20) * 16]
    raise AssertionError(f"{word} is never heard first")


def open_gates(device: Device, lines: list[str]) -> list[bool]:
    device.lines = lines
    return [event["open"] for event in device.events("gate")]


def test_the_word_opens_the_camera_and_somebody_closes_it(device: Device, runs: tuple[Run, Run]) -> None:
    bright = frame_of(looking_run.PERSON_GREY)
    assert show(device, bright)["image"] == []  # nobody has said the word
    said = device.play(sound_of(runs[0], "red"), 100)
    assert open_gates(device, said)[-1] is True
    first, second, third = (show(device, bright, 20_000 + 50 * index) for index in range(3))
    assert [event["frame"] for event in first["image"] + second["image"]] == [1, 2]
    assert [event["model"] for event in second["person"]] == ["people"]
    assert second["person"][0]["label"] == "person"
    assert second["led"][-1]["g"] == 255
    assert third["image"] == []  # somebody was seen: the camera is off again


def test_other_words_leave_the_camera_off(device: Device, runs: tuple[Run, Run]) -> None:
    said = device.play(sound_of(runs[0], "green"), 100)
    assert any('"label":"green"' in line for line in said)
    assert open_gates(device, said) == []
    assert show(device, frame_of(looking_run.PERSON_GREY), 20_000)["image"] == []


def test_the_camera_goes_off_by_itself(device: Device, runs: tuple[Run, Run]) -> None:
    audio = sound_of(runs[0], "red")
    device.play(audio, 100)
    said = device.play(np.zeros(16 * (HOLD_MS + 400), np.int16), 10_000)
    gates = open_gates(device, said)
    assert False in gates
    if gates[-1] is False:
        assert show(device, frame_of(looking_run.PERSON_GREY), 20_000)["image"] == []


def test_scores_are_those_of_each_model_alone(device: Device, runs: tuple[Run, Run]) -> None:
    audio = sound_of(runs[0], "red")
    device.command("trace 1 scores")
    device.play(audio, 100)
    times, expected = random_listener.scores(runs[0], audio)
    scores = device.events("scores")
    assert [event["t_ms"] for event in scores] == times.tolist()
    assert np.array_equal([event["q"] for event in scores], expected)


def test_the_arena_is_that_of_the_larger_one(
    firmware: tuple[str, Path, dict[str, Any]], runs: tuple[Run, Run]
) -> None:
    assert firmware[2]["app"] == "cascade"
    if firmware[2]["engine"] != "aot":
        pytest.skip("one allocator holds both interpreters: see the next test")
    sizes = [
        int(re.findall(r"#define NETWORK_ARENA_BYTES (\d+)", run.file("export/aot/network.h").read_text())[0])
        for run in runs
    ]
    assert firmware[2]["arena_bytes"] == max(sizes)


def test_one_allocator_holds_both_interpreters(
    device: Device, firmware: tuple[str, Path, dict[str, Any]]
) -> None:
    if firmware[2]["engine"] != "tflm":
        pytest.skip("the engine aot has no allocator")
    device.send(b"info 1\n")
    ready = device.wait("ready")
    assert 0 < ready["arena_used"] <= ready["arena_bytes"] == firmware[2]["arena_bytes"]
    assert ready["arena_bytes"] <= ready["arena_used"] + MARGIN_BYTES


def test_monitor_plays_the_word_and_shows_what_is_there(
    firmware: tuple[str, Path, dict[str, Any]], runs: tuple[Run, Run], tinyml: Tinyml, tmp_path: Path
) -> None:
    """Images are shown in turn, one each time the word is heard."""
    board, _, outcome = firmware
    if (board, outcome["engine"]) != ("native", "aot"):
        pytest.skip("the host's part is the same for every board")
    (tmp_path / "photos").mkdir()
    for name, grey in (("person/a", looking_run.PERSON_GREY), ("street/b", looking_run.NOBODY_GREY)):
        path = tmp_path / "photos" / f"{name}.png"
        path.parent.mkdir()
        Image.fromarray(looking_run.picture(grey)).save(path)
    for number in range(2):
        path = tmp_path / "sounds" / "red" / f"{number}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, sound_of(runs[0], "red"), 16_000)
    command = ["monitor", runs[0].path, "--board", board, "--replay", tmp_path / "sounds", "--frames"]
    refused = tinyml(*command, tmp_path / "photos", cwd=tmp_path, code=2)
    assert "Add --with" in refused.err
    both = (*command, tmp_path / "photos", "--with", runs[1].path)
    events = [json.loads(line) for line in tinyml(*both, "--json", cwd=tmp_path).out.splitlines()]
    seen = [event for event in events if event["event"] == "clip" and "model" in event]
    assert {event["model"] for event in seen} == {"people"}
    first, second = seen[:2]
    assert (first["file"], first["expected"], first["detected"]) == ("person/a.png", "person", "person")
    assert (second["file"], second["expected"], second["detected"]) == ("street/b.png", "none", None)
    opened = [event for event in events if event["event"] == "gate" and event["open"]]
    assert len(opened) == len(seen)
    names = [event["file"] for event in events if event["event"] == "clip"]
    assert names[:2] == ["red/0.wav", "person/a.png"]
    assert "person/a.png: expected person, saw person" in tinyml(*both, cwd=tmp_path).out


def test_it_hears_and_looks_by_this_computer(
    firmware: tuple[str, Path, dict[str, Any]],
    runs: tuple[Run, Run],
    tinyml: Tinyml,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    board, _, outcome = firmware
    if (board, outcome["engine"]) != ("native", "aot"):
        pytest.skip("the host's part is the same for every board")
    for module, device in (("sounddevice", "microphone"), ("cv2", "webcam")):
        monkeypatch.syspath_prepend(Path(__file__).parents[1] / "data" / device)
        monkeypatch.delitem(sys.modules, module, raising=False)
    soundfile.write(tmp_path / "said.wav", sound_of(runs[0], "red"), 16_000)
    Image.fromarray(looking_run.picture(looking_run.PERSON_GREY)).save(tmp_path / "seen.png")
    monkeypatch.setenv("FAKE_MICROPHONE", str(tmp_path / "said.wav"))
    monkeypatch.setenv("FAKE_WEBCAM", str(tmp_path))
    command = ("monitor", runs[0].path, "--with", runs[1].path, "--board", board, "--camera")
    assert "Add --microphone" in tinyml(*command, cwd=tmp_path, code=2).err
    both = (*command, "--microphone", "--duration", "3", "--json")
    events = [json.loads(line) for line in tinyml(*both, cwd=tmp_path).out.splitlines()]
    kinds = [event["event"] for event in events]
    assert kinds.index("gate") < kinds.index("person")
    assert next(event for event in events if event["event"] == "person")["label"] == "person"


def test_a_word_that_nobody_listens_for_is_refused(runs: tuple[Run, Run], tmp_path: Path) -> None:
    copy = Run(Path(shutil.copytree(runs[1].path, tmp_path / "others")))
    document = json.loads(copy.file("manifest.json").read_text())
    document["gate"]["when"] = "blue"
    copy.file("manifest.json").write_text(json.dumps(document))
    with pytest.raises(TinymlError, match="gate word is `blue`"):
        build(runs[0], build_target("native", second=copy))


def test_models_that_fit_alone_but_not_together_are_refused(
    runs: tuple[Run, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the build, which would take minutes; on a board of the user's with less flash."""
    monkeypatch.setenv("TINYML_BOARDS", str(tmp_path))
    graphs = [parse(run.file(MODEL_INT8).read_bytes()) for run in runs]
    sizes = [sum(tensor.bytes for tensor in graph.tensors if tensor.data is not None) for graph in graphs]
    core = load_board("nano33ble").arduino
    assert core is not None
    text = (Path(boards.__file__).parent / "nano33ble.yaml").read_text()
    text = re.sub(r"(?m)^flash_bytes: .*", f"flash_bytes: {core.core_flash_bytes + sum(sizes) - 1}", text)
    (tmp_path / "tight.yaml").write_text(re.sub(r"(?m)^name: .*", "name: tight", text))
    for graph in graphs:
        budget.check_estimate(load_board("tight"), [graph], 1000)
    with pytest.raises(TinymlError, match=f"two models.*cannot fit.*weights of {sum(sizes):,} B") as caught:
        build(runs[0], build_target("tight", "aot", second=runs[1]))
    assert "smaller model" in caught.value.next_step


def test_an_application_that_does_something_else_is_refused(
    runs: tuple[Run, Run], tinyml: Tinyml, tmp_path: Path
) -> None:
    both = ("--run", runs[0].path, "--run", runs[1].path)
    for app in ("multi_tenant", "bench"):
        answer = tinyml("build", *both, "--app", app, "--board", "native", cwd=tmp_path, code=2)
        assert f"{app} does not match: the second model looks" in answer.err
    answer = tinyml("build", runs[0].path, *both, "--board", "native", cwd=tmp_path, code=2)
    assert "not 3" in answer.err


def test_the_saving_is_estimated_from_both_profiles(runs: tuple[Run, Run]) -> None:
    ear, eye = (profile_of(run, time_ms) for run, time_ms in zip(runs, (40.0, 200.0), strict=True))
    hop_ms = runs[0].manifest().features.stride_ms
    rare = cascade.estimate(*runs, (ear, eye), cascade.CascadeAssumptions(2.0, 0.0))
    assert rare.evidence == "estimated"
    # Nobody says the word: listening alone. U I t: 3 V, 3.3 mA, a share of the hour in ms.
    stride = runs[0].manifest().recognizer.inference_stride_frames
    front_end_ms = cascade.FRONT_END_INSTRUCTIONS / 64_000
    busy = 40.0 / (hop_ms * stride) + front_end_ms / hop_ms
    assert rare.with_first_stage.parts["looking"] == 0
    assert rare.with_first_stage.parts["listening"] == pytest.approx(3 * 3.3 * 3600 * busy, rel=1e-3)
    assert rare.without_first_stage.parts["looking"] == pytest.approx(3 * 3.3 * 3600 * 0.4, rel=1e-3)
    assert rare.break_even_frames_per_s == pytest.approx(busy / 0.2, abs=0.01)
    always = cascade.estimate(
        *runs, (ear, eye), cascade.CascadeAssumptions(2.0, 3600.0 * 1000 / HOLD_MS, camera_ma=10)
    )
    assert always.ratio > 1  # the camera is never off
    assert always.with_first_stage.parts["camera"] == 3 * 10 * 3600
    assert "estimated" in cascade.text(always)
    with pytest.raises(TinymlError, match="does not look"):
        cascade.estimate(runs[0], runs[0], (ear, eye), cascade.CascadeAssumptions())


def profile_of(run: Run, time_ms: float) -> ProfileFigures:
    """As if every instruction took a cycle at 64 MHz."""
    cycles = round(time_ms * 64_000)
    return ProfileFigures.filled(
        run=run.path.name, model_sha256="0" * 64, board="sim", engine="aot", app="bench", chip="nano33ble",
        clock_hz=64_000_000, macs=0, time_ms=time_ms, operators=[], memory=ProgramMemory.filled(),
        evidence={}, functions=[], symbols=[],
        instructions=cycles, cycles=cycles,
    )  # fmt: skip
