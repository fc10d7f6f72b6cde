"""A streaming model from training to firmware: frames are computed once, and scores are those of windows."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conftest import Tinyml
from tests.corpus import RATE_HZ, whistle
from tests.firmware import random_listener
from tinyml_cli import recipes
from tinyml_cli.build.target import build_target
from tinyml_cli.connect import open_board
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.answers import Int8Model
from tinyml_cli.files import configs_dir
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import MAX_PCM_SAMPLES, Scores
from tinyml_cli.models.architectures import STREAMING
from tinyml_cli.recipes.kws import KwsRecipe, ModelRecipe
from tinyml_cli.run import MODEL_INT8, MODEL_STREAM, Run
from tinyml_cli.tasks.kws import phrases
from tinyml_cli.tasks.kws.stream_scores import score_stream
from tinyml_cli.tasks.kws.streaming import check_hop
from tinyml_cli.tasks.kws.task import KWS
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.streaming import to_streaming
from tinyml_cli.tuning import worker

needs_sim = pytest.mark.skipif(
    shutil.which("qemu-system-arm") is None or shutil.which("arm-none-eabi-gcc") is None,
    reason="no QEMU or no Arm compiler here",
)


@pytest.fixture(scope="module")
def converted(tinyml: Tinyml, corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A run of stream_conv that heard whistles, and what `convert` said."""
    home = tmp_path_factory.mktemp("streaming")
    run = home / "runs" / "whistles"
    tinyml(
        *("train", "kws", "--data", corpus, "--run", run, "--words", "up,down", "--seed", "3"),
        *("--model", "stream_conv", "--set", "training.epochs=1", "--set", "augmentation.copies=1"),
        cwd=home,
    )
    tinyml("quantize", run, "--samples", "32", cwd=home)
    return run, tinyml("convert", run, "--json", cwd=home).json


def test_convert_makes_the_streaming_form(converted: tuple[Path, Any]) -> None:
    run, outcome = converted
    whole, stream = (tflite_graph.load(run / name) for name in (MODEL_INT8, MODEL_STREAM))
    assert whole.tensors[whole.inputs[0]].shape == (1, 49, 40, 1)
    assert stream.tensors[stream.inputs[0]].shape == (1, 5, 40, 1)
    told = outcome["stream"]
    assert told["hop_frames"] == 5
    assert told["bytes"] == stream.model_bytes
    assert told["macs"] == tflite_graph.total_macs(stream) < 0.15 * tflite_graph.total_macs(whole)
    assert told["compared"] == (10 if interpret.has_tflm() else 0)


def test_a_window_that_the_strides_do_not_divide_is_refused_with_one_that_they_do() -> None:
    def build(recipe: KwsRecipe) -> Any:
        return lambda: KWS.build_model(recipe)

    recognizer = KwsRecipe().recognizer.model_copy(update={"inference_stride_frames": 4})
    recipe = KwsRecipe(model=ModelRecipe(name="stream_ds_cnn"), recognizer=recognizer, clip_ms=1600)
    with pytest.raises(TinymlError, match=r"window of 79 frames.*--set clip_ms=1630") as refused:
        check_hop(recipe, build(recipe))
    longer = recipe.model_copy(update={"clip_ms": int(str(refused.value).rpartition("=")[2])})
    check_hop(longer, build(longer))
    assert phrases.settled(KwsRecipe(words=["ok computer"])).clip_ms == longer.clip_ms


@pytest.mark.parametrize("name", STREAMING)
def test_every_streaming_network_takes_the_default_window(name: str) -> None:
    recognizer = KwsRecipe().recognizer.model_copy(update={"inference_stride_frames": 20})
    recipe = KwsRecipe(model=ModelRecipe(name=name), recognizer=recognizer)
    check_hop(recipe, lambda: KWS.build_model(recipe))


def test_an_inference_between_strides_is_refused_before_training() -> None:
    recipe = KwsRecipe(model=ModelRecipe(name="stream_ds_cnn"))
    at = {hop: recipe.recognizer.model_copy(update={"inference_stride_frames": hop}) for hop in (2, 4, 5, 8)}
    for hop in (4, 8):
        check_hop(recipe.model_copy(update={"recognizer": at[hop]}), lambda: KWS.build_model(recipe))
    for hop in (2, 5):
        with pytest.raises(TinymlError, match="takes frames by 4") as caught:
            check_hop(recipe.model_copy(update={"recognizer": at[hop]}), lambda: KWS.build_model(recipe))
        assert "inference_stride_frames=4" in caught.value.next_step


