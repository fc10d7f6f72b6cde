"""Speech Commands' own lists decide who is held out; other folders are still split by a hash."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.corpus import write_corpus
from tinyml_cli.data import folder, official_lists
from tinyml_cli.data.splits import split_groups
from tinyml_cli.errors import TinymlError


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """Ten speakers; number 1 is listed for validation, 2 and 3 for testing."""
    root = write_corpus(tmp_path / "data", speakers=10, takes=2)
    (root / "validation_list.txt").write_text("up/speaker01_nohash_0.wav\ndown/speaker01_nohash_1.wav\n")
    (root / "testing_list.txt").write_text("up/speaker02_nohash_0.wav\r\ndown/speaker03_nohash_0.wav\r\n")
    return root


def test_lists_decide(listed: Path) -> None:
    corpus = folder.read_folder(listed, ["up", "down"], 16_000, 16_000, 4000)
    people = corpus.clips.take(corpus.clips.labels != "silence")
    for validation, test in ((0.15, 0.25), (0.5, 0.4)):
        where = split_groups(people.groups, validation, test, corpus.fixed_splits)
        held = {split: set(people.groups[where == split]) for split in ("validation", "test")}
        assert held == {"validation": {"speaker01"}, "test": {"speaker02", "speaker03"}}
    assert any("testing_list.txt" in note for note in corpus.notes)


def test_words_that_no_list_names_are_split_by_a_hash(listed: Path) -> None:
    (listed / "marvin").mkdir()
    clip = (listed / "up" / "speaker00_nohash_0.wav").read_bytes()
    for index in range(40):
        (listed / "marvin" / f"own{index}_nohash_0.wav").write_bytes(clip)
    settled = official_lists.read(listed)
    assert settled["speaker00"] == "train"
    assert not any(name.startswith("own") for name in settled)
    where = split_groups([f"own{index}" for index in range(40)], 0.2, 0.2, settled)
    assert set(np.unique(where)) == {"train", "validation", "test"}


def test_one_list_alone_settles_nothing(listed: Path) -> None:
    (listed / "testing_list.txt").unlink()
    assert official_lists.read(listed) == {}


def test_a_speaker_in_both_lists(listed: Path) -> None:
    (listed / "testing_list.txt").write_text("flat/speaker01_nohash_0.wav\n")
    with pytest.raises(TinymlError, match=r"for validation and for testing: 1, such as `speaker01`"):
        official_lists.read(listed)
