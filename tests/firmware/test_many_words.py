"""Ten words on one board: labels, colours, scores and reports, with words that begin other ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.firmware import random_listener
from tests.firmware.test_kws_app import Device
from tinyml_cli.build import build
from tinyml_cli.build.target import build_target
from tinyml_cli.engines.export import export
from tinyml_cli.engines.settings_parts import label_colors
from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest_sections import RecognizerSettings
from tinyml_cli.recipes import resolve

WORDS = ["yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"]


def test_ten_words_are_told_apart(tmp_path: Path) -> None:
    recognizer = RecognizerSettings(
        threshold=0.4,
        suppression_ms=300,
        average_window_ms=200,
        minimum_count=2,
        # By number, not by name: which random "words" follow each other is chance.
        longer_words={word: [WORDS[(index + 3) % 10]] for index, word in enumerate(WORDS[:5])},
        prefix_wait_ms=300,
    )
    run = random_listener.make(tmp_path / "run", WORDS, 3, recognizer)
    export(run, "aot")
    elf = Path(build.build(run, build_target("native")).elf)
    audio = random_listener.sounds(40, 4)
    device = Device("native", elf)
    try:
        ready = device.wait("ready")
        assert ready["labels"] == ["silence", "unknown", *WORDS]
        device.command("trace 1 scores")
        device.play(audio)
    finally:
        device.process.kill()
        device.process.wait()
    times, expected = random_listener.scores(run, audio)
    answered = device.events("scores")
    assert [event["t_ms"] for event in answered] == times.tolist()
    assert np.array_equal([event["q"] for event in answered], expected)
    wanted = random_listener.heard(run, audio)
    reported = device.events("detection")
    labels = run.manifest().labels
    assert [(event["label"], event["t_ms"]) for event in reported] == [
        (labels[each.label], each.time_ms) for each in wanted
    ]
    assert len({event["label"] for event in reported}) >= 6
    colors = {(event["r"], event["g"], event["b"]) for event in device.events("led")} - {(0, 0, 0)}
    assert len(colors) == len({event["label"] for event in reported})


def test_waiting_changes_what_is_reported(tmp_path: Path) -> None:
    plain = RecognizerSettings(threshold=0.4, suppression_ms=300, average_window_ms=200, minimum_count=2)
    run = random_listener.make(tmp_path / "run", WORDS, 3, plain)
    audio = random_listener.sounds(40, 4)
    before = random_listener.heard(run, audio)
    manifest = run.manifest()
    manifest.recognizer.longer_words = {word: [WORDS[(i + 3) % 10]] for i, word in enumerate(WORDS[:5])}
    run.save(manifest)
    assert random_listener.heard(run, audio) != before


def test_colours_of_ten_words_are_far_apart() -> None:
    colors = np.array(label_colors(["silence", "unknown", *WORDS]), int)
    assert not colors[:2].any()
    distances = np.abs(colors[2:, None] - colors[None, 2:]).sum(axis=2)
    assert distances[~np.eye(10, dtype=bool)].min() > 60


def test_eleven_words_are_too_many() -> None:
    assert len(resolve("kws", None, [], {"words": WORDS}).words) == 10  # type: ignore[attr-defined]
    with pytest.raises(TinymlError, match=r"too many words \(11\); the maximum is 10"):
        resolve("kws", None, [], {"words": [*WORDS, "marvin"]})
