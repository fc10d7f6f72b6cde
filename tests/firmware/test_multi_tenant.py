"""Two models on one board give the bytes that each gives alone."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Tinyml
from tests.firmware import random_listener
from tests.firmware.board_tools import BOARDS, TOOLS
from tests.firmware.test_kws_app import Device
from tinyml_cli.build.build import build
from tinyml_cli.build.target import build_target
from tinyml_cli.engines import second
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest_sections import RecognizerSettings
from tinyml_cli.run import Run

FIRST = RecognizerSettings(threshold=0.4, suppression_ms=300, average_window_ms=200, minimum_count=2)
SECOND = FIRST.model_copy(update={"inference_stride_frames": 3, "threshold": 0.5, "minimum_count": 1})


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    folder = tmp_path_factory.mktemp("tenants")
    return [
        random_listener.make(folder / "colours", ["red", "green"], 5, FIRST),
        random_listener.make(folder / "ways", ["up", "down", "left", "right", "red"], 6, SECOND),
    ]


@pytest.fixture(scope="module", params=BOARDS)
def device(request: pytest.FixtureRequest, runs: list[Run], tinyml: Tinyml) -> tuple[str, Path, dict]:
    board = request.param
    for tool in TOOLS[board]:
        if shutil.which(tool) is None:
            pytest.skip(f"no {tool} here")
    arguments = ("build", runs[0].path, "--with", runs[1].path, "--board", board, "--json")
    outcome = tinyml(*arguments, cwd=runs[0].path.parent).json
    return board, Path(outcome["elf"]), outcome


def test_scores_and_words_are_those_of_each_alone(device: tuple[str, Path, dict], runs: list[Run]) -> None:
    board, elf, outcome = device
    assert outcome["app"] == "multi_tenant"
    audio = random_listener.sounds(15, 7)
    link = Device(board, elf)
    try:
        assert link.wait("ready")["app"] == "multi_tenant"
        link.command("trace 1 scores")
        link.play(audio)
    finally:
        link.process.kill()
        link.process.wait()
    for run in runs:
        name, labels = run.path.name, run.manifest().labels
        times, expected = random_listener.scores(run, audio)
        scores = [event for event in link.events("scores") if event["model"] == name]
        assert [event["t_ms"] for event in scores] == times.tolist()
        assert np.array_equal([event["q"] for event in scores], expected)
        wanted = [(labels[each.label], each.time_ms) for each in random_listener.heard(run, audio)]
        heard = [event for event in link.events("detection") if event["model"] == name]
        assert wanted
        assert [(event["label"], event["t_ms"]) for event in heard] == wanted
        lines = [line for line in link.lines if line.startswith("Heard ") and line.endswith(f" by {name}")]
        assert len(lines) == len(wanted)


def test_the_arena_is_that_of_the_larger_one(device: tuple[str, Path, dict], runs: list[Run]) -> None:
    sizes = [
        int(re.findall(r"#define NETWORK_ARENA_BYTES (\d+)", run.file("export/aot/network.h").read_text())[0])
        for run in runs
    ]
    assert device[2]["arena_bytes"] == max(sizes)
    assert device[2]["arena_bytes"] < sum(sizes)


def test_monitor_hears_both(runs: list[Run], tinyml: Tinyml, tmp_path: Path) -> None:
    import soundfile

    cwd = runs[0].path.parent
    tinyml("build", runs[0].path, "--with", runs[1].path, "--board", "native", cwd=cwd)
    soundfile.write(tmp_path / "sound.wav", random_listener.sounds(15, 7), 16_000)
    arguments = ("--board", "native", "--app", "multi_tenant", "--replay", tmp_path / "sound.wav", "--json")
    answer = tinyml("monitor", runs[0].path, *arguments, cwd=cwd)
    events = [json.loads(line) for line in answer.out.splitlines()]
    models = {event["model"] for event in events if event["event"] == "detection"}
    assert models == {run.path.name for run in runs}


def test_what_cannot_share_a_board_is_refused(runs: list[Run], tmp_path: Path) -> None:
    first, other = runs
    copy = Run(Path(shutil.copytree(other.path, tmp_path / "colours")))
    with pytest.raises(TinymlError, match="Both runs are called colours"):
        build(first, build_target("native", second=copy))
    with pytest.raises(TinymlError, match="the same run"):
        build(first, build_target("native", second=Run(first.path / ".." / first.path.name)))
    with pytest.raises(TinymlError, match=r"takes two models.*--with RUN"):
        build(first, build_target("native", app="multi_tenant"))
    manifest = copy.manifest()
    assert manifest.features is not None
    manifest.features = manifest.features.model_copy(update={"upper_hz": 7000.0})
    copy.save(manifest)
    with pytest.raises(TinymlError, match="different front ends"):
        build(first, build_target("native", second=copy))
    manifest.features = None
    copy.save(manifest)
    with pytest.raises(TinymlError, match="does not listen for words"):
        build(first, build_target("native", second=copy))


def test_names_in_quotes_stay() -> None:
    files = {
        "network.h": "#ifndef TINYML_NETWORK_H\n#define TINYML_NETWORK_H\n#define NETWORK_ARENA_BYTES 8\n"
        "int network_invoke(uint8_t* arena);\n#endif\n",
        "network.c": '#include "network.h"\nstatic int op_0(void);\nint network_invoke(uint8_t* arena) {}\n',
        "model_settings.h": "#define LABEL_COUNT 1\n"
        'static const char* const kLabels[LABEL_COUNT] = {"LABEL_COUNT \\" network.h"};\n',
    }
    texts = second.renamed(files)
    assert texts["second_network.c"].startswith('#include "second_network.h"\nstatic int op_0(void);')
    assert "int second_network_invoke(" in texts["second_network.c"]
    assert "#define SECOND_TINYML_NETWORK_H" in texts["second_network.h"]
    assert (
        'second_kLabels[SECOND_LABEL_COUNT] = {"LABEL_COUNT \\" network.h"}'
        in (texts["second_model_settings.h"])
    )
