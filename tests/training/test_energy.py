"""The energy of a training, from counters as Linux shows them."""

from __future__ import annotations

import importlib.util
import os
import sys
import time
import types
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml_cli import temporary
from tinyml_cli.files import write_atomic
from tinyml_cli.training import energy, energy_ledger
from tinyml_cli.training.energy import EnergyMeter, metered
from tinyml_cli.training.energy_ledger import spending


def _package(root: Path, number: int, count: int, name: str | None = None) -> Path:
    folder = root / f"intel-rapl:{number}"
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{name or f'package-{number}'}\n")
    (folder / "energy_uj").write_text(f"{count}\n")
    (folder / "max_energy_range_uj").write_text("999999\n")
    return folder


def test_packages_add_up_and_parts_of_them_do_not_count(tmp_path: Path) -> None:
    first, second = _package(tmp_path, 0, 100), _package(tmp_path, 1, 200)
    core, whole = _package(tmp_path, 2, 0, "psys"), tmp_path / "intel-rapl:0:0"
    whole.mkdir()
    with metered(tmp_path) as meter:
        for folder, count in ((first, 2_000_100), (second, 500_200), (core, 9_000_000)):
            (folder / "energy_uj").write_text(str(count))
    assert meter.joules == pytest.approx(2.5)


def test_a_counter_that_overflows_goes_on(tmp_path: Path) -> None:
    folder = _package(tmp_path, 0, 900_000)
    meter = EnergyMeter(tmp_path)
    for count in (999_999, 100_000):
        (folder / "energy_uj").write_text(str(count))
        meter.read()
    assert meter.joules == pytest.approx(0.2)


@given(
    st.lists(st.tuples(*[st.integers(0, 999_999)] * 3), max_size=20),
    st.tuples(*[st.integers(0, 999_999)] * 3),
)
@settings(max_examples=10, deadline=None)
def test_no_joule_of_any_package_is_lost_or_counted_twice(
    steps: list[tuple[int, ...]], begin: tuple[int, ...]
) -> None:
    """Counters of three packages that advance by less than their range between two readings."""
    with temporary.folder("rapl") as place:
        folders = [_package(Path(place), n, count) for n, count in enumerate(begin)]
        meter, counts = EnergyMeter(Path(place)), list(begin)
        for step in steps:
            counts = [(count + more) % 1_000_000 for count, more in zip(counts, step, strict=True)]
            for folder, count in zip(folders, counts, strict=True):
                (folder / "energy_uj").write_text(f"{count}\n")
            meter.read()
    assert meter.joules == pytest.approx(sum(map(sum, steps)) / 1e6)


def test_a_counter_that_overflows_at_an_unknown_count_is_not_measured(tmp_path: Path) -> None:
    folder = _package(tmp_path, 0, 900_000)
    meter = EnergyMeter(tmp_path)
    (folder / "max_energy_range_uj").unlink()
    (folder / "energy_uj").write_text("100000")
    meter.read()
    assert meter.joules is None and meter.figures() == {}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become nobody")
@pytest.mark.parametrize("denied", [0, 1])
def test_counters_that_only_root_may_read_are_none(denied: int) -> None:
    """As Linux has had it since 5.10; and one of two that is closed does not make the other the sum."""
    with temporary.folder("rapl") as place:
        for n in range(2):
            (_package(Path(place), n, 5) / "energy_uj").chmod(0o400 if n == denied else 0o444)
        # Its own folder, and that of this process.
        for folder in (Path(place), Path(place).parent):
            folder.chmod(folder.stat().st_mode | 0o055)
        assert EnergyMeter(Path(place)).joules == 0
        os.seteuid(65534)
        try:
            assert EnergyMeter(Path(place)).joules is None
        finally:
            os.seteuid(0)


def test_what_cannot_be_read_is_not_measured(tmp_path: Path) -> None:
    assert EnergyMeter(tmp_path / "none").joules is None
    folder = _package(tmp_path, 0, 5)
    meter = EnergyMeter(tmp_path)
    (folder / "energy_uj").unlink()
    meter.read()
    assert meter.joules is None
    assert EnergyMeter(tmp_path).joules is None


def test_a_codecarbon_that_fails_measures_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def __init__(self, **options: object) -> None:
            raise RuntimeError("no such processor")

    module = types.ModuleType("codecarbon")
    module.__spec__ = importlib.util.spec_from_loader("codecarbon", None)
    module.OfflineEmissionsTracker = Broken  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "codecarbon", module)
    monkeypatch.setattr(energy, "_tracker", energy._tracker.__wrapped__)
    with metered(tmp_path) as meter:
        pass
    assert meter.joules is None and meter.figures() == {}


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("codecarbon") is None,
    reason="codecarbon is not installed: pip install 'tinyml-cli[energy]'",
)
def test_codecarbon_counts_where_the_processor_does_not(tmp_path: Path) -> None:
    with metered(tmp_path) as meter:
        ends = time.monotonic() + 1
        while time.monotonic() < ends:
            sum(range(100_000))
    figures = meter.figures()
    assert 0 < figures["energy_j"] < 1000 and figures["energy_source"] == "codecarbon"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "lamp").mkdir(parents=True)
    return tmp_path / "runs" / "lamp"


def test_every_training_is_entered_once_and_no_part_of_it_twice(run: Path) -> None:
    with spending(run, lambda: "a" * 64), spending(run, str):
        time.sleep(0.11)
    with pytest.raises(ValueError), spending(run, lambda: "b" * 64):
        raise ValueError  # before an epoch was saved
    write_atomic(run / "logs" / "checkpoint" / "state.json", "{}")
    with pytest.raises(KeyboardInterrupt), spending(run, lambda: "b" * 64):
        raise KeyboardInterrupt
    first, stopped = energy_ledger.read()
    assert (first.run, first.model, stopped.model) == ("lamp", "a" * 64, "")
    assert 0.1 <= first.figures["seconds"] < 60


def test_a_training_that_left_nothing_leaves_no_line(run: Path, tmp_path: Path) -> None:
    run.rmdir()
    (tmp_path / "elsewhere").mkdir()
    for place in (run, tmp_path / "elsewhere"):
        with spending(place, str):
            pass
    assert energy_ledger.read() == [] and list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize(
    "line", [b"{", b"\xff", b"[]", b'{"run": "a"}', b'{"run": 1, "model": "", "seconds": "x"}']
)
def test_a_damaged_line_is_left_out(run: Path, line: bytes) -> None:
    with spending(run, str):
        pass
    with (run.parent / energy_ledger.LEDGER).open("ab") as stream:
        stream.write(line + b"\n")
    assert [each.run for each in energy_ledger.read()] == ["lamp"]
