"""The sine: its points, its report, its firmware on two boards, and files that are no period."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Tinyml
from tests.doubles import sine_run
from tests.firmware.board_tools import BOARDS, TOOLS, require_tools
from tests.firmware.test_kws_app import Device
from tests.outcomes import check as check_outcome
from tinyml_cli.build import build
from tinyml_cli.build.target import build_target
from tinyml_cli.console import console
from tinyml_cli.engines.export import export
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest_sections import TensorQuantization
from tinyml_cli.recipes.hello import HelloRecipe
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.tasks.hello import replay
from tinyml_cli.tasks.hello.curve import CurveModel, HelloSettings, brightness, drawn
from tinyml_cli.tasks.hello.task import constant_warning

POINTS = sine_run.RECIPE_OF_IT.light.points


@pytest.fixture(scope="module")
def sine(tmp_path_factory: pytest.TempPathFactory) -> Run:
    console.quiet = True
    return sine_run.make(tmp_path_factory.mktemp("hello") / "run")


@pytest.fixture(scope="module", params=BOARDS)
def board(request: pytest.FixtureRequest, sine: Run) -> str:
    """A board for which the run's firmware is built."""
    require_tools(request.param)
    console.quiet = True
    build.build(sine, build_target(request.param))
    return str(request.param)


def expected(run: Run) -> tuple[CurveModel, np.ndarray, np.ndarray]:
    """The run's model, and x and y int8 [points] of the period that a board must show."""
    model = CurveModel(run.file(MODEL_INT8).read_bytes())
    inputs = model.inputs(run.manifest().settings_as(HelloSettings).period())
    return model, inputs[:, 0], model.reference(inputs)[0][:, 0]


def test_splits_share_no_point_and_only_the_test_is_free_of_noise() -> None:
    recipe = HelloRecipe()
    parts = {split: drawn(recipe, split) for split in ("train", "validation", "test")}
    x = np.concatenate([part[0] for part in parts.values()])
    assert len(np.unique(x)) == len(x) == 1400
    assert x.min() >= 0 and x.max() <= np.float32(2 * np.pi)
    noise = {split: float(np.std(y - np.sin(x))) for split, (x, y) in parts.items()}
    assert noise["train"] == pytest.approx(0.1, abs=0.01) == noise["validation"]
    assert noise["test"] < 1e-6
    assert np.array_equal(drawn(recipe, "train")[0], parts["train"][0])


def test_the_light_is_out_at_minus_one_and_full_at_one() -> None:
    scale = TensorQuantization(scale=1 / 64, zero_point=3)
    y = np.arange(-128, 128).astype(np.int8)
    light = brightness(y, scale)
    assert (np.diff(light) >= 0).all() and light.min() == 0 and light.max() == 255
    assert light[3 - 64 + 128] == 0 and light[3 + 128] in (127, 128) and light[3 + 64 + 128] == 255
    brightness(y, TensorQuantization(scale=1e9, zero_point=127))


def test_a_board_shows_the_computers_bytes(sine: Run, board: str) -> None:
    model, x, y = expected(sine)
    device = Device(board, Path(sine.path / "firmware" / board / "firmware.elf"))
    try:
        assert device.wait("ready")["app"] == "hello"
        device.command("reset 1")
        assert device.command(f"advance 2 {POINTS}") == {"event": "ack", "seq": 2}
        shown = device.events("wave")
        assert [event["point"] for event in shown] == list(range(POINTS))
        assert [event["x"] for event in shown] == x.tolist()
        assert [event["y"] for event in shown] == y.tolist()
        assert [event["light"] for event in shown] == brightness(y, model.output).tolist()
        assert device.command(f"advance 2 {POINTS}")["event"] == "ack"  # the answer was lost, it was done
        assert device.events("wave") == []
        for seq, count in ((3, 0), (4, 1001)):
            assert device.command(f"advance {seq} {count}") == {"event": "nak", "seq": seq, "reason": "range"}
        assert device.command("advance 5 1")["event"] == "ack"
        assert [event["point"] for event in device.events("wave")] == [0]
        device.command("advance 6 5")
        device.command("reset 7")
        device.command("advance 8 1")
        assert [event["point"] for event in device.events("wave")] == [0]
    finally:
        device.process.kill()
        device.process.wait()


def test_a_board_is_judged_and_replayed(sine: Run, board: str, tinyml: Tinyml, tmp_path: Path) -> None:
    judged = tinyml("evaluate", sine.path, "--on", board, "--limit", "40", "--json", cwd=tmp_path).json
    check_outcome("evaluate", judged)
    assert (judged["device"]["n"], judged["device"]["mismatches"]) == (40, 0)
    folder = replay.write(sine)
    answer = tinyml("monitor", sine.path, "--board", board, "--replay", folder, "--json", cwd=tmp_path)
    events = [json.loads(line) for line in answer.out.splitlines()]
    (clip,) = (event for event in events if event["event"] == "clip")
    check_outcome("monitor", clip)
    assert (clip["expected"], clip["detected"], clip["mismatches"]) == ("sine", "sine", 0)
    assert 0 < clip["mean_error"] < 0.03
    shown = [event["point"] for event in events if event["event"] == "wave"]
    assert set(shown) == set(range(POINTS))
    assert events[-1]["hits"] == 1


def test_a_board_goes_on_by_itself(sine: Run, board: str, tinyml: Tinyml, tmp_path: Path) -> None:
    shown = tinyml("monitor", sine.path, "--board", board, "--duration", "0.6", cwd=tmp_path)
    assert "feed it" not in shown.err
    waves = [line for line in shown.out.splitlines() if line.startswith("x ")]
    assert len(waves) >= 2 and waves[0].startswith("x 0.00  y +0.0")
    assert waves[1].index("●") > waves[0].index("●")


