"""The energy of a training, from counters as Linux shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyml_cli.training.energy import EnergyMeter, metered


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


def test_what_cannot_be_read_is_not_measured(tmp_path: Path) -> None:
    assert EnergyMeter(tmp_path / "none").joules is None
    folder = _package(tmp_path, 0, 5)
    meter = EnergyMeter(tmp_path)
    (folder / "energy_uj").unlink()
    meter.read()
    assert meter.joules is None
    assert EnergyMeter(tmp_path).joules is None
