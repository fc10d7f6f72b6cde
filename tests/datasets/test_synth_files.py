"""Synthetic speech as files: the same bytes for the same seed, to train on, split by voice."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.conftest import Tinyml
from tinyml_cli.data import folder
from tinyml_cli.data.speakers import speaker_of
from tinyml_cli.speech import synthesis
from tinyml_cli.speech.plan import is_synthetic
from tinyml_cli.speech.voices import Voices


def _hashes(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_files_are_what_training_uses(tinyml: Tinyml, tmp_path: Path) -> None:
    options = ("--words", "yes,no", "--clips", "24", "--unknown", "20", "--seed", "5", "--json")
    answer = tinyml("data", "synth", *options, "--out", "a", cwd=tmp_path)
    tinyml("data", "synth", *options, "--out", "b", cwd=tmp_path)
    assert _hashes(tmp_path / "a") == _hashes(tmp_path / "b")
    words = {entry["word"]: entry["label"] for entry in answer.json["words"]}
    assert (words["yes"], words["no"]) == ("yes", "no") and set(words.values()) == {"yes", "no", "unknown"}

    read = folder.read_folder(tmp_path / "a", ["yes", "no"], 16_000, 16_000, 4000).clips
    made = synthesis.synthesise(["yes", "no"], 24, 20, Voices(["espeak", "flite"]), 16_000, 16_000, 5).clips
    assert len(read) == answer.json["n"] == len(made)
    for word in ("yes", "no"):
        expected = {clip.tobytes() for clip in made.audio[made.words == word]}
        assert {clip.tobytes() for clip in read.audio[read.words == word]} == expected
    assert len(set(read.groups)) == answer.json["voices"] == len(set(made.groups))
    assert all(is_synthetic(group) for group in read.groups)


def test_refuses_what_is_in_use_or_unknown(tinyml: Tinyml, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "note.txt").write_text("mine")
    answer = tinyml("data", "synth", "--words", "yes", "--out", "mine", "--json", cwd=tmp_path, code=2)
    assert "not empty" in answer.json["error"]["what"]
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["note.txt"]
    answer = tinyml(
        *("data", "synth", "--words", "yes", "--out", "new", "--engines", "hal", "--json"),
        cwd=tmp_path,
        code=2,
    )
    assert "espeak" in answer.json["error"]["next_step"]
    assert not (tmp_path / "new").exists()


def test_voice_names_are_speakers() -> None:
    assert speaker_of(Path("yes/espeak-en-us+Andy_nohash_12.wav")) == "espeak-en-us+Andy"
