"""A few own clips beside many others: their weight, their speakers, and what evaluation says of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests import whistles
from tests.conftest import Tinyml
from tests.corpus import whistle, write_corpus
from tinyml_cli.data import recordings
from tinyml_cli.data.clips import ClipSet, Corpus
from tinyml_cli.data.splits import split_groups
from tinyml_cli.errors import TinymlError
from tinyml_cli.run import Run
from tinyml_cli.tasks.kws import held_out as kws_held_out


def _others(per_label: int = 100) -> Corpus:
    labels = np.repeat(["up", "down", "unknown"], per_label)
    audio = np.random.default_rng(0).integers(-99, 99, (len(labels), 16_000)).astype(np.int16)
    return Corpus(ClipSet(audio, labels, labels, np.array([f"s{i % 50}" for i in range(len(labels))])))


def _own(root: Path, clips: dict[str, int], speakers: int = 1) -> Path:
    for word, count in clips.items():
        (root / word).mkdir(parents=True)
        for index in range(count):
            path = root / word / f"own{index % speakers}_nohash_{index}.wav"
            soundfile.write(path, whistle(word if word != "other" else "flat", 500 + index, 0), 16_000)
    return root


@pytest.mark.parametrize(("count", "share"), [(1, 20 / 120), (3, 60 / 160), (10, 0.5), (30, 0.5)])
def test_the_share_grows_with_the_number_up_to_a_limit(tmp_path: Path, count: int, share: float) -> None:
    corpus = recordings.add(_others(), _own(tmp_path / "own", {"up": count}), ["up", "down"], 16_000, 20, 0.5)
    clips, weights = corpus.clips, corpus.clips.weigh()
    own = np.char.startswith(clips.groups, "own")
    assert own.sum() == count
    assert weights[own].sum() == pytest.approx(100 * share)
    for label in ("up", "down", "unknown"):
        assert weights[clips.labels == label].sum() == pytest.approx(100)
    assert np.all(weights[clips.labels == "down"] == 1)
    assert weights[own].max() <= 20


def test_others_become_unknown_and_few_speakers_all_train(tmp_path: Path) -> None:
    root = _own(tmp_path / "own", {"up": 4, "other": 2}, speakers=2)
    corpus = recordings.add(_others(), root, ["up", "down"], 16_000, 20, 0.5)
    own = np.char.startswith(corpus.clips.groups, "own")
    assert list(corpus.clips.labels[own]) == ["unknown"] * 2 + ["up"] * 4
    assert corpus.fixed_splits == {"own0": "train", "own1": "train"}
    assert recordings.NOT_HELD_OUT in corpus.notes[-1]


def test_more_speakers_are_split_like_any_others(tmp_path: Path) -> None:
    root = _own(tmp_path / "own", {"up": 40}, speakers=40)
    corpus = recordings.add(_others(), root, ["up", "down"], 16_000, 20, 0.5)
    assert corpus.fixed_splits == {} and recordings.NOT_HELD_OUT not in corpus.notes[-1]
    own = np.char.startswith(corpus.clips.groups, "own")
    where = split_groups(corpus.clips.groups[own], 0.2, 0.2, corpus.fixed_splits)
    assert set(where) == {"train", "validation", "test"}


def test_clips_that_the_data_has_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = _others(3)
    root = _own(tmp_path / "own", {"up": 2})
    soundfile.write(root / "up" / "copy_nohash_0.wav", corpus.clips.audio[0], 16_000)
    added = recordings.add(corpus, root, ["up", "down"], 16_000, 20, 0.5)
    assert "copy" not in added.clips.groups and len(added.clips) == 9 + 2
    assert "Skipped 1 recording already in the data" in capsys.readouterr().err


def test_none_of_the_words(tmp_path: Path) -> None:
    with pytest.raises(TinymlError, match="No recordings of `up` or `down`"):
        recordings.add(_others(), _own(tmp_path / "own", {"other": 2}), ["up", "down"], 16_000, 20, 0.5)


def test_training_and_evaluation(tinyml: Tinyml, tmp_path: Path) -> None:
    write_corpus(tmp_path / "data", speakers=24)
    _own(tmp_path / "own", {"up": 3, "down": 1})
    settings = [f"--set={key}" for key in ("training.epochs=1", "augmentation.copies=1")]
    options = ("--data", "data", "--add-recordings", "own", "--run", "run", "--json")
    tinyml("train", "kws", "--words", "up,down", *options, *whistles.SMALL, *settings, cwd=tmp_path)
    manifest = json.loads((tmp_path / "run/manifest.json").read_text())
    assert manifest["data"]["recordings"] == str(tmp_path / "own")
    assert manifest["data"]["counts"]["train"]["up"] > 3
    speakers = json.loads((tmp_path / "run/logs/speakers.json").read_text())
    assert "own0" in speakers["train"]
    run = Run.open(tmp_path / "run")
    assert recordings.NOT_HELD_OUT in kws_held_out.load(run, None).note
    # Who trained never judges, also where the own folder is given as data to evaluate on.
    with pytest.raises(TinymlError, match="No clips to evaluate on"):
        kws_held_out.load(run, tmp_path / "own")
