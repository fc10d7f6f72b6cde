"""Accuracy by speaker and by group of speakers: the worst, and the gap."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml_cli.errors import TinymlError
from tinyml_cli.outcomes.evaluations import AccuracySpread, ClipsPerSpeaker, Fairness, SpeakerGroup, Speakers
from tinyml_cli.statistics.metrics import wilson_interval
from tinyml_cli.wording import counted

NOT_LISTED = "(not listed)"
# Headings of a first column, where tabs part the columns.
_KEYS = {"speaker", "person", "item", "file", "path", "name", "clip", "image", "take", "recording", "machine"}
# With fewer examples an interval covers nearly everything: such a group is shown, never called the worst.
MINIMUM_N = 10

_BOOTSTRAP_ROUNDS = 2000
_BOOTSTRAP_SEED = 1979
_WORST_SPEAKERS = 10

Names = npt.NDArray[np.str_]
BoolArray = npt.NDArray[np.bool_]


def read_groups(path: Path) -> dict[str, dict[str, str]]:
    """Reads the group of each speaker, or of whatever items come from.

    Text in UTF-8, its columns separated by tabs, commas or semicolons, whichever the first line has. That
    line names the columns, of which the second and later ones are attributes; one line per speaker follows.
    Where tabs part two columns, speaker and group, it may be missing unless it begins with `speaker`, `item`,
    `file` or the like. Empty lines and lines that start with # are ignored.

    Returns:
        attribute -> speaker -> group.

    Raises:
        TinymlError: no such file, not text, no or unequal columns, or a speaker or an attribute listed twice.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise TinymlError(
            f"Cannot read the groups: {error}", str(path), "Give a CSV file in UTF-8."
        ) from error
    delimiter = _delimiter(text)
    lines = enumerate(csv.reader(text.splitlines(), delimiter=delimiter), start=1)
    try:
        rows = [
            (n, [cell.strip() for cell in row]) for n, row in lines if any(row) and not row[0].startswith("#")
        ]
    except csv.Error as error:
        raise TinymlError(
            f"Cannot read the groups: {error}", str(path), "Write a short name into each cell."
        ) from error
    attributes = ["group"]
    if rows and (delimiter != "\t" or rows[0][1][0].lower() in _KEYS):
        attributes = _attributes(rows.pop(0)[1], path)
    if not rows:
        raise TinymlError(
            "The file contains no groups",
            str(path),
            "Write a first line such as speaker,group, and a line per speaker below.",
        )
    tables: dict[str, dict[str, str]] = {name: {} for name in attributes}
    for number, (speaker, *groups) in rows:
        if len(groups) != len(attributes) or not speaker:
            raise TinymlError(
                f"Line {number} has {counted(len(groups) + 1, 'column')}; {len(attributes) + 1} are needed",
                str(path),
                "Separate the columns with one tab or comma each.",
            )
        if speaker in tables[attributes[0]]:
            raise TinymlError(
                f"Line {number} lists the speaker `{speaker}` twice", str(path), "Keep one line per speaker."
            )
        for name, group in zip(attributes, groups, strict=True):
            tables[name][speaker] = group or NOT_LISTED
    return tables


def _attributes(heading: list[str], path: Path) -> list[str]:
    """The columns that the first line names after that of the speakers."""
    names = heading[1:]
    if not names:
        raise TinymlError(
            f"The only column is `{heading[0]}`: one of groups is missing",
            str(path),
            "Write a first line such as speaker,group.",
        )
    for number, name in enumerate(names, start=2):
        if not name or names.count(name) > 1:
            fault = f"`{name}` names two columns" if name else f"Column {number} has no name"
            raise TinymlError(fault, str(path), "Give each column a name of its own in the first line.")
    return names


def _delimiter(text: str) -> str:
    """What separates the columns of the first line that is not a comment; a tab where nothing does."""
    lines = (line for line in text.splitlines() if line.strip() and not line.startswith("#"))
    first = next(lines, "")
    return next((mark for mark in "\t;," if mark in first), "\t")


