"""Filters of the monitor, alone and through the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.conftest import Tinyml
from tests.doubles.reference_device import LABELS
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.protocol import Detection, Led, Ready, Text
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Artifact
from tinyml_cli.monitor.filters import Detections, EventLog, Time, make_filters
from tinyml_cli.run import MODEL_INT8, Run

HEARD = Detection(label="yes", score=0.9, t_ms=1000)


def test_time_is_added_to_events_and_lines() -> None:
    stamped = Time().rx(HEARD)
    assert stamped is not None and re.match(r"\d{4}-\d\d-\d\dT\d\d:", stamped.as_dict()["time"])
    line = Time().rx(Text(text="Heard yes (90%) @1000ms"))
    assert isinstance(line, Text) and re.match(r"\d\d:\d\d:\d\d\.\d{3} Heard yes", line.text)


def test_detections_alone() -> None:
    ready = Ready(protocol=1, tinyml="0", app="kws", board="b", engine="aot", model="0")
    events = [
        ready,
        Text(text="noise"),
        Text(text="Heard yes (90%) @1000ms"),
        HEARD,
        Led(r=0, g=0, b=0, t_ms=1),
    ]
    assert [each for each in events if Detections().rx(each)] == [ready, events[2], HEARD]


def test_the_log_is_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text("kept\n")
    for _ in range(2):
        log = EventLog(path)
        assert log.rx(HEARD) is HEARD
        log.close()
    kept, *lines = path.read_text().splitlines()
    assert kept == "kept"
    assert [json.loads(line)["label"] for line in lines] == ["yes", "yes"]


def test_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(TinymlError, match="Cannot write"):
        EventLog(tmp_path / "nowhere" / "log.jsonl")


def test_an_unknown_filter() -> None:
    with pytest.raises(TinymlError, match="Unknown filter `colour`") as caught:
        make_filters(["time", "colour"])
    assert caught.value.next_step == "Filters: time, detections."


def test_filters_and_log_of_a_session(
    tinyml: Tinyml, tmp_path: Path, native_double: Callable[..., Path]
) -> None:
    run = Run.create(tmp_path / "run")
    manifest = Manifest(task="kws", seed=1, labels=LABELS)
    manifest.artifacts[MODEL_INT8] = Artifact(sha256="0123456789ab" + "0" * 52, bytes=1, made_by="test")
    run.save(manifest)
    native_double(to=run.path / "firmware" / "native" / "firmware.elf")
    soundfile.write(tmp_path / "loud.wav", np.full(8000, 8000, np.int16), 16_000)
    arguments = ("monitor", run.path, "--board", "native", "--replay", tmp_path / "loud.wav", "--json")
    answer = tinyml(
        *arguments,
        "--filter",
        "detections",
        "--trace",
        "status",
        "--log",
        tmp_path / "all.jsonl",
        cwd=tmp_path,
    )
    shown = [json.loads(line)["event"] for line in answer.out.splitlines()]
    assert shown == ["ready", "detection", "clip", "summary"]
    logged = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert {event["event"] for event in logged} >= {"detection", "status", "text", "led"}
    assert all(event["time"] for event in logged)
    error = tinyml(*arguments, "--trace", "smell", cwd=tmp_path, code=2).json["error"]
    assert error["what"] == "Unknown trace `smell`"
