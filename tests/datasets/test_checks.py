"""`tinyml data check` on folders with known faults."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.conftest import Tinyml
from tests.outcomes import check as check_outcome
from tinyml_cli.datasets import quarantine
from tinyml_cli.datasets.sound_alike import course_of
from tinyml_cli.files import sha256_file

RATE_HZ = 16_000
PITCHES_HZ = {"yes": (200, 300), "no": (2000, 3000)}


def voice(
    seed: int, seconds: float = 1.0, amplitude: float = 0.3, pitch_hz: tuple[int, int] = (200, 300)
) -> np.ndarray:
    rng = np.random.default_rng(seed)
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    return amplitude * np.sin(2 * np.pi * rng.uniform(*pitch_hz) * time_s) + 0.01 * rng.normal(
        size=len(time_s)
    )


def write(path: Path, audio: np.ndarray, rate_hz: int = RATE_HZ) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, audio, rate_hz, subtype="PCM_16")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two words of four speakers, three takes each, nothing wrong."""
    root = tmp_path / "recordings"
    for w, word in enumerate(PITCHES_HZ):
        for speaker in range(4):
            for take in range(3):
                seed = 100 * w + 10 * speaker + take
                write(
                    root / word / f"voice{speaker}_nohash_{take}.wav", voice(seed, pitch_hz=PITCHES_HZ[word])
                )
    return root


def found(document: dict) -> dict[str, set[str]]:
    places: dict[str, set[str]] = {}
    for finding in document["findings"]:
        places.setdefault(finding["kind"], set()).add(finding["place"])
    return places


def test_a_sound_folder(tinyml: Tinyml, folder: Path) -> None:
    document = tinyml("data", "check", folder, "--json", cwd=folder.parent).json
    check_outcome("data check", document)
    assert document["ok"] and document["findings"] == []
    assert (document["n"], document["speakers"]) == (24, 4)
    assert document["words"]["yes"] == {"clips": 12, "speakers": 4, "seconds": 12.0, "bad": 0}
    assert (folder.parent / "recordings-check.png").read_bytes().startswith(b"\x89PNG")


def break_it(folder: Path) -> dict[str, set[str]]:
    """Puts one fault of each kind into the folder; what has to be found."""
    first = soundfile.read(folder / "yes" / "voice0_nohash_0.wav")[0]
    write(folder / "yes" / "voice0_nohash_7.flac", np.concatenate([np.zeros(99), first]))
    write(folder / "yes" / "voice3_nohash_8.wav", soundfile.read(folder / "yes" / "voice1_nohash_0.wav")[0])
    write(folder / "no" / "voice2_nohash_9.wav", soundfile.read(folder / "yes" / "voice2_nohash_0.wav")[0])
    write(folder / "yes" / "voice1_nohash_5.wav", np.zeros(RATE_HZ))
    write(folder / "yes" / "voice1_nohash_6.wav", voice(901, seconds=0.1))
    write(folder / "no" / "voice1_nohash_6.wav", np.clip(8 * voice(902), -1, 1))
    write(
        folder / "no" / "voice1_nohash_7.wav",
        voice(903, seconds=0.5, pitch_hz=PITCHES_HZ["no"]),
        rate_hz=8000,
    )
    (folder / "no" / "voice0_nohash_9.wav").write_bytes(b"RIFF, but no more")
    (folder / "no" / "notes.txt").write_text("hello")
    write(folder / "no" / "somebody.wav", voice(904, pitch_hz=PITCHES_HZ["no"]))
    return {
        "duplicate": {"yes/voice0_nohash_7.flac"},
        "two_speakers": {"yes/voice3_nohash_8.wav"},
        "two_words": {"yes/voice2_nohash_0.wav", "no/voice2_nohash_9.wav"},
        "silent": {"yes/voice1_nohash_5.wav"},
        "too_short": {"yes/voice1_nohash_6.wav"},
        "ruined": {"no/voice1_nohash_6.wav"},
        "other_rate": {"no/voice1_nohash_7.wav"},
        "unreadable": {"no/voice0_nohash_9.wav"},
        "other_file": {"no/notes.txt"},
        "no_speaker": {"no/somebody.wav"},
    }


def test_every_fault_is_found_and_named(tinyml: Tinyml, folder: Path) -> None:
    wanted = break_it(folder)
    document = tinyml("data", "check", folder, "--json", cwd=folder.parent, code=1).json
    check_outcome("data check", document)
    assert found(document) == wanted
    assert document["bad_files"] == 8 and not document["ok"] and document["moved"] == 0