def table(names: Names, right: BoolArray, speakers: Names) -> list[SpeakerGroup]:
    """Accuracy of each group with its Wilson interval; the lowest first.

    Args:
        names: str [n], the group of each example.
        right: bool [n].
        speakers: str [n].
    """
    rows = []
    for name in np.unique(names):
        inside = names == name
        n, hits = int(inside.sum()), int(right[inside].sum())
        rows.append(
            SpeakerGroup(
                group=str(name),
                n=n,
                speakers=len(np.unique(speakers[inside])),
                correct=hits,
                accuracy=hits / n,
                ci95=wilson_interval(hits, n),
            )
        )
    return sorted(rows, key=lambda row: (row.accuracy, row.group))


def difference_interval(correct: int, n: int, other_correct: int, other_n: int) -> tuple[float, float]:
    """95 % interval of the difference of two independent proportions, the first minus the second.

    The hybrid score interval, method 10 of R. G. Newcombe, "Interval estimation for the difference between
    independent proportions", Statistics in Medicine 17, 1998, from both Wilson intervals (l, u):
    d - sqrt((p1 - l1)^2 + (u2 - p2)^2) to d + sqrt((u1 - p1)^2 + (p2 - l2)^2).
    """
    first, second = correct / n, other_correct / other_n
    low, high = wilson_interval(correct, n)
    other_low, other_high = wilson_interval(other_correct, other_n)
    difference = first - second
    return (
        difference - math.hypot(first - low, other_high - second),
        difference + math.hypot(high - first, second - other_low),
    )


def fairness(attribute: str, names: Names, right: BoolArray, speakers: Names) -> Fairness:
    """The differences between groups.

    Returns:
        The groups (see `table`), and of those with at least `minimum_n` examples the worst, the best and the
        gap; these are None with fewer than two such groups. Worst and best are selected after the fact, so
        the interval is too narrow, and the more so the more groups there are.
    """
    rows = table(names, right, speakers)
    counted = [row for row in rows if row.n >= MINIMUM_N and row.group != NOT_LISTED]
    if len(counted) < 2:
        return Fairness(
            attribute=attribute,
            groups=rows,
            minimum_n=MINIMUM_N,
            worst=None,
            best=None,
            gap=None,
            gap_ci95=None,
        )
    worst, best = counted[0], counted[-1]
    return Fairness(
        attribute=attribute,
        groups=rows,
        minimum_n=MINIMUM_N,
        worst=worst.group,
        best=best.group,
        gap=best.accuracy - worst.accuracy,
        gap_ci95=difference_interval(best.correct, best.n, worst.correct, worst.n),
    )


def spread(speakers: Names, right: BoolArray) -> Speakers | None:
    """The variation of accuracy between speakers.

    Returns:
        Its ci95 is of the accuracy over clips, by resampling speakers instead of clips (percentile bootstrap,
        Efron 1979); at most ten rows of `table` with mistakes are the worst. None without speakers.
    """
    if not len(speakers):
        return None
    rows = table(speakers, right, speakers)
    n, shares = np.array([row.n for row in rows]), np.array([row.accuracy for row in rows])
    hits = np.array([row.correct for row in rows])
    drawn = np.random.default_rng(_BOOTSTRAP_SEED).integers(len(rows), size=(_BOOTSTRAP_ROUNDS, len(rows)))
    means = hits[drawn].sum(axis=1) / n[drawn].sum(axis=1)
    worst = sorted((row for row in rows if row.correct < row.n), key=lambda row: row.ci95[1])
    low, high = np.percentile(means, [2.5, 97.5])
    return Speakers(
        n=len(rows),
        clips_per_speaker=ClipsPerSpeaker(min=int(n.min()), median=float(np.median(n)), max=int(n.max())),
        accuracy=AccuracySpread(
            min=float(shares.min()),
            p10=float(np.percentile(shares, 10)),
            median=float(np.median(shares)),
            mean=float(shares.mean()),
        ),
        perfect=float((shares == 1).mean()),
        ci95=(float(low), float(high)),
        worst=worst[:_WORST_SPEAKERS],
    )
