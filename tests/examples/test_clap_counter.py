"""The example of a task in a package of its own: installed, trained, built, heard and reported."""

from __future__ import annotations

import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tests.conftest import REPOSITORY, Tinyml
from tests.store import kept, package
from tinyml_cli import main, recipes
from tinyml_cli.boards.boards import load_board
from tinyml_cli.completion import complete
from tinyml_cli.evaluation.answers import Int8Model
from tinyml_cli.link.protocol import Detection
from tinyml_cli.run import MODEL_INT8, RECIPE, Run
from tinyml_cli.tasks.kws.replay import with_quiet
from tinyml_cli.training.examples import to_float
from tinyml_cli.training.fixed_examples import FixedExamples, LabelledInputs

EXAMPLE = REPOSITORY / "examples" / "clap-counter"
SOURCES = [EXAMPLE / "pyproject.toml", EXAMPLE / "clap_counter"]
_SMALL = ("sound.clips_per_label=80", "sound.streams=14", "training.epochs=5", "training.learning_rate=0.01")
TINY = [part for setting in (*_SMALL, "training.batch_size=16") for part in ("--set", setting)]


@pytest.fixture(scope="module")
def installed() -> Iterator[Path]:
    """The package as pip installs it, on the path of this process."""
    site = kept("clap-counter", SOURCES, _install) / "site"
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(site))
        yield site
    for name in [name for name in sys.modules if name.partition(".")[0] == "clap_counter"]:
        del sys.modules[name]


