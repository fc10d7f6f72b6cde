"""Layouts of data sets, and what is said about wrong ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml_cli.bench.dataset import BenchmarkExample, load
from tinyml_cli.engines.benchmarks import BENCHMARKS
from tinyml_cli.errors import TinymlError

KWS, AD, VWW = BENCHMARKS["kws"], BENCHMARKS["ad"], BENCHMARKS["vww"]


def write(folder: Path, labels: str, **files: bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / f"{name}.bin").write_bytes(data)
    (folder / "y_labels.csv").write_text(labels)
    return folder


def test_the_runner_s_layout(tmp_path: Path) -> None:
    write(tmp_path / "kws01", "a.bin,12,3\r\nb.bin, 12, 0\n\n", a=b"12", b=b"34")
    for folder in (tmp_path, tmp_path / "kws01"):
        dataset = load(folder, KWS)
        assert [(example.path.name, example.truth) for example in dataset.examples] == [
            ("a.bin", 3),
            ("b.bin", 0),
        ]
        assert dataset.classes == tuple(str(index) for index in range(12))
    assert dataset.examples[1].windows(2) == [b"34"]


def test_sliding_windows(tmp_path: Path) -> None:
    folder = write(tmp_path, "a.bin,2,1,4,2\n", a=b"0123456789X")
    (example,) = load(folder, AD).examples
    assert example.windows(4) == [b"0123", b"2345", b"4567", b"6789"]
    with pytest.raises(TinymlError, match="needs 5"):
        example.windows(5)


def test_a_folder_for_each_class(tmp_path: Path) -> None:
    for name in ("person", "background"):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "a.npy", np.arange(4, dtype=np.uint8))
    (tmp_path / "person" / "b.bin").write_bytes(b"abcd")
    (tmp_path / "person" / "notes.txt").write_text("no example")
    dataset = load(tmp_path, VWW)
    assert dataset.classes == ("background", "person")
    assert [(e.path.name, e.truth) for e in dataset.examples] == [("a.npy", 0), ("a.npy", 1), ("b.bin", 1)]
    assert dataset.examples[0].windows(4) == [bytes([0, 1, 2, 3])]
    assert load(tmp_path, VWW, ["person", "background"]).examples[0].truth == 0
    with pytest.raises(TinymlError, match="no class person"):
        load(tmp_path, VWW, ["cat", "background"])


def test_anomaly_folders_have_their_own_order(tmp_path: Path) -> None:
    for name in ("anomaly", "normal"):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "a.npy", np.zeros(640, ">f4"))
    normal, anomaly = load(tmp_path, AD).examples
    assert (normal.truth, normal.path.parent.name) == (0, "normal")
    assert (anomaly.truth, anomaly.windows(2560)) == (1, [bytes(2560)])


def test_limit_draws_the_same_examples_each_time(tmp_path: Path) -> None:
    rows = "\n".join(f"a.bin,2,{index % 2}" for index in range(100))
    dataset = load(write(tmp_path, rows, a=b"x"), KWS)
    some = dataset.limited(20)
    assert len(some.examples) == 20 and some == dataset.limited(20)
    assert {example.truth for example in some.examples} == {0, 1}
    assert dataset.limited(None) == dataset.limited(100) == dataset.limited(1000) == dataset


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("a.bin", "not a label"),
        ("a.bin,2", "not a label"),
        ("a.bin,2,2", "not a label"),
        ("a.bin,2,-1", "not a label"),
        ("a.bin,two,1", "not a label"),
        ("a.bin,2,1,4", "not a label"),
        ("a.bin,2,1,4,0", "not a label"),
        ("b.bin,2,1", "missing"),
        ("", "empty"),
    ],
)
def test_wrong_tables_are_refused_with_the_line(tmp_path: Path, row: str, why: str) -> None:
    with pytest.raises(TinymlError, match=why) as caught:
        load(write(tmp_path, f"{row}\n", a=b"x"), KWS)
    assert "y_labels.csv" in caught.value.where


def test_wrong_folders_and_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TinymlError, match="folder does not exist"):
        load(tmp_path / "nowhere", KWS)
    with pytest.raises(TinymlError, match=r"neither y_labels\.csv"):
        load(tmp_path, KWS)
    np.save(tmp_path / "a.npy", np.zeros(4))
    with pytest.raises(TinymlError, match="float64"):
        BenchmarkExample(tmp_path / "a.npy", 0).windows(4)
    (tmp_path / "b.npy").write_bytes(b"junk")
    with pytest.raises(TinymlError, match="Cannot read"):
        BenchmarkExample(tmp_path / "b.npy", 0).windows(4)
    (tmp_path / "c.bin").write_bytes(b"")
    with pytest.raises(TinymlError, match="needs 4"):
        BenchmarkExample(tmp_path / "c.bin", 0).windows(4)
