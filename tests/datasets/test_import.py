"""Recordings of other tools: the course's recorder, Edge Impulse's exports, real motion."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile

from tests.conftest import Tinyml
from tests.corpus import whistle
from tests.outcomes import check as check_outcome
from tests.webm_writer import opus_packets, write_webm
from tinyml_cli.data.resample import resample
from tinyml_cli.data.speakers import speaker_of
from tinyml_cli.datasets.import_files import import_folder
from tinyml_cli.tasks.wand.takes import read_takes

_SESSION = "0123456789abcdef0123456789abcdef"


def _take(word: str, speaker: int, rate_hz: int, seconds: float = 1.5) -> np.ndarray:
    """A whistle inside a longer take."""
    take = np.random.default_rng(speaker).normal(0, 0.002, int(seconds * rate_hz))
    sound = resample(whistle(word, speaker, 0) / 32768.0, 16_000, rate_hz)
    begin = (len(take) - len(sound)) // 2
    take[begin : begin + len(sound)] += sound
    return take


def _write_ogg(path: Path, word: str, speaker: int) -> None:
    soundfile.write(path, _take(word, speaker, 48_000), 48_000, format="OGG", subtype="OPUS")


def test_the_course_recorder(tinyml: Tinyml, tmp_path: Path) -> None:
    source = tmp_path / "downloads"
    source.mkdir()
    _write_ogg(source / f"Up_{_SESSION}_{'a' * 32}.ogg", "up", 1)
    _write_ogg(source / f"Up_{_SESSION}_{'b' * 32}.ogg", "up", 2)
    _write_ogg(source / "down_17.ogg", "down", 3)
    _write_ogg(source / "flat_18.ogg", "flat", 4)
    content = (source / "flat_18.ogg").read_bytes()
    (source / "flat_18.ogg").write_bytes(write_webm(*opus_packets(content), True, False))
    (source / "down_19.ogg").write_bytes(b"OggS no")
    (source / "readme.txt").write_text("hello")

    document = tinyml("data", "import", source, "--out", "rec", "--json", cwd=tmp_path).json
    check_outcome("data import", document)
    assert {entry["label"]: entry["files"] for entry in document["labels"]} == {"up": 2, "down": 1, "flat": 1}
    assert {entry["file"] for entry in document["skipped"]} == {"down_19.ogg", "readme.txt"}
    clips = sorted((tmp_path / "rec").rglob("*.wav"))
    assert {speaker_of(clip) for clip in clips} == {_SESSION, "down_17", "flat_18"}
    assert document["guessed_speakers"] == 2
    for clip in clips:
        audio, rate_hz = soundfile.read(clip, dtype="int16")
        assert (rate_hz, audio.shape) == (16_000, (16_000,))
        assert np.abs(audio[4_000:12_000]).max() > 3 * np.abs(audio[:1_000]).max()

    before = {clip: clip.read_bytes() for clip in clips}
    again = tinyml("data", "import", source, "--out", "rec", "--speaker", "anna", "--json", cwd=tmp_path).json
    assert again["n"] == 0
    assert sum("already" in entry["reason"] for entry in again["skipped"]) == 4
    assert {clip: clip.read_bytes() for clip in (tmp_path / "rec").rglob("*.wav")} == before


def test_one_speaker_for_all(tmp_path: Path) -> None:
    source = tmp_path / "downloads"
    source.mkdir()
    _write_ogg(source / "up_1.ogg", "up", 1)
    _write_ogg(source / "up_2.ogg", "up", 2)
    outcome = import_folder(source, tmp_path / "rec", 16_000, 16_000, "Ann A.")
    assert (outcome.speakers, outcome.guessed_speakers) == (1, 0)
    names = sorted(path.name for path in (tmp_path / "rec" / "up").iterdir())
    assert names == ["Ann-A_nohash_0.wav", "Ann-A_nohash_1.wav"]


def test_edge_impulse_files_by_name(tmp_path: Path) -> None:
    source = tmp_path / "export"
    (source / "training").mkdir(parents=True)
    soundfile.write(source / "training" / "up.2f8a.ingestion-1.wav", whistle("up", 1, 0), 16_000)
    noise = np.random.default_rng(0).normal(0, 0.05, 80_000)
    soundfile.write(source / "training" / "noise.77.wav", noise, 16_000)
    soundfile.write(source / "training" / "noise.78.wav", noise[:16_000], 16_000)
    sound = [[int(v)] for v in whistle("down", 2, 0)[::2]]
    sensors = [{"name": "audio", "units": "wav"}]
    document = {"payload": {"interval_ms": 0.125, "sensors": sensors, "values": sound}}
    (source / "training" / "down.9.json").write_text(json.dumps(document))
    (source / "training" / "up.3.cbor").write_bytes(b"\xa3")
    result = import_folder(source, tmp_path / "rec", 16_000, 16_000)
    counts = {entry.label: entry.files for entry in result.labels}
    assert counts == {"up": 1, "down": 1, "_background_noise_": 1, "_silence_": 1}
    assert "Edge Impulse" in result.skipped[0].reason
    (path,) = (tmp_path / "rec" / "down").iterdir()
    assert abs(len(soundfile.read(path)[0]) - 16_000) <= 2


def test_edge_impulse_list_of_labels(tmp_path: Path) -> None:
    source = tmp_path / "export"
    (source / "testing").mkdir(parents=True)
    for name in ("a.wav", "b.wav", "c.wav", "d.wav"):
        soundfile.write(source / "testing" / name, whistle("up", ord(name[0]), 0), 16_000)
    label = {"type": "label", "label": "up"}
    files = [
        {"path": "a.wav", "category": "testing", "label": label, "metadata": {"speaker": "anna"}},
        {"path": "b.wav", "category": "testing", "label": {"type": "unlabeled"}},
        {"path": "c.wav", "label": {"type": "multi-label", "labels": []}},
    ]
    (source / "testing" / "info.labels").write_text(json.dumps({"version": 1, "files": files}))
    result = import_folder(source, tmp_path / "rec", 16_000, 16_000)
    assert [path.name for path in (tmp_path / "rec" / "up").iterdir()] == ["anna_nohash_0.wav"]
    reasons = {entry.file: entry.reason for entry in result.skipped}
    assert "no label" in reasons["testing/b.wav"] and "several" in reasons["testing/c.wav"]
    assert "does not name it" in reasons["testing/d.wav"]


def test_bad_lists_and_folders(tinyml: Tinyml, tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    answer = tinyml("data", "import", "export", "--out", "rec", "--json", cwd=tmp_path, code=2)
    assert "empty" in answer.json["error"]["what"]
    (tmp_path / "export" / "info.labels").write_text('{"files": 3}')
    answer = tinyml("data", "import", "export", "--out", "rec", "--json", cwd=tmp_path, code=2)
    assert "list of labels" in answer.json["error"]["what"]
    tinyml("data", "import", "nowhere", "--out", "rec", "--json", cwd=tmp_path, code=2)
    (tmp_path / "export" / "info.labels").write_text(
        '{"version": 1, "files": [{"path": "a.wav", "label": {"type": "label", "label": "../up"}}]}'
    )
    soundfile.write(tmp_path / "export" / "a.wav", whistle("up", 1, 0), 16_000)
    answer = tinyml("data", "import", "export", "--out", "rec", "--json", cwd=tmp_path, code=2)
    assert "name of a folder" in answer.json["error"]["what"]


def test_real_motion(shared: Path, tmp_path: Path) -> None:
    result = import_folder(shared / "data/imu_motion_nicla", tmp_path / "rec", 16_000, 16_000)
    counts = {entry.label: entry.files for entry in result.labels if entry.kind == "motion"}
    assert set(counts) == {"Idle", "Terrestrial", "Maritime", "Lift"} and sum(counts.values()) == 40
    header, first, *_ = min((tmp_path / "rec" / "Idle").iterdir()).read_text().splitlines()
    assert header == "t_ms,ax_g,ay_g,az_g,gx_dps,gy_dps,gz_dps"
    np.testing.assert_allclose(
        [float(cell) for cell in first.split(",")[:3]], [0, 0.83 / 9.80665, 9.06 / 9.80665]
    )
    assert result.reading == "59 Hz, acceleration m/s2 → g, rotation in deg/s"
    folders = (shared / "data/imu_motion_nicla", tmp_path / "rec")
    before, after = (sorted(t.samples.tobytes() for t in read_takes(f, 119, 119).takes) for f in folders)
    assert before == after


def test_recordings_with_one_name_in_many_folders_are_all_kept(tmp_path: Path) -> None:
    def record(session: int) -> None:
        folder = tmp_path / "raw" / f"session{session}" / "wave"
        folder.mkdir(parents=True)
        rows = [f"{10 * i},{np.sin(0.1 * i) + 0.01 * session:.4f},0.2,0.9" for i in range(200)]
        (folder / "0.csv").write_text("\n".join(["t_ms,ax_g,ay_g,az_g", *rows]))

    for session in range(5):
        record(session)
    assert import_folder(tmp_path / "raw", tmp_path / "out", 16_000, 16_000).n == 5
    record(5)
    again = import_folder(tmp_path / "raw", tmp_path / "out", 16_000, 16_000)
    assert again.n == 1 and len(again.skipped) == 5
    assert len(list((tmp_path / "out").rglob("*.csv"))) == 6
