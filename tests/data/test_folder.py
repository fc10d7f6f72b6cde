"""The Speech Commands layout, and what is wrong with a folder said in one paragraph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.corpus import write_corpus
from tinyml_cli.data import folder
from tinyml_cli.data.clips import SILENCE, UNKNOWN
from tinyml_cli.data.speakers import speaker_of
from tinyml_cli.errors import TinymlError


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus") / "data", speakers=6, takes=2)


def test_words_unknown_and_silence(corpus: Path) -> None:
    read = folder.read_folder(corpus, ["up"], 16_000, 16_000, 4000)
    assert read.clips.counts(["up", UNKNOWN, SILENCE]) == {"up": 12, UNKNOWN: 24, SILENCE: 120}
    assert set(read.clips.words[read.clips.labels == UNKNOWN]) == {"down", "flat"}
    assert set(read.clips.groups[read.clips.labels == "up"]) == {f"speaker{i:02d}" for i in range(6)}
    assert [len(noise) for noise in read.noises] == [960_000, 960_000]


def test_own_silence_folder_comes_first(tmp_path: Path) -> None:
    root = write_corpus(tmp_path / "data", speakers=5, takes=2)
    (root / "_silence_").mkdir()
    soundfile.write(root / "_silence_" / "1.flac", np.zeros(16_000), 16_000)
    assert folder.read_folder(root, ["up"], 16_000, 16_000, 4000).clips.counts([SILENCE]) == {SILENCE: 1}


def test_speaker_from_the_file_name() -> None:
    assert speaker_of(Path("yes/0a7c2a8d_nohash_12.wav")) == "0a7c2a8d"
    assert speaker_of(Path("yes/kitchen.wav")) == "yes/kitchen.wav"


def test_at_most_so_many_clips_of_each_label_evenly_over_words(corpus: Path) -> None:
    chosen = folder.thin_out(folder.list_recordings(corpus, ["up"]), 8)
    words = [recording.word for recording in chosen]
    assert (words.count("up"), words.count("down"), words.count("flat")) == (8, 4, 4)


@pytest.mark.parametrize(
    ("word", "what"), [("upp", "Did you mean `up`"), ("banana", "Available words: down, flat, up")]
)
def test_unknown_word_folder(corpus: Path, word: str, what: str) -> None:
    with pytest.raises(TinymlError) as caught:
        folder.read_folder(corpus, [word], 16_000, 16_000, 4000)
    assert what in str(caught.value)
    assert word in caught.value.what


def test_too_few_clips_or_speakers(tmp_path: Path) -> None:
    root = write_corpus(tmp_path / "data", speakers=2, takes=10)
    with pytest.raises(TinymlError, match="20 clips of 2 speakers; it needs at least 10 clips of 3 speakers"):
        folder.read_folder(root, ["up"], 16_000, 16_000, 4000)


def test_damaged_files_are_named_and_counted(tmp_path: Path) -> None:
    root = write_corpus(tmp_path / "data", speakers=5, takes=2)
    for take in range(3):
        (root / "up" / f"a_nohash_{take}.wav").write_bytes(b"RIFF then nothing")
    with pytest.raises(TinymlError) as caught:
        folder.read_folder(root, ["up"], 16_000, 16_000, 4000)
    assert "`a_nohash_0.wav` and 2 more files" in caught.value.what


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_no_data(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(TinymlError):
        folder.read_folder(tmp_path / name, ["up"], 16_000, 16_000, 4000)


def test_real_clips(shared: Path) -> None:
    root = shared / "data" / "speech_commands_v002_test"
    read = folder.read_folder(root, ["yes", "no"], 16_000, 16_000, 60)
    assert read.clips.counts([SILENCE, UNKNOWN, "yes", "no"]) == {
        SILENCE: 60,
        UNKNOWN: 60,
        "yes": 60,
        "no": 60,
    }
    assert len(set(read.clips.words[read.clips.labels == UNKNOWN])) > 30
    assert len(read.noises) == 4
