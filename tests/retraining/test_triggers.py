"""Rules, triggers, and the gate that data pass before they are trained on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyml_cli.data.snapshot import DataSnapshot, SnapshotItem
from tinyml_cli.errors import TinymlError
from tinyml_cli.project import rules
from tinyml_cli.project.rules import RetrainRules
from tinyml_cli.retraining.data_gate import faults, size_distance


def _snapshot(
    labels: dict[str, int], size: int = 32_000, suffix: str = "wav", first: int = 0
) -> DataSnapshot:
    items = {
        f"{label}/{n}.{suffix}": SnapshotItem(
            sha256=f"{hash((label, n, suffix, size)) % 2**64:064x}", bytes=size + n % 7, label=label
        )
        for label, count in labels.items()
        for n in range(first, first + count)
    }
    return DataSnapshot(digest="0" * 64, texts={}, items=items)


def _more(before: DataSnapshot, added: DataSnapshot) -> DataSnapshot:
    return DataSnapshot(digest="1" * 64, texts={}, items={**before.items, **added.items})


BEFORE = _snapshot({"yes": 60, "no": 60})


@pytest.mark.parametrize(
    ("now", "says"),
    [
        (_more(BEFORE, _snapshot({"yes": 30, "no": 30}, first=1000)), ""),
        (_more(BEFORE, _snapshot({"maybe": 30}, first=1000)), "new classes: maybe"),
        (_snapshot({"yes": 60}), "classes without files: no"),
        (_more(BEFORE, _snapshot({"yes": 400}, first=1000)), "`yes` is 88% of the files, it was 50%"),
        (_more(BEFORE, _snapshot({"yes": 15, "no": 15}, suffix="mp3")), "files of a new kind: .mp3"),
        (_more(BEFORE, _snapshot({"yes": 15, "no": 15}, 96_000, first=1000)), "other sizes"),
        (_more(BEFORE, _snapshot({"yes": 5, "no": 5}, 96_000, first=1000)), ""),  # too few to tell
    ],
)
def test_strange_data_are_named(now: DataSnapshot, says: str) -> None:
    found = faults(BEFORE, now, RetrainRules())
    assert (found == []) if not says else any(says in fault for fault in found)
    assert faults(None, now, RetrainRules()) == []


def test_a_speaker_who_crosses_over_is_a_leak() -> None:
    def of(split: str) -> DataSnapshot:
        item = SnapshotItem(sha256="a" * 64, bytes=1, label="yes", speaker="anna", split=split)  # type: ignore[arg-type]
        return DataSnapshot(digest="0" * 64, texts={}, items={"yes/a.wav": item})

    assert any("leaked" in fault for fault in faults(of("test"), of("train"), RetrainRules()))
    assert faults(of("test"), of("test"), RetrainRules()) == []


def test_the_distance_of_sizes_is_that_of_kolmogorov_and_smirnov() -> None:
    one, two = (list(_snapshot({"a": 50}, size).items.values()) for size in (100, 200))
    assert size_distance(one, one) == 0 and size_distance(one, two) == 1
    assert size_distance(one, [*one, *two]) == pytest.approx(0.5) and size_distance(one, []) == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("age_days: often", "a number"),
        ("age_days: 0", "greater than 0"),
        ("new_files: 1.5", "whole number"),
        ("ages_days: 3", "Did you mean `age_days`?"),
        ("version: 2\nweather: rain", "pip install --upgrade"),
        ("[1]", "not valid"),
        ("a: [", "Cannot read"),
    ],
)
def test_rules_that_are_none_are_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "retrain.yaml").write_text(text)
    with pytest.raises(TinymlError) as caught:
        rules.load(tmp_path / "retrain.yaml")
    assert says in str(caught.value)


def test_without_a_file_the_defaults_are_the_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert rules.load(None) == RetrainRules()
    with pytest.raises(TinymlError):
        rules.load(Path("none.yaml"))