@needs_sim
@pytest.mark.slow
def test_the_default_network_keeps_its_budgets(tmp_path: Path, tinyml: Tinyml) -> None:
    """Whatever its weights are: 60 kB of flash with the code of its operators, 12 kB of RAM, and 5 million
    instructions a second without the front end.
    """
    recipe = recipes.load_as(configs_dir() / "kws_stream.yaml", KwsRecipe)
    hop = recipe.recognizer.inference_stride_frames
    run = random_listener.make(tmp_path / "run", recipe.words, 1, recipe.recognizer)
    manifest = run.manifest()
    run.file(MODEL_INT8).write_bytes(worker.untrained_int8(KWS.build_model(recipe)))
    run.file(MODEL_STREAM).write_bytes(to_streaming(run.file(MODEL_INT8).read_bytes(), hop, "model"))
    for name in (MODEL_INT8, MODEL_STREAM):
        run.record(manifest, name, "test")
    run.save(manifest)
    built = tinyml("build", run.path, "--board", "sim", "--json", cwd=tmp_path).json
    flash = {part["part"]: part["flash_bytes"] for part in built["parts"]}
    assert flash["model"] + flash["kernels"] < 60_000
    assert built["arena_bytes"] < 12_000
    counted = tinyml("profile", run.path, "--json", cwd=tmp_path).json
    assert counted["instructions"] * 1000 / (hop * recipe.features.stride_ms) < 5e6


def test_firmware_hears_what_whole_windows_say(
    converted: tuple[Path, Any], tinyml: Tinyml, tmp_path: Path
) -> None:
    run, _ = converted
    tinyml("build", run, "--board", "native", cwd=tmp_path)
    settings = (run / "export" / "aot" / "model_settings.h").read_text(encoding="utf-8")
    frames = re.findall(r"#define (FEATURE_FRAMES|INPUT_FRAMES|INFERENCE_STRIDE_FRAMES) (\d+)", settings)
    assert dict(frames) == {"FEATURE_FRAMES": "49", "INPUT_FRAMES": "5", "INFERENCE_STRIDE_FRAMES": "5"}
    audio = np.concatenate([whistle(word, 3, 1) for word in ("up", "down", "flat")])[: 2 * RATE_HZ + 12_345]
    expected = score_stream(audio, Int8Model((run / MODEL_INT8).read_bytes()), Run(run).manifest())
    with open_board(Run(run), build_target("native")) as link:
        ready = link.wait_ready()
        assert ready.input_bytes == 5 * 40
        link.trace("scores")
        # What came before the reset must leave nothing behind.
        first, second = _scores(link, audio), _scores(link, audio)
    assert [event.t_ms for event in first] == expected.times_ms.tolist()
    assert [event.q for event in first] == [event.q for event in second]
    difference = np.abs(np.array([event.q for event in first]) - expected.scores)
    assert difference.max() <= 2, "LiteRT rounds dense layers and softmax otherwise, by one step each"


def test_an_evaluation_on_a_board_feeds_frames(
    converted: tuple[Path, Any], tinyml: Tinyml, tmp_path: Path
) -> None:
    run, _ = converted
    outcome = tinyml("evaluate", run, "--on", "native", "--no-noise", "--json", cwd=tmp_path).json
    assert outcome["device"]["n"] == outcome["n"]
    assert outcome["device"]["mismatches"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("both", [False, True])
def test_what_one_network_remembers_survives_the_other(
    converted: tuple[Path, Any], both: bool, tinyml: Tinyml, tmp_path: Path
) -> None:
    run = Run(converted[0])
    if both:
        other = Run(Path(shutil.copytree(run.path, tmp_path / "twin")))
    else:
        other = random_listener.make(tmp_path / "ways", ["left", "right"], 6, run.manifest().recognizer)
    built = tinyml("build", run.path, "--with", other.path, "--board", "native", "--json", cwd=tmp_path).json
    sizes = [
        int(
            re.findall(r"#define NETWORK_ARENA_BYTES (\d+)", each.file("export/aot/network.h").read_text())[0]
        )
        for each in (run, other)
    ]
    assert sum(sizes) <= built["arena_bytes"] < sum(sizes) + 4
    audio = random_listener.sounds(6, 7)
    with open_board(run, build_target("native", second=other)) as link:
        link.wait_ready()
        link.trace("scores")
        first, second = _scores(link, audio), _scores(link, audio)
    assert [event.q for event in first] == [event.q for event in second]
    for each in (run, other):
        times, expected = random_listener.scores(each, audio)
        heard = [event for event in first if event.model == each.path.name]
        assert [event.t_ms for event in heard] == times.tolist()
        assert np.array_equal([event.q for event in heard], expected)


def _scores(link: Link, audio: np.ndarray) -> list[Scores]:
    link.take_events()
    link.reset()
    events = []
    for start in range(0, len(audio), MAX_PCM_SAMPLES):
        link.feed_pcm(audio[start : start + MAX_PCM_SAMPLES])
        events += link.take_events()
    return [event for event in events if isinstance(event, Scores)]
