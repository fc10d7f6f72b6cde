"""Recordings go to the device whole and in order, and folder names say what is expected."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.doubles.reference_device import LABELS
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.parity import device_outputs, run_inputs
from tinyml_cli.link.link import Link
from tinyml_cli.tasks.kws.replay import (
    LEAD_IN_MS,
    TAIL_MS,
    expected_label,
    recordings,
    replay_dir,
    replay_file,
)

Start = Callable[..., str]

RATE = 16_000
WORD = np.concatenate([np.zeros(8000, np.int16), np.full(1600, 8000, np.int16), np.zeros(6400, np.int16)])
QUIET = np.zeros(RATE, np.int16)


def _write(path: Path, audio: np.ndarray, rate: int = RATE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio, rate)


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    root = tmp_path / "clips"
    _write(root / "yes" / "a.wav", WORD)
    _write(root / "yes" / "b.flac", QUIET)
    _write(root / "no" / "c.wav", QUIET)
    _write(root / "tree" / "d.wav", WORD)
    _write(root / "_silence_" / "e.wav", QUIET)
    _write(root / "_background_noise_" / "f.ogg", np.repeat(QUIET, 2), 2 * RATE)
    _write(root / "loose.wav", WORD)
    return root


def test_a_recording_is_heard_at_its_place_in_the_stream(reference_device: Start) -> None:
    with Link(reference_device()) as link:
        (first,) = replay_file(link, WORD, RATE)
        (again,) = replay_file(link, WORD, RATE)
    # The tone starts 500 ms after the lead-in; the device looks at 40 ms at once.
    assert LEAD_IN_MS + 500 <= first.t_ms <= LEAD_IN_MS + 560
    assert first == again


def test_every_sample_reaches_the_device(reference_device: Start) -> None:
    audio = np.zeros(12_345, np.int16)
    seen = []
    with Link(reference_device()) as link:
        feed = link.feed_pcm
        link.feed_pcm = lambda samples: (seen.append(samples), feed(samples))[1]  # type: ignore[method-assign]
        replay_file(link, audio, RATE)
    sent = np.concatenate(seen)
    lead = LEAD_IN_MS * RATE // 1000
    assert len(sent) == len(audio) + (LEAD_IN_MS + TAIL_MS) * RATE // 1000
    assert np.array_equal(sent[lead : lead + len(audio)], audio)
    assert 0 < np.abs(sent[:lead]).max() < 40


def test_a_folder_of_words(reference_device: Start, clips: Path) -> None:
    with Link(reference_device()) as link:
        events = list(replay_dir(link, clips, LABELS, RATE))
    assert [(e.event, e.file, e.expected, e.detected) for e in events] == [
        ("clip", "_background_noise_/f.ogg", "silence", None),
        ("clip", "_silence_/e.wav", "silence", None),
        ("clip", "loose.wav", None, "yes"),
        ("clip", "no/c.wav", "no", None),
        ("clip", "tree/d.wav", "unknown", "yes"),
        ("clip", "yes/a.wav", "yes", "yes"),
        ("clip", "yes/b.flac", "yes", None),
    ]
    assert events[5].detections[0]["score"] == 0.94
    assert events[5].recording_ms == events[5].detections[0]["t_ms"] - LEAD_IN_MS
    assert events[6].recording_ms is None


@pytest.mark.parametrize("folder, expected", [("yes", "yes"), ("tree", None), ("_silence_", "silence")])
def test_one_folder_given_as_the_root(folder: str, expected: str | None, clips: Path) -> None:
    (first, *_) = recordings(clips / folder)
    assert expected_label(first, clips / folder, LABELS) == expected


def test_one_file(clips: Path) -> None:
    assert recordings(clips / "yes" / "a.wav") == [clips / "yes" / "a.wav"]
    assert expected_label(clips / "yes" / "a.wav", clips / "yes" / "a.wav", LABELS) == "yes"
    assert expected_label(clips / "loose.wav", clips / "loose.wav", LABELS) is None


def test_damaged_files_are_named_after_all_others_were_played(reference_device: Start, clips: Path) -> None:
    (clips / "no" / "a_damaged.wav").write_bytes(b"RIFF nonsense")
    (clips / "no" / "b_empty.wav").write_bytes(b"")
    events = []
    with Link(reference_device()) as link, pytest.raises(TinymlError) as caught:
        for event in replay_dir(link, clips, LABELS, RATE):
            events.append(event)
    assert len(events) == 7
    assert "a_damaged.wav" in caught.value.what and "1 more" in caught.value.what
    assert caught.value.where.endswith("a_damaged.wav")


def test_no_recordings_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TinymlError, match="contains no readable recordings"):
        recordings(tmp_path)
    with pytest.raises(TinymlError, match="The recording or folder does not exist"):
        recordings(tmp_path / "nowhere")


def test_it_stops_in_time(reference_device: Start, clips: Path) -> None:
    with Link(reference_device()) as link:
        assert list(replay_dir(link, clips, LABELS, RATE, stop_at=time.monotonic())) == []


def test_a_clip_is_played_again_after_a_reboot(reference_device: Start) -> None:
    with Link(reference_device("--fault", "reboot:30")) as link:
        link.wait_ready()
        (detection,) = replay_file(link, WORD, RATE)
        assert link.reboots == 1
    assert detection.t_ms > LEAD_IN_MS


def test_device_outputs_are_the_devices_bytes(reference_device: Start) -> None:
    inputs = np.random.default_rng(5).integers(-128, 128, (3, 50, 60)).astype(np.int8)
    with Link(reference_device()) as link:
        run = run_inputs(link, inputs)
        again = device_outputs(link, inputs)
    sums = inputs.sum(axis=(1, 2), dtype=np.int32)
    assert run.outputs.shape == (3, 4) and run.outputs.dtype == np.int8
    assert np.array_equal(run.outputs.view("<i4").ravel(), sums)
    assert np.array_equal(again, run.outputs)
    assert run.instructions.tolist() == [1234] * 3
