"""Findings in a data folder before training; the same for every kind of data."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tinyml_cli.data import inventory
from tinyml_cli.data.inventory import LeftOut
from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.series import SeriesRecipe

IMBALANCE = 3.0
DOMINANT_SHARE = 0.5
FEW_PEOPLE = 3

Severity = Literal["bad", "note"]


@dataclass(frozen=True)
class Item:
    """One file, as tables and pictures count it.

    Attributes:
        path: relative to the data folder.
        label: what it is an example of.
        person: who it is of; empty where nobody is known.
        seconds: its length; 0 for what has none.
    """

    path: Path
    label: str
    person: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class CheckFinding:
    """One thing that is not as it should be.

    Attributes:
        kind: a key of the data kind's `findings`.
        place: the file or the folder of a label, relative to the data folder.
        detail: the figures.
    """

    kind: str
    place: Path
    detail: str = ""


@dataclass(frozen=True)
class CheckSettings:
    """What the data are going to be trained with, and how files of series are to be read."""

    sample_rate_hz: int = 16_000
    clip_ms: int = 1000
    series: SeriesRecipe = field(default_factory=SeriesRecipe)


@dataclass(frozen=True)
class Survey:
    """All that was found in a folder.

    Attributes:
        reading: what was understood of the files, in a line; empty where nothing has to be.
        beside: file -> the other files of the same recording, relative to the folder.
    """

    items: Sequence[Item]
    findings: Sequence[CheckFinding]
    left_out: Sequence[LeftOut] = ()
    reading: str = ""
    beside: Mapping[Path, Sequence[Path]] = field(default_factory=dict)


@dataclass(frozen=True)
class DataKind:
    """What a check of one kind of data consists of.

    Attributes:
        name: `--kind` takes it.
        files, labels, people: what they are called, in tables and as keys of --json.
        suffixes: endings of its files.
        findings: kind -> (bad: training would stop or learn wrong; note: it copes, the user should know; and
            what it means), in the order of the report. --fix moves files with bad findings away.
        survey: reads a folder.
        of_texts: endings that texts have too; they decide where no other file does.
    """

    name: str
    files: str
    labels: str
    people: str
    suffixes: Callable[[], Collection[str]]
    findings: Mapping[str, tuple[Severity, str]]
    survey: Callable[[Path, CheckSettings], Survey]
    of_texts: Collection[str] = ()


@dataclass(frozen=True)
class LabelFigures:
    """The figures of one label, for the table and for the picture.

    Attributes:
        files, bad: how many, and how many of them have a bad finding.
        people: how many the files are of.
        seconds: of all files.
        by_person: good files of each person, the most first; of all together where nobody is known.
    """

    files: int
    people: int
    seconds: float
    bad: int
    by_person: tuple[int, ...]


@dataclass(frozen=True)
class DataReport:
    """The state of a data folder."""

    kind: DataKind
    items: tuple[Item, ...]
    findings: tuple[CheckFinding, ...]
    left_out: tuple[LeftOut, ...]
    reading: str = ""
    beside: Mapping[Path, Sequence[Path]] = field(default_factory=dict)

    @property
    def to_move(self) -> dict[Path, str]:
        """File -> why it goes: the bad ones, and what belongs to the same recordings."""
        bad = self.bad_files
        return bad | {each: bad[path] for path in bad for each in self.beside.get(path, ())}

    @property
    def bad_files(self) -> dict[Path, str]:
        """File -> kind of the first bad finding about it."""
        bad: dict[Path, str] = {}
        for finding in self.findings:
            if self.kind.findings[finding.kind][0] == "bad":
                bad.setdefault(finding.place, finding.kind)
        return bad

    @property
    def people(self) -> int:
        """How many people the files of labels are of."""
        return len({item.person for item in self.items if item.person and not item.label.startswith("_")})

    def labels(self) -> dict[str, LabelFigures]:
        """Label -> its figures, by name."""
        bad = self.bad_files
        figures = {}
        for label in sorted({item.label for item in self.items}):
            items = [item for item in self.items if item.label == label]
            good = Counter(item.person for item in items if item.path not in bad)
            figures[label] = LabelFigures(
                len(items),
                len({item.person for item in items if item.person}),
                round(sum(item.seconds for item in items), 1),
                sum(item.path in bad for item in items),
                tuple(sorted(good.values(), reverse=True)),
            )
        return figures


# name -> where its DataKind is. The order decides between kinds that a folder has equally many files of.
KINDS = {
    "sound": "tinyml_cli.datasets.check_sound:SOUND",
    "images": "tinyml_cli.datasets.check_images:IMAGES",
    "motion": "tinyml_cli.datasets.check_motion:MOTION",
}


def kind_of(root: Path, name: str | None = None) -> DataKind:
    """The kind of data in a folder: the one that most of its files have, unless `name` settles it.

    A single file is a series: the other kinds are compared with each other.

    Raises:
        TinymlError: no such folder or kind, or no file of any kind.
    """
    if name is not None and name not in KINDS:
        raise TinymlError(f"Unknown kind of data `{name}`", "--kind", f"Use {', '.join(KINDS)}.")
    if root.is_file():
        return _kind_of_file(root, name)
    if not root.is_dir():
        raise TinymlError(
            "The data folder does not exist", str(root), "Give a folder that contains one folder per label."
        )
    kinds = [_load(place) for place in KINDS.values()]
    if name is not None:
        return next(kind for kind in kinds if kind.name == name)
    endings = Counter(path.suffix.lower() for path in root.rglob("*") if path.is_file())
    amounts = {kind.name: sum(endings[suffix] for suffix in kind.suffixes()) for kind in kinds}
    if not any(amounts.values()):
        found = [path for path in root.rglob("*") if path.is_file() and not inventory.is_text(path)]
        endings = Counter(path.suffix.lower() for path in found)
        amounts = {kind.name: sum(endings[suffix] for suffix in kind.of_texts) for kind in kinds}
    most = max(kinds, key=lambda kind: amounts[kind.name])
    if not amounts[most.name]:
        files = inventory.left_out(root, (), "data", ())
        raise TinymlError(
            f"The folder contains nothing that can be checked{inventory.explained(files)}",
            str(root),
            "Lay it out as DIR/LABEL/FILE, one folder per label.",
        )
    return most


def _kind_of_file(path: Path, name: str | None) -> DataKind:
    from tinyml_cli.data.series import windows
    from tinyml_cli.data.series.read import SUFFIXES

    suffixes = (*SUFFIXES, *windows.SUFFIXES)
    if name not in (None, "motion") or path.suffix.lower() not in suffixes:
        raise TinymlError(
            "Only a time series can be checked as a single file",
            str(path),
            "For sound and images give the folder that contains one folder per label.",
        )
    return _load(KINDS["motion"])


def check(root: Path, settings: CheckSettings, kind: str | None = None) -> DataReport:
    """Reads a data folder, or one file with a time series, and judges it.

    Args:
        root: holds a folder per label, or is the file.
        settings: what is going to be trained.
        kind: a key of KINDS; None: what most files are.

    Raises:
        TinymlError: no such folder, no folders of labels in it, or none of its files can be judged.
    """
    chosen = kind_of(root, kind)
    survey = chosen.survey(root, settings)
    order = list(chosen.findings)
    findings = sorted(survey.findings, key=lambda finding: (order.index(finding.kind), finding.place))
    return DataReport(
        chosen, tuple(survey.items), tuple(findings), tuple(survey.left_out), survey.reading, survey.beside
    )


def uneven_labels(items: Sequence[Item], labels: Collection[str], files: str) -> list[CheckFinding]:
    """`imbalance` and `one_voice`: labels with few files, or with one of several people in most of them."""
    by_label: dict[str, Counter[str]] = {label: Counter() for label in sorted(labels)}
    for item in items:
        if item.label in by_label:
            by_label[item.label][item.person] += 1
    largest = max((people.total() for people in by_label.values()), default=0)
    findings = []
    for label, people in by_label.items():
        n = people.total()
        name, most = people.most_common(1)[0] if people else ("", 0)
        if name and len(people) >= FEW_PEOPLE and most > n * DOMINANT_SHARE:
            findings.append(CheckFinding("one_voice", Path(label), f"{name}: {most} of {n}"))
        if n * IMBALANCE < largest:
            findings.append(CheckFinding("imbalance", Path(label), f"{n} of {largest} {files}"))
    return findings


def _load(place: str) -> DataKind:
    module, _, name = place.partition(":")
    found: DataKind = getattr(importlib.import_module(module), name)
    return found
