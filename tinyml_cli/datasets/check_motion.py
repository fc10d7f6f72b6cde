"""`tinyml data check` for motion and other series: a folder per label, perhaps inside `train` and `test`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from tinyml_cli.data.inventory import OF_THE_DATA_SET, OF_THE_SYSTEM
from tinyml_cli.data.series import alike, windows
from tinyml_cli.data.series.read import SUFFIXES, read_series
from tinyml_cli.data.series.reading import summary
from tinyml_cli.data.series.sources import files_in, sources, unused
from tinyml_cli.datasets import check_examples, checks
from tinyml_cli.datasets.checks import CheckFinding, CheckSettings, DataKind, Item, Severity, Survey
from tinyml_cli.datasets.motion_survey import SurveyedMotion, measure, near_pairs, place_of
from tinyml_cli.errors import TinymlError
from tinyml_cli.wording import counted

_CLIPPED_SHARE = 0.002
_OF_TEXTS = (".txt", ".log", ".dat")
_FEW_TAKES = 10
_FEW_SECONDS = 60.0

_FINDINGS: dict[str, tuple[Severity, str]] = {
    "unreadable": ("bad", "cannot be read as a time series"),
    "stuck": ("bad", "constant values: the sensor did not measure"),
    "two_labels": ("bad", "the same recording under two labels: one is wrong"),
    "two_splits": ("bad", "the same recording in two splits: the model would be trained and tested on it"),
    "two_people": ("bad", "the same recording under two people: the model would be trained and tested on it"),
    "duplicate": ("bad", "the same recording twice"),
    "other_columns": ("bad", "different columns from most recordings: training refuses mixed columns"),
    "other_rate": ("note", "a different rate from most recordings; resampled in training"),
    "near_duplicate": ("note", "a near-duplicate: scores are too good if a split separates the two"),
    "gaps": ("note", "samples are missing; the recording is split there"),
    "repeats": ("note", "rows that repeat the previous one; dropped"),
    "uneven": ("note", "unevenly sampled; resampled to even steps"),
    "clipped": ("note", "the strongest parts exceed the sensor's range"),
    "still": ("note", "hardly moves; fine for a label such as idle"),
    "contradicted": ("note", "the same example under two labels: one is wrong"),
    "repeated": ("note", "the same example more than once: scores are too good if a split separates them"),
    "constant": ("note", "examples in which nothing changes"),
    "other_file": ("note", "not a supported time series; skipped"),
    "few_takes": (
        "note",
        f"fewer than {_FEW_TAKES} takes and {_FEW_SECONDS:g} s: hardly enough to train on",
    ),
    "one_voice": ("note", f"one person has more than {checks.DOMINANT_SHARE:.0%} of a label's recordings"),
    "imbalance": ("note", f"less than 1/{checks.IMBALANCE:g} of the recordings of the largest label"),
}


def survey(root: Path, settings: CheckSettings) -> Survey:
    """Reads every series of a folder, or one file.

    Raises:
        TinymlError: no series in it, or files of which two readings are possible.
    """
    refused: dict[Path, TinymlError] = {}
    files = files_in(root, (*SUFFIXES, *windows.SUFFIXES))
    of_many = [
        path
        for path in files
        if check_examples.is_strokes(path) or (settings.series.columns is None and windows.is_windows(path))
    ]
    alone, root = root.is_file(), root.parent if root.is_file() else root
    examples = check_examples.read(of_many, root, refused)
    found, others = sources([path for path in files if path not in set(of_many)], refused)
    if not found and not examples and not refused:
        raise TinymlError(
            "The folder contains no time series", str(root), "Lay them out as DIR/LABEL/FILE.csv."
        )
    series = read_series(found, settings.series, refused=refused)
    beside_it = [] if alone else unused(root, found, others, SUFFIXES)
    left_out = [each for each in beside_it if each.path not in set(of_many)]
    recordings = [measure(each, root) for each in series]
    findings = [
        CheckFinding("other_file", each.path.relative_to(root), each.reason)
        for each in left_out
        if each.reason not in (OF_THE_DATA_SET, OF_THE_SYSTEM)
    ]
    findings += [CheckFinding("unreadable", p.relative_to(root), error.what) for p, error in refused.items()]
    for recording in recordings:
        findings += _of_recording(recording)
    findings += [*_unlike(recordings), *_repeated(recordings)]
    findings += [
        CheckFinding("near_duplicate", one.path, f"as {other.path.as_posix()}")
        for one, other in near_pairs(recordings)
    ]
    items = [Item(each.path, each.label, each.person, each.seconds) for each in recordings]
    labels = {item.label for item in items}
    for label in sorted(labels):
        takes = sum(each.takes for each in recordings if each.label == label)
        seconds = sum(each.seconds for each in recordings if each.label == label)
        if takes < _FEW_TAKES and 0 < seconds < _FEW_SECONDS:
            findings.append(
                CheckFinding("few_takes", Path(label), f"{counted(takes, 'take')}, {seconds:.0f} s")
            )
    findings += checks.uneven_labels(items, labels, "recordings")
    findings += [*check_examples.findings(examples), *check_examples.uneven(examples)]
    items += check_examples.items(examples)
    readings = [summary([each.reading for each in series])] if series else []
    readings += [check_examples.reading(examples)] if examples else []
    reading = "; ".join(readings)
    damaged = [Item(path.relative_to(root), *place_of(path, root)[:2]) for path in refused]
    beside = {
        source.path.relative_to(root): [path.relative_to(root) for path in source.beside] for source in found
    }
    return Survey([*items, *damaged], findings, left_out, reading, beside)


def _of_recording(recording: SurveyedMotion) -> Iterator[CheckFinding]:
    reading, path = recording.series.reading, recording.path
    if recording.stuck:
        yield CheckFinding("stuck", path)
    elif recording.still:
        yield CheckFinding("still", path)
    if recording.clipped_share > _CLIPPED_SHARE:
        yield CheckFinding("clipped", path, f"{recording.clipped_share:.1%} of the samples")
    if reading.gaps:
        yield CheckFinding("gaps", path, f"{reading.gaps}")
    if reading.repeats:
        yield CheckFinding("repeats", path, counted(reading.repeats, "row"))
    if reading.resampled or reading.bursts:
        yield CheckFinding("uneven", path, "in bursts" if reading.bursts else "")


def _unlike(recordings: Sequence[SurveyedMotion]) -> Iterator[CheckFinding]:
    """Recordings that training would resample or refuse beside the others."""
    usual_hz = alike.usual_rate([each.series for each in recordings])
    usual, _ = (
        Counter(alike.columns(each.series) for each in recordings).most_common(1)[0]
        if recordings
        else ((), 0)
    )
    for each in recordings:
        rate_hz, columns = each.series.rate_hz, alike.columns(each.series)
        if rate_hz and usual_hz and not alike.is_near(rate_hz, usual_hz):
            yield CheckFinding("other_rate", each.path, f"{rate_hz:.4g} Hz, most have {usual_hz:.4g}")
        if columns != usual:
            yield CheckFinding("other_columns", each.path, ", ".join(columns)[:80])


def _repeated(recordings: Sequence[SurveyedMotion]) -> Iterator[CheckFinding]:
    """Recordings that occur more than once; the first stays unless the labels contradict each other."""
    copies: dict[str, list[SurveyedMotion]] = defaultdict(list)
    for recording in recordings:
        if not recording.stuck:
            copies[recording.digest].append(recording)
    for same in (group for group in copies.values() if len(group) > 1):
        if len({each.label for each in same}) > 1:
            for each in same:
                others = [other.path.as_posix() for other in same if other.label != each.label]
                yield CheckFinding("two_labels", each.path, f"also {', '.join(others)}")
            continue
        # A test set is what others are compared by: of copies the one in it stays.
        first, *rest = sorted(same, key=lambda each: (not each.split.startswith("test"), each.path))
        for each in rest:
            kind = "two_splits" if each.split != first.split else "two_people"
            kind = "duplicate" if (each.split, each.person) == (first.split, first.person) else kind
            yield CheckFinding(kind, each.path, f"as {first.path.as_posix()}")


def _suffixes() -> tuple[str, ...]:
    return (*(suffix for suffix in SUFFIXES if suffix not in _OF_TEXTS), ".ts")


MOTION = DataKind("motion", "recordings", "labels", "people", _suffixes, _FINDINGS, survey, _OF_TEXTS)
