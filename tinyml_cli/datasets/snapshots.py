"""`tinyml data snapshot`: takes one, writes it, and compares it with an earlier one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from tinyml_cli import recipes
from tinyml_cli.console import console
from tinyml_cli.data import inventory, snapshot
from tinyml_cli.data.snapshot import DataSnapshot, SnapshotItem
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_if_changed
from tinyml_cli.outcomes.data import SnapshotDifference, SnapshotTaken
from tinyml_cli.wording import counted

_NAMED = 3


def take(data: Path, config: Path | None, out: Path | None, against: Path | None) -> SnapshotTaken:
    """Takes a snapshot of a folder, or reads one from a file; compares and writes it.

    Args:
        data: a folder of data, or the file of a snapshot.
        config: the recipe whose shares decide a speaker's split.
        out: where to write the snapshot; an equal file stays untouched.
        against: an earlier snapshot's file, or a folder.

    Raises:
        TinymlError: data that cannot be read, a damaged snapshot, or a file that cannot be written.
    """
    if out is not None:
        _check_place(data, out)
    shares = _shares(config)
    earlier = None if against is None else _earlier(against, shares)
    taken = _read(data, shares)
    written = out is not None and write_if_changed(out, taken.text())
    return SnapshotTaken(
        data=str(data),
        digest=taken.digest,
        files=len(taken.items),
        bytes=sum(item.bytes for item in taken.items.values()),
        labels=taken.labels(),
        splits=taken.splits(),
        texts=sorted(taken.texts),
        leaked=leaks(taken, taken),
        snapshot=None if out is None else str(out),
        written=written,
        difference=None if earlier is None else compare(earlier, taken),
    )


def _check_place(data: Path, out: Path) -> None:
    """A snapshot replaces snapshots alone, and is no part of the data."""
    if data.is_dir() and out.resolve().is_relative_to(data.resolve()):
        raise TinymlError(
            "The snapshot would lie among the data, and count as one of its files",
            str(out),
            f"Write it beside them: --out {snapshot.SNAPSHOT}",
        )
    if out.exists():
        try:
            snapshot.load(out)
        except TinymlError as error:
            raise TinymlError(
                f"{error.what}; nothing was written", str(out), "Give --out another name."
            ) from error


def compare(earlier: DataSnapshot, later: DataSnapshot) -> SnapshotDifference:
    """What changed from one snapshot to another; a file is known by its content, wherever it lies."""
    before, after = _by_content(earlier), _by_content(later)
    changed = [
        name
        for name in earlier.items.keys() & later.items.keys()
        if earlier.items[name].sha256 != later.items[name].sha256
    ]
    relabelled = [
        name
        for content in before.keys() & after.keys()
        if _labels(earlier, before[content]) != _labels(later, after[content])
        for name in after[content]
    ]
    added, removed = _come_and_gone(earlier, later, before, after)
    return SnapshotDifference(
        same=earlier.digest == later.digest,
        added=added,
        removed=removed,
        changed=sorted(changed),
        relabelled=sorted(relabelled),
        leaked=leaks(earlier, later),
        texts_changed=sorted(
            name
            for name in earlier.texts.keys() | later.texts.keys()
            if earlier.texts.get(name) != later.texts.get(name)
        ),
    )


def _come_and_gone(
    earlier: DataSnapshot,
    later: DataSnapshot,
    before: dict[str, list[str]],
    after: dict[str, list[str]],
) -> tuple[list[str], list[str]]:
    """Files added and removed; a new name of a content whose old name is gone is that file, moved."""
    added, removed = [], []
    for content in before.keys() | after.keys():
        new = sorted(name for name in after.get(content, []) if name not in earlier.items)
        gone = sorted(name for name in before.get(content, []) if name not in later.items)
        added += new[len(gone) :]
        removed += gone[len(new) :]
    return sorted(added), sorted(removed)


def leaks(earlier: DataSnapshot, later: DataSnapshot) -> list[str]:
    """Files of `later` whose content or speaker is held out for the test in only one of the two."""
    known = [item for item in earlier.items.values() if item.split is not None]
    tested = {key for item in known if item.split == "test" for key in _identities(item)}
    trained = {key for item in known if item.split != "test" for key in _identities(item)}
    return sorted(
        name
        for name, item in later.items.items()
        if item.split is not None and _identities(item) & (trained if item.split == "test" else tested)
    )


def show(outcome: SnapshotTaken) -> None:
    """The tables for people."""
    console.table(outcome.data, ("label", "files"), list(outcome.labels.items()))
    if not outcome.texts:
        console.info("No file states a licence: write one into README.md or LICENSE.")
    if set(outcome.splits) != {""}:
        rows = [(split or "(chosen in training)", n) for split, n in outcome.splits.items()]
        console.table("Splits", ("split", "files"), rows)
    if (difference := outcome.difference) is not None:
        changes = [(name, len(files), _some(files)) for name, files in _changes(difference)]
        console.table("Since the earlier snapshot", ("change", "files", "for example"), changes)


def sentence(outcome: SnapshotTaken) -> str:
    """The outcome in a line or two."""
    text = f"Snapshot {outcome.digest[:12]}: {counted(outcome.files, 'file')}, {outcome.bytes:,} bytes."
    if outcome.difference is not None:
        text += f" {_since(outcome.difference)}."
    if leaked := all_leaked(outcome):
        text += f" Leaked between test and training: {_some(leaked)}."
    if outcome.snapshot is None:
        return text
    return f"{text} {'Written' if outcome.written else 'Unchanged'}: {outcome.snapshot}"


def _since(difference: SnapshotDifference) -> str:
    changes = [f"{len(files)} {name}" for name, files in _changes(difference) if files]
    if changes:
        return f"Since the earlier snapshot: {', '.join(changes)}"
    return "Nothing has changed" if difference.same else "Files have other names; no content has changed"


def all_leaked(outcome: SnapshotTaken) -> list[str]:
    """Files that are in training and test at once, in this snapshot or since the earlier one."""
    since = [] if outcome.difference is None else outcome.difference.leaked
    return sorted({*outcome.leaked, *since})


def _read(path: Path, shares: tuple[float, float] | None) -> DataSnapshot:
    if path.suffix == ".json" and path.is_file():
        return snapshot.load(path)
    inventory.tell(snapshot.left_out(path))
    return snapshot.take(path, shares)


def _earlier(path: Path, shares: tuple[float, float] | None) -> DataSnapshot:
    """What is compared with: a folder, or a snapshot; no other file is one."""
    return snapshot.load(path) if path.is_file() else _read(path, shares)


def _shares(config: Path | None) -> tuple[float, float] | None:
    """The recipe's shares of validation and test; None for a recipe without them."""
    if config is None:
        return None
    return snapshot.shares_of(recipes.resolve(recipes.task_of(config), config, [], {}).model_dump())


def _by_content(taken: DataSnapshot) -> dict[str, list[str]]:
    places = defaultdict(list)
    for name, item in taken.items.items():
        places[item.sha256].append(name)
    return places


def _identities(item: SnapshotItem) -> set[tuple[str, str]]:
    """What must not be both in training and test: the content, and the speaker."""
    speaker = set() if item.speaker is None else {("speaker", item.speaker)}
    return {("content", item.sha256), *speaker}


def _labels(taken: DataSnapshot, names: Iterable[str]) -> set[str]:
    return {taken.items[name].label for name in names}


def _changes(difference: SnapshotDifference) -> list[tuple[str, list[str]]]:
    return [
        ("added", difference.added),
        ("removed", difference.removed),
        ("changed", difference.changed),
        ("relabelled", difference.relabelled),
        ("leaked", difference.leaked),
        ("licence or text", difference.texts_changed),
    ]


def _some(names: list[str]) -> str:
    more = f", … {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
