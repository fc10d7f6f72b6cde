"""Splits by speaker: no training speaker is in the validation or test set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
SPLIT_FOLDERS: Mapping[str, Split] = MappingProxyType(
    {
        "train": "train",
        "training": "train",
        "val": "validation",
        "validation": "validation",
        "test": "test",
        "testing": "test",
    }
)
"""Name of a folder, in small letters -> the split that is in it."""

REMEDY = "Record more people (10 or more), or change training.validation_share and training.test_share."
_NOTHING_FIXED: Mapping[str, Split] = MappingProxyType({})


def position(group: str) -> float:
    """A number in [0, 1) that depends on the name alone, so a speaker stays put when the data grows.

    The idea of Speech Commands' `which_set` (P. Warden, arXiv:1804.03209, section 5.3).
    """
    return int.from_bytes(hashlib.sha256(group.encode()).digest()[:8], "big") / 2.0**64


def split_of(group: str, validation_share: float, test_share: float) -> Split:
    """Where a speaker belongs."""
    place = position(group)
    if place < test_share:
        return "test"
    return "validation" if place < test_share + validation_share else "train"


def split_groups(
    groups: Iterable[str],
    validation_share: float,
    test_share: float,
    fixed: Mapping[str, Split] = _NOTHING_FIXED,
    remedy: str = REMEDY,
) -> NDArray[np.str_]:
    """The split of each item, str [items].

    Args:
        groups: the speaker of each item.
        validation_share: share of speakers for the validation split.
        test_share: share of speakers kept for `tinyml evaluate`; 0 keeps none.
        fixed: split of the speakers for whom it is settled.
        remedy: what to do where they are too few.

    Raises:
        TinymlError: a split that was asked for would be empty.
    """
    names = list(groups)
    where = {group: fixed.get(group) or split_of(group, validation_share, test_share) for group in set(names)}
    wanted = [
        s for s, share in (("train", 1.0), ("validation", validation_share), ("test", test_share)) if share
    ]
    missing = sorted(set(wanted) - set(where.values()))
    if missing:
        raise TinymlError(
            f"Too few speakers ({len(where)}): none are left for {' and '.join(missing)}",
            "split by speaker",
            remedy,
        )
    return np.array([where[name] for name in names], dtype="<U10")


def count_labels(
    where: NDArray[np.str_], labels: NDArray[np.int64], names: Sequence[str]
) -> dict[str, dict[str, int]]:
    """split -> label -> items.

    Args:
        where: str [n], the split of each item.
        labels: int64 [n], index into `names`.
        names: of the labels.
    """
    return {
        split: {name: int((labels[where == split] == index).sum()) for index, name in enumerate(names)}
        for split in SPLITS
    }