def _install(folder: Path) -> None:
    source = shutil.copytree(EXAMPLE, folder / "source", ignore=shutil.ignore_patterns("build", "*.egg-info"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    into = ["--no-build-isolation", "--target", folder / "site", source]
    subprocess.run([*pip, *into], check=True, capture_output=True, timeout=300)


@pytest.fixture(scope="module")
def run(installed: Path, tinyml: Tinyml) -> Path:
    """A small run, trained, converted, judged and built for this computer."""

    def make(folder: Path) -> None:
        path = folder / "run"
        tinyml("train", "claps", *TINY, "--run", path, cwd=folder)
        tinyml("quantize", path, "--samples", "64", cwd=folder)
        tinyml("convert", path, cwd=folder)
        tinyml("evaluate", path, cwd=folder)
        tinyml("build", path, "--board", "native", cwd=folder)

    return kept("claps", [package(), *SOURCES, TINY], make) / "run"


@pytest.fixture(scope="module")
def replay(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Streams with 0 to 3 claps, in folders named so."""
    copy = Run(Path(shutil.copytree(run, tmp_path_factory.mktemp("claps") / "run")))
    folder: Path = _module("task").CLAPS.write_replay(copy, 4)
    return folder


def _module(name: str) -> Any:
    return importlib.import_module(f"clap_counter.{name}")


def test_nothing_in_tinyml_knows_it() -> None:
    sources = (REPOSITORY / "tinyml_cli").rglob("*.py")
    assert [path for path in sources if "clap" in path.read_text(encoding="utf-8")] == []


def test_it_is_listed_like_the_tasks_of_tinyml(installed: Path, tinyml: Tinyml, tmp_path: Path) -> None:
    about = "A task for tinyml: counts hand claps"
    for verb in ("train", "pipeline"):
        assert about in " ".join(tinyml(verb, "--help", cwd=tmp_path).out.split())
        assert ("claps", about) in complete(main.app, [verb], "cl")
        assert about in " ".join(tinyml(verb, "claps", "--help", cwd=tmp_path).out.split())
    assert ("claps", "a task") in complete(main.app, ["tune"], "")
    listed = json.loads(tinyml("recipes", "--json", cwd=tmp_path).out)["recipes"]
    assert {"name": "claps", "task": "claps", "summary": about, "path": None} in listed


def test_its_recipe_can_be_shown_copied_and_given(installed: Path, tinyml: Tinyml, tmp_path: Path) -> None:
    shown = tinyml("recipes", "show", "claps", cwd=tmp_path).out
    assert "streams: 70" in shown
    assert tinyml("recipes", "copy", "claps", cwd=tmp_path).out.endswith(
        "tinyml train claps --config claps.yaml\n"
    )
    assert (tmp_path / "claps.yaml").read_text() == shown
    for config in ("claps.yaml", "claps"):
        recipe = recipes.resolve("claps", Path(config) if config == "claps" else tmp_path / config, [], {})
        assert recipe == _module("recipe").ClapRecipe()


def test_it_learns_and_is_judged_on_hands_it_never_heard(run: Path, installed: Path) -> None:
    manifest = Run(run).manifest()
    assert manifest.labels == ["silence", "unknown", "clap"]
    assert manifest.metrics["train"]["better_than_chance"]
    recipe = recipes.load(run / RECIPE)
    hands = {split: set(_module("sounds").clips(recipe, split).groups) for split in ("train", "test")}
    assert hands["train"].isdisjoint(hands["test"])


@pytest.mark.slow
def test_a_resumed_training_sees_the_same_batches(run: Path, installed: Path) -> None:
    recipe = recipes.load(run / RECIPE)
    made = _module("sounds").clips(recipe, "validation")
    examples = LabelledInputs(to_float(made.features), made.labels)
    first, again = (list(FixedExamples(examples, recipe).epoch(3)) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        assert all(np.array_equal(*pair) for pair in zip(one, other, strict=True))


def test_the_report_counts_claps_in_the_frame_of_every_report(run: Path) -> None:
    page = (run / "report" / "report.html").read_text(encoding="utf-8")
    counts = Run(run).manifest().metrics["evaluate"]["counts"]
    assert counts["streams"] == 14
    assert counts["claps"] == 2 * sum(range(7))
    assert f"{counts['found']} of {counts['claps']} claps were found" in page
    assert f"{counts['right']} of {counts['streams']}" in page
    assert "Confusion matrix" in page
    assert "Made by tinyml" in page


@pytest.mark.parametrize("board", [pytest.param("native", marks=pytest.mark.slow), "sim"])
def test_the_board_counts_what_the_computer_counts(
    board: str, run: Path, replay: Path, tinyml: Tinyml, tmp_path: Path
) -> None:
    if board == "sim":
        for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
            if shutil.which(tool) is None:
                pytest.skip(f"no {tool} here")
        run = Path(shutil.copytree(run, tmp_path / "run"))
        tinyml("build", run, "--board", "sim", cwd=tmp_path)
    lines = tinyml("monitor", run, "--board", board, "--replay", replay, "--json", cwd=replay).out
    events = [json.loads(line) for line in lines.splitlines()]
    clips = [event for event in events if event["event"] == "clip"]
    manifest, model = Run(run).manifest(), Int8Model((run / MODEL_INT8).read_bytes())
    assert [clip["expected"] for clip in clips] == ["0", "1", "2", "3"]
    for clip in clips:
        audio, rate_hz = soundfile.read(replay / clip["file"], dtype="int16")
        heard = _module("sounds").Stream(with_quiet(audio, rate_hz), [1000])
        counted = _module("evaluate").count(model, manifest, [heard]).by_claps[0].mean
        assert int(clip["detected"]) == counted
    summary = events[-1]
    assert summary["detections"] == sum(int(clip["detected"]) for clip in clips)
    assert summary["hits"] == sum(clip["detected"] == clip["expected"] for clip in clips)


def test_people_read_a_running_count(run: Path, replay: Path, tinyml: Tinyml) -> None:
    text = tinyml("monitor", run, "--board", "native", "--replay", replay / "3", cwd=replay).out
    assert "Counting claps" in text
    assert "Heard clap" not in text
    counted = text.count(" @")
    assert f"{counted} clap" in text
    assert f"counted {counted}" in text


def test_the_live_view_shows_the_count(installed: Path) -> None:
    drawn: list[Any] = []
    view = _module("monitor").ClapView(load_board("sim"), drawn.append)
    for t_ms in (400, 900):
        view.event(Detection(label="clap", score=0.9, t_ms=t_ms))
    assert "2 claps" in str(drawn[-1])


def test_data_it_cannot_use_is_refused(installed: Path, tinyml: Tinyml, tmp_path: Path) -> None:
    answer = tinyml("train", "claps", "--data", tmp_path, "--run", tmp_path / "run", cwd=tmp_path, code=2)
    assert "makes its own sound" in answer.err
    assert not (tmp_path / "run").exists()
