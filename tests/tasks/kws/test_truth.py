"""GroundTruth files: what is read, and what is said about those that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyml_cli.errors import TinymlError
from tinyml_cli.tasks.kws.detection_errors import Passage, Target
from tinyml_cli.tasks.kws.truth import GroundTruth, read_truth

LABELS = ["silence", "unknown", "yes", "no"]


def truth(tmp_path: Path, text: str, **durations_ms: int) -> dict[str, GroundTruth]:
    path = tmp_path / "truth.tsv"
    path.write_text(text, encoding="utf-8")
    return read_truth(path, LABELS, durations_ms or {"a.wav": 10_000}, LABELS[2:])


def read(tmp_path: Path, text: str, **durations_ms: int) -> dict[str, list[Target]]:
    return {name: each.targets for name, each in truth(tmp_path, text, **durations_ms).items()}


def test_label_tracks_of_audio_editors_are_read(tmp_path: Path) -> None:
    text = "\ufeff# made by hand\n5.0\t5.4\tNo\n1.25\t1.75\tyes\n\n\\\t100.0\t900.0\n7.0\t8.0\tkettle\n"
    assert read(tmp_path, text) == {"a.wav": [Target(1250, 1750, 2), Target(5000, 5400, 3)]}


def test_moments_and_several_recordings(tmp_path: Path) -> None:
    text = "file\ttime_s\tlabel\nb.wav\t0.2\tno\na.wav\t9.9\tyes\n"
    found = read(tmp_path, text, **{"a.wav": 10_000, "b.wav": 3_000, "c.wav": 500})
    assert found == {"a.wav": [Target(9400, 10_000, 2)], "b.wav": [Target(0, 700, 3)], "c.wav": []}
    assert read(tmp_path, "1.0\tyes\n")["a.wav"] == [Target(500, 1500, 2)]


def test_everything_said_is_kept(tmp_path: Path) -> None:
    found = truth(tmp_path, "7.0\t8.0\tkettle\n1.25\t1.75\tYes\n")["a.wav"]
    assert found.said == [Passage(1250, 1750, "Yes"), Passage(7000, 8000, "kettle")]
    assert found.targets == [Target(1250, 1750, 2)]


@pytest.mark.parametrize("header", ["start_s\tend_s\tlabel", "file\ttime_s\tlabel\n", "#\ntime_s\tlabel"])
def test_a_header_alone_says_that_nothing_is_said(tmp_path: Path, header: str) -> None:
    quiet = GroundTruth([], [])
    assert truth(tmp_path, header, **{"a.wav": 10, "b.wav": 20}) == {"a.wav": quiet, "b.wav": quiet}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("# only a remark\n", "is empty"),
        ("label\tstart_s\n", "names no time column"),
        ("label\tstart_s\nyes\t1\n", "names no time column"),
        ("1\t2\t3\tyes\n", "Line 1 of the ground truth has 4 columns"),
        ("start_s\tend_s\tlabel\n1\t2\n", "Line 2 of the ground truth has 2 columns, the header 3"),
        ("one\t2\tyes\n", "has `one` instead of a time"),
        ("nan\t2\tyes\n", "has `nan` instead of a time"),
        ("2\t1\tyes\n", "ends before it starts"),
        ("1\t11\tyes\n", "is at 11 s, but the recording lasts 10 s"),
        ("-1\t2\tyes\n", "is at -1 s"),
        ("10.5\tyes\n", "is at 10.5 s"),
        ("1\t2\tkettle\n", "No row is a word of the model: `kettle`"),
        ("1\t2\tyes\n1.5\t3\tyes\n", "Lines 1 and 2 both list `yes` at the same time"),
        ("file\ttime_s\tlabel\nz.wav\t1\tyes\n", "names `z.wav`, which is not one of the recordings"),
    ],
)
def test_what_does_not_fit_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(TinymlError) as caught:
        read(tmp_path, text)
    assert message in str(caught.value)


def test_rows_have_to_say_which_recording_they_belong_to(tmp_path: Path) -> None:
    with pytest.raises(TinymlError, match=r"which of 2 recordings.*`file` column"):
        read(tmp_path, "1\t2\tyes\n", **{"a.wav": 5000, "b.wav": 5000})


def test_files_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "truth.tsv"
    for content in (b"\xff\xfe\x00\x01", None):
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(TinymlError, match="Cannot read"):
            read_truth(path, LABELS, {"a.wav": 1000}, LABELS[2:])