def test_fixing_moves_and_undo_brings_back(tinyml: Tinyml, folder: Path) -> None:
    break_it(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    document = tinyml("data", "check", folder, "--fix", "--json", cwd=folder.parent).json
    check_outcome("data check", document)
    assert document["moved"] == 8 and document["ok"]
    assert "a hidden or system file" not in document["left_out"]  # its own lock
    kept = {path for path in folder.rglob("*") if path.is_file()}
    assert len(before) - len(kept) == 8 and (folder / "no" / "notes.txt") in kept
    assert tinyml("data", "check", folder, "--json", cwd=folder.parent).json["bad_files"] == 0
    restored = tinyml("data", "check", folder, "--undo", "--json", cwd=folder.parent).json
    check_outcome("data check", restored)
    assert restored["restored"] == 8 and restored["kept"] == []
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert not (folder.parent / "recordings-quarantine").exists()


def test_undo_never_overwrites(tinyml: Tinyml, folder: Path) -> None:
    break_it(folder)
    tinyml("data", "check", folder, "--fix", "--json", cwd=folder.parent)
    mine = folder / "yes" / "voice1_nohash_5.wav"
    write(mine, voice(905))
    content = mine.read_bytes()
    restored = tinyml("data", "check", folder, "--undo", "--json", cwd=folder.parent).json
    assert restored["restored"] == 7 and restored["kept"] == ["yes/voice1_nohash_5.wav"]
    assert mine.read_bytes() == content


def test_too_little_and_one_voice(tinyml: Tinyml, folder: Path) -> None:
    for take in range(30):
        write(folder / "go" / f"voice0_nohash_{take}.wav", voice(500 + take))
    for speaker in range(1, 4):
        write(folder / "go" / f"voice{speaker}_nohash_0.wav", voice(600 + speaker))
    write(folder / "up" / "voice0_nohash_0.wav", voice(700))
    places = found(tinyml("data", "check", folder, "--json", cwd=folder.parent).json)
    assert places["one_voice"] == {"go"}
    assert places["few_clips"] == places["few_speakers"] == places["imbalance"] == {"up"}


def whistled(folder: Path, name: str, seed: int, speaker: int = 0) -> np.ndarray:
    """A clip with a melody of its own, which survives coding."""
    rng = np.random.default_rng(seed)
    tones = [
        np.sin(2 * np.pi * hz * np.arange(1600) / RATE_HZ) * np.hanning(1600)
        for hz in rng.uniform(200, 3000, 9)
    ]
    audio = np.concatenate([np.zeros(800), *tones, np.zeros(800)]) * 0.4 + 0.001 * rng.normal(size=16_000)
    write(folder / name, audio)
    return audio


CODED = (
    "voice7_nohash_0.mp3",
    "voice7_nohash_1.ogg",
    "voice7_nohash_2.wav",
    "voice7_nohash_3.wav",
    "voice7_nohash_4.wav",
)


def test_nearly_the_same_sound_under_another_speaker_is_found(tinyml: Tinyml, tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    clips = [whistled(folder, f"yes/voice{n}_nohash_0.wav", n) for n in range(6)]
    for n in range(6):
        whistled(folder, f"no/voice{n}_nohash_0.wav", 100 + n)
    soundfile.write(folder / "yes" / CODED[0], clips[0], RATE_HZ)
    soundfile.write(folder / "yes" / CODED[1], clips[1], RATE_HZ)
    write(folder / "yes" / CODED[2], clips[2] * 0.05)
    write(folder / "yes" / CODED[3], np.concatenate([np.zeros(1000), clips[3]])[:RATE_HZ])
    write(folder / "yes" / CODED[4], clips[4][::2], RATE_HZ // 2)
    soundfile.write(folder / "yes" / "voice5_nohash_1.mp3", clips[5], RATE_HZ)  # no split parts a speaker
    document = tinyml("data", "check", folder, "--json", cwd=tmp_path).json
    assert found(document)["near_duplicate"] == {f"yes/{name}" for name in CODED}
    details = {
        each["place"]: each["detail"] for each in document["findings"] if each["kind"] == "near_duplicate"
    }
    assert details == {f"yes/{name}": f"as yes/voice{n}_nohash_0.wav" for n, name in enumerate(CODED)}


@pytest.mark.parametrize("rate_hz", [2000, 4000])
def test_bands_above_the_rate_are_silent(rate_hz: int) -> None:
    course = course_of((voice(5) * 32767).astype(np.int16), rate_hz)
    assert course is not None and course.min() == course[:, -1].max() < course.max() == 0


def test_no_folder(tinyml: Tinyml, tmp_path: Path) -> None:
    error = tinyml("data", "check", tmp_path / "nowhere", "--json", cwd=tmp_path, code=2).json["error"]
    assert error["what"] == "There is no such file or folder"
    assert tinyml("data", "check", tmp_path, "--undo", "--json", cwd=tmp_path, code=2).json["error"]


def test_a_stop_says_what_was_moved_and_undo_brings_it_back(
    tinyml: Tinyml, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_it(folder)
    before = sorted(folder.rglob("*"))
    hashed: list[Path] = []

    def stopping(path: Path) -> str:
        if len(hashed) == 2:
            raise KeyboardInterrupt
        hashed.append(path)
        return sha256_file(path)

    monkeypatch.setattr(quarantine, "sha256_file", stopping)
    answer = tinyml("data", "check", folder, "--fix", "--json", cwd=folder.parent, code=130)
    assert "after moving 2 of " in answer.json["error"]["what"]
    *_, rest, back = re.findall(r"tinyml [^.]*", answer.json["error"]["next_step"])
    assert shlex.split(rest)[-1] == "--fix" and not any(path.exists() for path in hashed)
    tinyml(*shlex.split(back)[1:], cwd=folder.parent)
    assert sorted(folder.rglob("*")) == before