def test_the_report_states_the_error_and_its_n(sine: Run, tinyml: Tinyml, tmp_path: Path) -> None:
    judged = tinyml("evaluate", sine.path, "--json", cwd=tmp_path).json
    check_outcome("evaluate", judged)
    assert judged["n"] == 200 == len(judged["points"])
    low, high = judged["int8"]["mean_ci95"]
    assert 0 < low < judged["int8"]["mean"] < high < 0.03 and judged["float32"]["mean"] < 0.02
    page = sine.file("report/report.html").read_text(encoding="utf-8")
    assert f"{judged['int8']['mean']:.4f}" in page and "n = 200" in page
    assert sine.file("report/curve.png").read_bytes().startswith(b"\x89PNG")
    assert "points" not in sine.manifest().metrics["evaluate"]
    tinyml("card", sine.path, cwd=tmp_path)
    assert "mean error 0.0" in sine.file("report/card.md").read_text(encoding="utf-8")


def test_what_has_not_learned_the_sine_is_told(sine: Run, tinyml: Tinyml, tmp_path: Path) -> None:
    run = Run(Path(shutil.copytree(sine.path, tmp_path / "run")))
    # Without the weights of its first layer it answers the same to every x.
    manifest = run.manifest()
    flat = bytearray(run.file(MODEL_INT8).read_bytes())
    weights = flat.index(np.full(sine_run.HINGES, 127, np.int8).tobytes())
    flat[weights : weights + sine_run.HINGES] = bytes(sine_run.HINGES)
    run.file(MODEL_INT8).write_bytes(bytes(flat))
    run.record(manifest, MODEL_INT8, "tinyml convert")
    run.save(manifest)
    told = tinyml("evaluate", run.path, cwd=tmp_path)
    assert "no sine yet" in told.err and "--set training.epochs" in told.err


@pytest.mark.parametrize(
    ("loss", "is_told"), [(0.011, False), (0.4, False), (0.5, True), (float("nan"), True)]
)
def test_a_model_no_better_than_a_constant_is_told(loss: float, is_told: bool) -> None:
    said = constant_warning(loss, drawn(HelloRecipe(), "validation")[1])
    assert ("no better than a constant" in said and "learning_rate" in said) if is_told else said == ""


@pytest.mark.slow
def test_an_absurd_rate_is_told_when_it_has_trained(tinyml: Tinyml, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="extra `train` is not installed")
    sets = ("--set", "training.learning_rate=1", "--set", "training.epochs=4")
    assert "no better than a constant" in tinyml("train", "hello", *sets, cwd=tmp_path).err


def test_files_that_are_no_period_are_refused(sine: Run, tinyml: Tinyml, tmp_path: Path) -> None:
    period = (replay.write(sine) / "sine.csv").read_text().splitlines()
    wrong = {
        "empty": "",
        "header": "\n".join(["a,b", *period[1:]]),
        "short": "\n".join(period[:-1]),
        "words": "\n".join([*period[:-1], "one,two"]),
        "columns": "\n".join([*period[:-1], "1,2,3"]),
        "other x": "\n".join([*period[:-1], "1.0,0.5"]),
        "not a number": "\n".join([*period[:-1], period[-1].partition(",")[0] + ",nan"]),
        "bytes": "\x00\x01\x02",
    }
    for name, text in wrong.items():
        file = tmp_path / f"{name}.csv"
        file.write_text(text)
        with pytest.raises(TinymlError, match="not one period of 64 points"):
            replay.read(file, sine.manifest())
    x, y = period[30].split(",")
    file = tmp_path / "other curve.csv"
    file.write_text("\n".join([*period[:30], f"{x},{float(y) + 0.1}", *period[31:]]))
    with pytest.raises(TinymlError, match="1 point of the file off the sine, the first in line 31"):
        replay.read(file, sine.manifest())
    refused = tinyml("train", "hello", "--set", f"data_path={tmp_path}", cwd=tmp_path, code=2)
    assert "a sine has no data" in refused.err
    refused = tinyml("evaluate", sine.path, "--data", tmp_path, cwd=tmp_path, code=2)
    assert "A sine has no data" in refused.err
    refused = tinyml("evaluate", sine.path, "--on", "sim", "--path", "audio", cwd=tmp_path, code=2)
    assert "no audio" in refused.err
    for value in ("[]", "[0]", "[16, -1]", "[16, wide]", "16"):
        refused = tinyml("train", "hello", "--set", f"model.hidden={value}", cwd=tmp_path, code=2)
        assert "model.hidden" in refused.err and not (tmp_path / "runs").exists()


def test_a_model_of_another_size_gets_no_firmware(sine: Run, tmp_path: Path) -> None:
    from tests.doubles import looking_run

    run = Run(Path(shutil.copytree(sine.path, tmp_path / "run")))
    manifest = run.manifest()
    run.file(MODEL_INT8).write_bytes(looking_run.model())
    run.record(manifest, MODEL_INT8, "tinyml convert")
    run.save(manifest)
    with pytest.raises(TinymlError, match="does not take one number and give one"):
        export(run, "aot")


@pytest.mark.slow
def test_from_nothing_to_a_board(tinyml: Tinyml, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="extra `train` is not installed")
    for tool in TOOLS["sim"]:
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool} here")
    done = tinyml("pipeline", "hello", "--board", "sim", "--run", "run", "--json", cwd=tmp_path).json
    check_outcome("pipeline", done)
    assert done["passed"] and done["monitor"]["hits"] == 1
    assert done["evaluate"]["int8"]["mean"] <= 0.05 and done["evaluate"]["n"] == 200
    assert (tmp_path / "run" / MODEL_INT8).stat().st_size < 2700
