"""The application `wand` as a host process and on the virtual board, from motion to the gesture it shows."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import Tinyml
from tests.firmware.board_tools import BOARDS, require_tools
from tests.firmware.test_kws_app import Device
from tests.tasks.wand import waved_run
from tinyml_cli.build import build
from tinyml_cli.build.target import build_target
from tinyml_cli.console import console
from tinyml_cli.features import motion
from tinyml_cli.features.gesture_settings import GestureInput
from tinyml_cli.features.image import pixel_transform, quantize_pixels
from tinyml_cli.features.motion_windows import MotionWindow, quantize
from tinyml_cli.features.raster import rasterise
from tinyml_cli.recipes.wand import WandRecipe
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.tasks.wand import hand, kinematics
from tinyml_cli.tasks.wand.drift_columns import felt_reference
from tinyml_cli.tasks.wand.evaluate import GestureModel
from tinyml_cli.tasks.wand.motion_file import write_motion
from tinyml_cli.tasks.wand.strokes import LabelledStroke, to_points, write_strokes
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse

DIGITS = "017"
RATE_HZ = kinematics.SAMPLE_RATE_HZ
Boot = Callable[[str, str], "WandDevice"]


class WandDevice(Device):
    """A wand that the host moves."""

    def __init__(self, board: str, elf: Path, run: Run) -> None:
        super().__init__(board, elf)
        self.run = run
        self.seq = 0

    def ask(self, verb: str, *arguments: object, bulk: bytes | None = None) -> dict[str, Any]:
        self.seq += 1
        return self.command(" ".join(map(str, (verb, self.seq, *arguments))), bulk)

    def move(self, samples: np.ndarray, piece: int = 106) -> list[dict[str, Any]]:
        """Feeds int16 [n, 6]; returns the events that came of it."""
        said = []
        for start in range(0, len(samples), piece):
            data = np.ascontiguousarray(samples[start : start + piece]).astype("<i2").tobytes()
            assert self.ask("imu", bulk=data)["event"] == "ack"
            said += self.said()
        return said

    def said(self) -> list[dict[str, Any]]:
        """Events of the last answer, without what depends on the clock of this computer."""
        events = [json.loads(line) for line in self.lines if line.startswith("{")]
        return [{key: event[key] for key in event if key != "inference_us"} for event in events]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    console.quiet = True
    folder = tmp_path_factory.mktemp("wand")
    imu = GestureInput(input="imu", imu=waved_run.IMU, threshold=0.8)
    labels = ["unknown", *DIGITS]
    return {
        "lines": waved_run.make(folder / "lines", waved_run.line_model(), GestureInput(threshold=0.9)),
        "turned": waved_run.make(
            folder / "turned", waved_run.line_model(), GestureInput(threshold=0.9, rotation_invariant=True)
        ),
        "digits": waved_run.make(
            folder / "digits", waved_run.digit_model(DIGITS), GestureInput(threshold=0.5), labels
        ),
        "motion": waved_run.make(folder / "motion", waved_run.motion_model(), imu),
    }


@pytest.fixture(scope="module")
def boot(runs: dict[str, Run]) -> Any:
    started: list[WandDevice] = []

    def start(kind: str, board: str) -> WandDevice:
        require_tools(board)
        console.quiet = True
        device = WandDevice(board, Path(build.build(runs[kind], build_target(board)).elf), runs[kind])
        started.append(device)
        assert device.wait("ready")["app"] == "wand"
        return device

    yield start
    for device in started:
        device.process.kill()
        device.process.wait()


def waved(path: np.ndarray, seed: int = 0, roll_rad: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    grip = kinematics.Grip(roll_rad=roll_rad)
    return kinematics.wave(path, grip, kinematics.random_sensor(rng), rng).samples


def line(angle: float) -> np.ndarray:
    share = np.linspace(0, 1, 80)[:, None]
    smooth = share**3 * (10 - 15 * share + 6 * share**2) - 0.5
    return 0.8 * smooth * np.array([[np.cos(angle), np.sin(angle)]])


def of(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == kind]


@pytest.mark.parametrize("board", BOARDS)
def test_a_drawn_digit_is_recognised_from_the_motion_that_draws_it(boot: Boot, board: str) -> None:
    """The whole chain with known truth: hand, wand, sensor, orientation, stroke, picture, network, label."""
    device, right, total = boot("digits", board), 0, 0
    for seed in range(24 if board == "native" else 6):
        digit, rng = DIGITS[seed % len(DIGITS)], np.random.default_rng([900, seed])
        path = hand.draw(digit, hand.random_writer(rng), rng)
        grip = kinematics.random_grip(rng)
        device.ask("reset")
        said = device.move(kinematics.wave(path, grip, kinematics.random_sensor(rng), rng).samples)
        labels = [event["label"] for event in of(said, "gesture")]
        right += labels == [digit]
        total += 1
    assert right >= 0.8 * total


@pytest.mark.parametrize("board", BOARDS)
def test_stroke_picture_and_scores_are_the_hosts(boot: Boot, board: str) -> None:
    device = boot("digits", board)
    model = device.run.file(MODEL_INT8).read_bytes()
    source, _ = interpret.io_quantization(parse(model))
    device.ask("trace", "scores,features")
    for seed in range(3):
        rng = np.random.default_rng([901, seed])
        samples = waved(hand.draw("7", hand.random_writer(rng), rng), seed, roll_rad=seed)
        device.ask("reset")
        said = device.move(samples)
        (points,) = motion.strokes_of(samples, RATE_HZ)
        assert [event["points"] for event in of(said, "stroke")] == [_base64(points)]
        transform = pixel_transform(source.scale, source.zero_point, 0.0, 1.0)
        pixels = quantize_pixels(rasterise(points), transform)
        assert [event["data"] for event in of(said, "input")] == [pixels.tobytes().hex()]
        expected = interpret.run_int8(model, pixels[None], "litert")[0]
        assert np.abs(np.array(of(said, "scores")[0]["q"]) - expected).max() <= 1


def test_lines_are_told_apart_and_drawn_as_text(boot: Boot) -> None:
    device = boot("lines", "native")
    for angle, label in ((0.0, "wide"), (np.pi / 2, "upright")):
        device.ask("reset")
        said = device.move(waved(line(angle)))
        (gesture,) = of(said, "gesture")
        assert (gesture["label"], gesture["best"]) == (label, label)
        assert of(said, "led")[0]["g"] == 255 if label == "upright" else of(said, "led")
    device.ask("reset")
    text = []
    for start in range(0, 300, 100):
        device.ask("imu", bulk=waved(line(0.0))[start : start + 100].astype("<i2").tobytes())
        text += [row for row in device.lines if not row.startswith("{")]
    drawing = [row for row in text if len(row) == 32]
    assert len(drawing) == 16
    middle = "".join(drawing).replace(".", "")
    assert middle.startswith("o") and middle.endswith("*") and "+" in middle
    assert any(row.startswith("Recognised wide (") for row in text)


def test_with_the_option_a_stroke_may_be_turned(boot: Boot) -> None:
    device = boot("turned", "native")
    for angle in (0.0, 0.8, np.pi / 2, 3.0):
        device.ask("reset")
        assert [event["label"] for event in of(device.move(waved(line(angle))), "gesture")] == ["upright"]


def test_pieces_do_not_matter_and_a_repeated_line_is_taken_once(boot: Boot) -> None:
    device, samples = boot("lines", "native"), waved(line(0.0))
    whole = device.move(samples)
    device.ask("reset")
    assert device.move(samples, 7) == whole
    device.ask("reset")
    said = []
    for start in range(0, len(samples), 50):
        data = samples[start : start + 50].astype("<i2").tobytes()
        device.ask("imu", bulk=data)
        said += device.said()
        device.seq -= 1
        device.ask("imu", bulk=data)
        assert not device.events("gesture")
    assert said == whole


def test_the_light_goes_out_and_other_senses_are_refused(boot: Boot) -> None:
    device = boot("lines", "native")
    still = np.tile(np.array([0, 0, 1000, 0, 0, 0], np.int16), (200, 1))
    said = of(device.move(np.concatenate([waved(line(0.0)), still])), "led")
    assert [max(event["r"], event["g"], event["b"]) for event in said] == [255, 0]
    assert said[1]["t_ms"] - said[0]["t_ms"] in range(1000, 1020)
    assert device.ask("pcm", bulk=bytes(64))["reason"] == "command"
    assert device.ask("calibrate", 3)["reason"] == "command"
    assert device.ask("imu", bulk=bytes(13))["reason"] == "format"


@pytest.mark.parametrize("board", BOARDS)
def test_windows_of_raw_motion_are_the_hosts(boot: Boot, board: str) -> None:
    device = boot("motion", board)
    rng = np.random.default_rng(5)
    samples = rng.integers(-32768, 32768, (400, 6)).astype(np.int16)
    samples[:, 5] = np.where((np.arange(400) // 150) % 2, 2500, 0)  # a long turn: `wide`
    device.ask("trace", "features")
    said = device.move(samples)
    gesture = device.run.manifest().gesture
    assert gesture is not None and gesture.imu is not None
    source, _ = interpret.io_quantization(parse(device.run.file(MODEL_INT8).read_bytes()))
    spotter, windows, labels = MotionWindow(gesture.imu), [], []
    reported = iter(of(said, "gesture"))
    for index, sample in enumerate(samples.tolist()):
        if spotter.push(sample):
            window = samples[None, index + 1 - gesture.imu.window_samples : index + 1]
            windows.append(quantize(window, gesture.imu, source.scale, source.zero_point).tobytes().hex())
            labels.append(next(reported)["label"])
            if labels[-1] != "unknown":
                spotter.accept()
    assert [event["data"] for event in of(said, "input")] == windows
    assert labels.count("wide") == 2 and "unknown" in labels
    assert next(reported, None) is None


def test_monitor_moves_the_wand_through_strokes(
    boot: Boot, runs: dict[str, Run], tinyml: Tinyml, tmp_path: Path
) -> None:
    boot("lines", "native").process.kill()
    lines = ((0.0, "wide"), (np.pi / 2, "upright"))
    strokes = [LabelledStroke(to_points(line(angle)), label, "") for angle, label in lines]
    write_strokes(tmp_path / "lines.json", strokes)
    command = ["monitor", runs["lines"].path, "--board", "native", "--replay", tmp_path / "lines.json"]
    assert "2 recordings: 2 hits" in tinyml(*command, cwd=tmp_path).out
    events = [json.loads(row) for row in tinyml(*command, "--json", cwd=tmp_path).out.splitlines()]
    assert [event["detected"] for event in of(events, "clip")] == ["wide", "upright"]
    refused = tinyml(*command[:-1], tmp_path / "nothing", cwd=tmp_path, code=2)
    assert "no such file or folder" in refused.err


@pytest.mark.slow
def test_motion_that_a_board_reports_is_compared_with_the_training(
    boot: Boot, runs: dict[str, Run], tinyml: Tinyml, tmp_path: Path
) -> None:
    """Takes from the reference, played to firmware: no drift; the board turned in its holder: drift."""
    boot("motion", "native").process.kill()
    run = runs["motion"]
    manifest = run.manifest()
    gesture = manifest.gesture
    assert gesture is not None and gesture.imu is not None
    rng = np.random.default_rng(6)
    labels = np.arange(90) % 3
    takes = np.cumsum(rng.normal(0, 60, (90, 60, 6)), axis=1)
    takes[..., 2] += 1000
    takes[..., 5] += np.array([0, -2500, 2500])[labels, None]
    takes = np.clip(takes, -32768, 32767).astype(np.int16)
    model = GestureModel(run.file(MODEL_INT8).read_bytes(), WandRecipe(input="imu", imu=gesture.imu))
    manifest.reference = felt_reference(gesture, manifest.labels, model, takes, labels)
    run.save(manifest)

    codes = []
    for name, axes in (("same", [0, 1, 2, 3, 4, 5]), ("turned", [1, 2, 0, 4, 5, 3])):
        for number, (take, label) in enumerate(zip(takes, labels, strict=True)):
            path = tmp_path / name / manifest.labels[label] / f"{number}.csv"
            write_motion(path, take[:, axes], gesture.rate_hz)
        log = tmp_path / f"{name}.jsonl"
        played = ("--replay", tmp_path / name, "--trace", "scores,features", "--log", log)
        tinyml("monitor", run.path, "--board", "native", *played, cwd=tmp_path)
        answer = tinyml("drift", run.path, log, "--json", cwd=tmp_path, code=None)
        assert answer.json["missing"] == []
        codes.append(answer.code)
    assert codes == [0, 1]


def _base64(points: np.ndarray) -> str:
    return base64.b64encode(points.tobytes()).decode()
