"""Which group each item belongs to: as the run knows, or as the user's file says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from tinyml_cli.errors import TinymlError
from tinyml_cli.fairness.judged import JudgedItems, Strings
from tinyml_cli.statistics.groups import MINIMUM_N, NOT_LISTED
from tinyml_cli.wording import counted

MOST_GROUPS = 24
"""More groups are a list of individuals: the run's own are not offered, a user's are refused."""
EVERYONE = "all"
_LISTED = 8


@dataclass(frozen=True)
class Membership:
    """One attribute's groups.

    Attributes:
        attribute: its name.
        names: the groups, sorted.
        chosen_by: str [n], the group of each item that thresholds are chosen on; "" for none.
        reported: str [n], the same of the test items.
        note: what is not in a group, and what is small.
    """

    attribute: str
    names: tuple[str, ...]
    chosen_by: Strings
    reported: Strings
    note: str


def known(choosing: JudgedItems, test: JudgedItems, many: str) -> list[Membership]:
    """The attributes that the run knows, with two or more groups of several test items, but not too many.

    Groups without items to choose on are left out, so that rules can compare the others. Attributes that
    consist of such groups come last: speakers are in one split alone, accents need not be.
    """
    found = []
    for attribute, groups in test.known.items():
        names, sizes = np.unique(groups[groups != ""], return_counts=True)
        names = names[sizes > 1]
        if 2 <= len(names) <= MOST_GROUPS:
            before = choosing.known.get(attribute, np.full(len(choosing), ""))
            shared = names[np.isin(names, before)]
            groups = np.where(np.isin(groups, shared if len(shared) > 1 else names), groups, "")
            found.append(_membership(attribute, before, groups, many))
    return sorted(found, key=lambda each: not set(each.names) <= set(each.chosen_by))


def everyone(choosing: JudgedItems, test: JudgedItems) -> Membership:
    """One group that holds all items, for a run that knows no groups."""
    return Membership("", (EVERYONE,), np.full(len(choosing), EVERYONE), np.full(len(test), EVERYONE), "")


def from_file(
    tables: Mapping[str, Mapping[str, str]],
    where: str,
    choosing: JudgedItems,
    test: JudgedItems,
    many: str,
    key_of: Callable[[str], str] = str,
    strict: bool = True,
) -> list[Membership]:
    """The attributes of a user's file.

    Args:
        tables: attribute -> source -> group, of `statistics.groups.read_groups`.
        where: the file, for messages.
        choosing, test: the items.
        many: what items are called.
        key_of: what `JudgedItems.sources` calls a source that the file names.
        strict: False leaves out attributes that do not fit, instead of refusing them.

    Raises:
        TinymlError: a source without a line, one named twice, too many groups, or one with a single item.
    """
    found = []
    for attribute, table in tables.items():
        by_key: dict[str, str] = {}
        for name, group in table.items():
            key, group = key_of(name), "" if group == NOT_LISTED else group
            if by_key.get(key, group) != group:
                raise TinymlError(
                    f"`{name}` is listed twice, as `{by_key[key]}` and as `{group}`",
                    where,
                    "Keep one line for each.",
                )
            by_key[key] = group
        if strict:
            _refuse_unmatched(by_key, {key_of(name): name for name in table}, where, (choosing, test))
        before, after = (
            np.array([by_key.get(str(source), "") for source in items.sources], np.str_)
            for items in (choosing, test)
        )
        if strict:
            _refuse_sizes(attribute, after, where, many)
        elif not 2 <= len(set(after) - {""}) <= MOST_GROUPS:
            continue
        found.append(_membership(attribute, before, after, many))
    return found


def _refuse_unmatched(
    by_key: Mapping[str, str], written: Mapping[str, str], where: str, sets: Iterable[JudgedItems]
) -> None:
    """Every source needs a line. Lines of others are no mistake, since a file may name a whole data set, but
    they show what is wrong where names are spelt differently.
    """
    sources = {str(source) for items in sets for source in items.sources} - {""}
    missing = sorted(sources - set(by_key))
    if not missing:
        return
    extra = [written[key] for key in sorted(set(by_key) - sources)]
    others = f"; in the file, but not in the run: {listed(extra)}" if extra else ""
    all_of_them = counted(len(sources), "source")
    raise TinymlError(
        f"{len(missing)} of {all_of_them} of items have no group: {listed(missing)}{others}",
        where,
        "Add a line for each below the names of the columns (an empty group leaves it out); `tinyml fairness "
        "--write-groups FILE` writes a file with all.",
    )


def _refuse_sizes(attribute: str, groups: Strings, where: str, many: str) -> None:
    names, sizes = np.unique(groups[groups != ""], return_counts=True)
    if len(names) < 2:
        raise TinymlError(
            f"`{attribute}` has {counted(len(names), 'group')} among the test {many}",
            where,
            "Give at least two groups, with several people or sources in each.",
        )
    if len(names) > MOST_GROUPS:
        raise TinymlError(
            f"`{attribute}` has {counted(len(names), 'group')}; at most {MOST_GROUPS} can be compared",
            where,
            "Merge some of them, or leave this column out.",
        )
    alone = [str(name) for name, size in zip(names, sizes, strict=True) if size == 1]
    if alone:
        raise TinymlError(
            f"{counted(len(alone), 'group')} of `{attribute}` with a single one of the test {many}: "
            f"{listed(alone)}",
            where,
            "Merge such a group with another, or leave the group of its lines empty.",
        )


def _membership(attribute: str, before: Strings, after: Strings, many: str) -> Membership:
    names, sizes = np.unique(after[after != ""], return_counts=True)
    small = [f"{name} ({size})" for name, size in zip(names, sizes, strict=True) if size < MINIMUM_N]
    nobody = int((after == "").sum())
    parts = [f"{nobody} of {len(after)} test {many} belong to no group"] if nobody else []
    parts += [f"fewer than {MINIMUM_N} {many}: {listed(small)}"] if small else []
    return Membership(attribute, tuple(map(str, names)), before, after, "; ".join(parts))


def listed(names: list[str]) -> str:
    """The first few, and how many more there are."""
    more = len(names) - _LISTED
    return ", ".join(names[:_LISTED]) + (f" and {more} more" if more > 0 else "")
