"""Damaged and hostile files end in data or in a reason; `make fuzz` does the same at length."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

_MUTATIONS = 12

# By its name, as its child processes import it.
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
FUZZER: Any = importlib.import_module("fuzz_readers")


@pytest.mark.parametrize(
    "reader",
    # Keras takes its time with every file.
    [pytest.param(each, marks=pytest.mark.slow if each == "models" else ()) for each in FUZZER.READERS],
)
def test_mutations_of_every_format_end_in_data_or_a_reason(reader: str, tmp_path: Path) -> None:
    samples, read = FUZZER.READERS[reader]
    for sample, data in samples():
        place = tmp_path / f"a.{sample.rpartition('.')[2]}"
        for seed in range(_MUTATIONS):
            place.write_bytes(FUZZER.mutated(data, np.random.default_rng([7, seed])))
            read(place)


def test_the_fuzzer_finds_what_a_reader_must_not_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(path: Path) -> None:
        if path.read_bytes() != b"whole":
            raise KeyError("a field")

    monkeypatch.setitem(FUZZER.READERS, "careless", (lambda: iter(()), careless))
    found = list(FUZZER.fuzz("careless", "x", b"whole", 5, 1))
    assert len(found) == 5
    assert all("KeyError" in reason for _, reason in found)
