"""A speaker is in one split only, and stays there when the data grows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml_cli.data.splits import split_groups, split_of
from tinyml_cli.errors import TinymlError


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(min_size=1), min_size=200, max_size=300, unique=True))
def test_splits_are_disjoint_and_stable(speakers: list[str]) -> None:
    clips = speakers * 2
    where = split_groups(clips, 0.2, 0.2)
    held = {name: {s for s, place in zip(clips, where, strict=True) if place == name} for name in set(where)}
    assert sum(len(part) for part in held.values()) == len(speakers)
    assert all(split_of(s, 0.2, 0.2) == name for name, part in held.items() for s in part)


def test_shares_are_met() -> None:
    where = split_groups([f"s{i}" for i in range(5000)], 0.15, 0.25)
    assert np.mean(where == "test") == pytest.approx(0.25, abs=0.03)
    assert np.mean(where == "validation") == pytest.approx(0.15, abs=0.03)


def test_test_speakers_do_not_move_when_the_validation_share_changes() -> None:
    speakers = [f"s{i}" for i in range(500)]
    first, second = (split_groups(speakers, share, 0.25) == "test" for share in (0.1, 0.3))
    assert (first == second).all()


def test_an_empty_split_is_an_error() -> None:
    with pytest.raises(TinymlError, match="Too few"):
        split_groups(["anna"] * 50, 0.2, 0.2)


def test_fixed_speakers_always_train() -> None:
    speakers = [f"s{i}" for i in range(100)]
    where = split_groups(speakers, 0.2, 0.2, fixed=dict.fromkeys(speakers[:20], "train"))
    assert set(where[:20]) == {"train"}
