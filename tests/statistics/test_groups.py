from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml_cli.errors import TinymlError
from tinyml_cli.statistics import groups


def test_two_columns_need_no_heading(tmp_path: Path) -> None:
    path = tmp_path / "groups.tsv"
    path.write_text("# who\nann\tchild\n\nbob\tadult\n", encoding="utf-8")
    assert groups.read_groups(path) == {"group": {"ann": "child", "bob": "adult"}}


def test_a_heading_names_attributes(tmp_path: Path) -> None:
    path = tmp_path / "groups.tsv"
    path.write_bytes("\ufeffspeaker\tage\taccent\r\nann\tchild\tMünchen\r\nbob\tadult\t\r\n".encode())
    assert groups.read_groups(path) == {
        "age": {"ann": "child", "bob": "adult"},
        "accent": {"ann": "München", "bob": groups.NOT_LISTED},
    }


@pytest.mark.parametrize("mark", [",", ";"])
def test_commas_and_semicolons_part_columns(tmp_path: Path, mark: str) -> None:
    path = tmp_path / "groups.csv"
    path.write_text(f'voice{mark}age\n"ann{mark}b"{mark}"a child"\nbob{mark}\n', encoding="utf-8")
    assert groups.read_groups(path) == {"age": {f"ann{mark}b": "a child", "bob": groups.NOT_LISTED}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"ann child\n", "Line 1 has 1 column; 2 are needed"),
        (b"ann\tchild\nbob\tadult\tx\n", "Line 2 has 3 columns; 2 are needed"),
        (b"ann\tchild\nann\tadult\n", "Line 2 lists the speaker `ann` twice"),
        (b"speaker\tage\n", "contains no groups"),
        (b"speaker\n", "one of groups is missing"),
        (b"voice,age,age\nann,1,2\n", "`age` names two columns"),
        (b"voice;age;\nann;1;2\n", "Column 3 has no name"),
        (b"", "contains no groups"),
        (b"\xff\xfe\x00", "Cannot read"),
    ],
)
def test_damaged_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "groups.tsv"
    path.write_bytes(content)
    with pytest.raises(TinymlError, match=message):
        groups.read_groups(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TinymlError, match="Cannot read"):
        groups.read_groups(tmp_path / "none.tsv")


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17, 1998 (differences), table II, method 10.
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_difference_interval_matches_published_values(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    assert groups.difference_interval(*first, *second) == pytest.approx((low, high), abs=5e-5)


def test_fairness_by_hand() -> None:
    names = np.array(["child"] * 10 + ["adult"] * 20 + ["senior"] * 3 + [groups.NOT_LISTED] * 12)
    right = np.array([True] * 6 + [False] * 4 + [True] * 19 + [False] + [False] * 3 + [False] * 12)
    speakers = np.array([f"s{i // 2}" for i in range(45)])
    outcome = groups.fairness("age", names, right, speakers)
    assert (outcome.worst, outcome.best) == ("child", "adult"), "3 clips are too few, and 12 unknown"
    assert outcome.gap == pytest.approx(0.95 - 0.6)
    assert outcome.gap_ci95 == groups.difference_interval(19, 20, 6, 10)
    rows = {row.group: row for row in outcome.groups}
    assert (rows["senior"].n, rows["senior"].accuracy) == (3, 0.0)
    assert (rows["child"].speakers, rows["child"].correct) == (5, 6)


def test_one_group_has_no_gap() -> None:
    outcome = groups.fairness("age", np.array(["a"] * 20), np.ones(20, bool), np.array(["s"] * 20))
    assert outcome.gap is None


def test_spread_counts_every_speaker_once() -> None:
    speakers = np.array(["a"] * 8 + ["b"] * 2 + ["c"])
    right = np.array([True] * 8 + [True, False] + [False])
    spread = groups.spread(speakers, right)
    assert spread is not None
    assert spread.n == 3
    assert spread.clips_per_speaker.as_dict() == {"min": 1, "median": 2.0, "max": 8}
    assert spread.accuracy.mean == pytest.approx((1 + 0.5 + 0) / 3)
    assert spread.perfect == pytest.approx(1 / 3)
    assert [row.group for row in spread.worst] == ["c", "b"]
    low, high = spread.ci95
    assert low < 9 / 11 < high
    assert groups.spread(np.array([]), np.array([], bool)) is None


def test_speakers_who_fail_as_a_whole_widen_the_interval() -> None:
    """Twenty clips each: drawing clips again would take 400 independent ones for granted."""
    speakers = np.repeat([f"s{i}" for i in range(20)], 20)
    right = np.repeat(np.arange(20) < 16, 20)
    spread = groups.spread(speakers, right)
    assert spread is not None
    low, high = spread.ci95
    assert high - low > 0.25
