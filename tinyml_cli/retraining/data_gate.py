"""Whether the data may be trained on: their labels, balance, sizes and files against the champion's."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import numpy.typing as npt

from tinyml_cli.data.snapshot import DataSnapshot, SnapshotItem
from tinyml_cli.datasets import checks
from tinyml_cli.datasets.checks import CheckSettings
from tinyml_cli.datasets.snapshots import compare, leaks
from tinyml_cli.project.rules import RetrainRules
from tinyml_cli.wording import counted

# With fewer new files, no distance of their distribution means anything.
_LEAST_FILES = 20
# Of the Kolmogorov-Smirnov test at the 0.1 % level, times sqrt(1/n + 1/m).
_KS_001 = 1.95


def faults(before: DataSnapshot | None, now: DataSnapshot, rules: RetrainRules) -> list[str]:
    """Why nobody should train on data that look like this before a person has; empty: nothing is strange.

    Args:
        before: what the champion was trained on; None where that is not known.
        now: the data there are.
        rules: the project's limits.
    """
    return [] if before is None else list(_against(before, now, rules))


def bad_files(data: Path) -> list[str]:
    """A sentence where `data check` finds files that training would stop at, or learn wrong from.

    Raises:
        TinymlError: none of the files can be checked.
    """
    bad = checks.check(data, CheckSettings()).bad_files
    if not bad:
        return []
    example = next(iter(bad))
    return [f"{counted(len(bad), 'bad file')}, such as {example.as_posix()} ({bad[example]})"]


def _against(before: DataSnapshot, now: DataSnapshot, rules: RetrainRules) -> Iterator[str]:
    old, new = before.labels(), now.labels()
    if appeared := sorted(new.keys() - old.keys()):
        yield f"new classes: {', '.join(appeared)}"
    if gone := sorted(old.keys() - new.keys()):
        yield f"classes without files: {', '.join(gone)}"
    for label in sorted(old.keys() & new.keys()):
        shares = old[label] / len(before.items), new[label] / len(now.items)
        if abs(shares[1] - shares[0]) > rules.share_change:
            yield f"`{label}` is {shares[1]:.0%} of the files, it was {shares[0]:.0%}"
    kinds = [{PurePosixPath(name).suffix.lower() for name in each.items} for each in (before, now)]
    if strange := sorted(kinds[1] - kinds[0]):
        yield f"files of a new kind: {', '.join(strange)}"
    difference = compare(before, now)
    if leaked := sorted({*difference.leaked, *leaks(now, now)}):
        yield f"{counted(len(leaked), 'file')} leaked between test and training, such as {leaked[0]}"
    added = [now.items[name] for name in (*difference.added, *difference.changed)]
    distance, n = size_distance(list(before.items.values()), added), len(added)
    if n >= _LEAST_FILES and distance > rules.size_distance and distance > _chance(len(before.items), n):
        yield (
            f"the {n} new files have other sizes (Kolmogorov-Smirnov distance {distance:.2f}): another rate, "
            "length or format?"
        )


def size_distance(one: list[SnapshotItem], two: list[SnapshotItem]) -> float:
    """The Kolmogorov-Smirnov distance of the files' sizes, 0 to 1; 0 where one has none."""
    first, second = _sizes(one), _sizes(two)
    if not len(first) or not len(second):
        return 0.0
    at = np.concatenate([first, second])
    shares = [np.searchsorted(sizes, at, side="right") / len(sizes) for sizes in (first, second)]
    return float(np.abs(shares[0] - shares[1]).max())


def _sizes(items: list[SnapshotItem]) -> npt.NDArray[np.int64]:
    return np.sort(np.array([item.bytes for item in items], np.int64))


def _chance(n: int, m: int) -> float:
    return _KS_001 * math.sqrt(1 / n + 1 / m)
