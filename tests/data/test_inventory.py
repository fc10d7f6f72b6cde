"""Every file of a data folder is used, or left out for a reason that is counted and named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tinyml_cli.data import folder, inventory, phone_sound
from tinyml_cli.errors import TinymlError
from tinyml_cli.images import image_folder

RATE_HZ = 16_000


def speech(root: Path, words: tuple[str, ...] = ("yes", "no")) -> Path:
    rng = np.random.default_rng(1)
    for word in words:
        (root / word).mkdir(parents=True)
        for speaker in range(4):
            for take in range(3):
                sound = rng.normal(0, 0.1, 800)
                soundfile.write(root / word / f"v{speaker}_nohash_{take}.wav", sound, RATE_HZ)
    return root


def put(root: Path, name: str, content: bytes = b"x") -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(content)


def read(root: Path) -> folder.Corpus:
    return folder.read_folder(root, ["yes"], RATE_HZ, RATE_HZ, 4000)


STRANGERS = ["a.docx", "yes/a.pdf", "yes/deep/b.wav", "c.wav", "_x/d.wav", "yes/.e.wav", "README.md"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(STRANGERS), unique=True))
def test_used_and_left_out_are_all_there_is(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    root = speech(tmp_path_factory.mktemp("data") / "set")
    for name in names:
        put(root, name)
    corpus = read(root)
    files = [path for path in root.rglob("*") if path.is_file()]
    assert len(corpus.clips) == 24
    assert len(corpus.left_out) + 24 == len(files)
    assert {entry.path.relative_to(root).as_posix() for entry in corpus.left_out} == set(names)
    assert all(entry.reason for entry in corpus.left_out)


def test_recordings_of_phones_are_counted_with_the_line_that_installs_their_decoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(phone_sound, "is_installed", lambda: False)
    root = speech(tmp_path / "set")
    for number in range(5):
        put(root, f"yes/p{number}_nohash_0.m4a")
    assert inventory.counts(read(root).left_out) == {'M4A needs an extra: pip install "tinyml-cli[phone]"': 5}
    said = capsys.readouterr().err
    assert "5 files skipped" in said and 'pip install "tinyml-cli[phone]"' in said


def test_no_clips_with_files_there_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phone_sound, "is_installed", lambda: False)
    root = speech(tmp_path / "set", ("no",))
    for number in range(12):
        put(root, f"yes/p{number}.amr")
    with pytest.raises(TinymlError, match=r"0 clips of 0 speakers.*12 files skipped: AMR needs an extra"):
        read(root)


def test_a_class_of_pictures_that_are_not_read_says_so(tmp_path: Path) -> None:
    Image.new("L", (16, 16)).save(tmp_path / "a.png")
    put(tmp_path, "none/x.dng")
    put(tmp_path, "person/y.psd")
    with pytest.raises(
        TinymlError,
        match=r"No images of the class `person`.*`\.psd` is not a supported "
        "image",
    ):
        image_folder.list_images(tmp_path, ["person", "none"])


def test_hidden_files_and_texts_are_counted_without_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = speech(tmp_path / "set")
    for name in (".DS_Store", "yes/._v0_nohash_0.wav", "Thumbs.db", "LICENSE", "testing_list.txt"):
        put(root, name, b"")
    corpus = read(root)
    assert inventory.counts(corpus.left_out) == {
        inventory.OF_THE_SYSTEM: 3,
        inventory.OF_THE_DATA_SET: 2,
    }
    assert "skipped" not in capsys.readouterr().err
