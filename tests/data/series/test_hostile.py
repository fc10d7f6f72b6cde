"""Bytes that nobody meant: every reader answers or refuses, and nothing else."""

from __future__ import annotations

import contextlib
import random
import time
from pathlib import Path

import cbor2
import numpy as np
import pytest

from tests.data.series import dialects
from tests.data.series.dialects import RATE_HZ, motion
from tinyml_cli.data.series.acquisition import read_acquisition
from tinyml_cli.errors import TinymlError
from tinyml_cli.tasks.anomaly.read import read
from tinyml_cli.tasks.wand.takes import read_takes

SECONDS = np.arange(60) / RATE_HZ
VALUES = motion(SECONDS)
TOKENS = (
    b"\0", b"\xff\xfe", b"1e308", b"-inf", b"nan", b"\n\n", b",", b";", b"\t", b'"', b"9" * 400, b"[", b"{",
    b"}", b"\x9b" + b"\xff" * 8, b"\xbf", b"\xc4\x82", b"#", b"\xe2\x88\x92", b"1_0", b"\xd9\xd9\xf7",
    b":", b"=",
)  # fmt: skip


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Some bytes changed, cut, doubled or put in."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 6))):
        place = rng.randrange(len(changed) or 1)
        match rng.randrange(6):
            case 0:
                changed[place : place + 1] = bytes([rng.randrange(256)])
            case 1:
                del changed[place : place + rng.randint(1, 200)]
            case 2:
                changed[place:place] = rng.choice(TOKENS) * rng.choice((1, 1, 50, 3000))
            case 3:
                other = rng.randrange(len(changed) or 1)
                changed[place:place] = changed[other : other + rng.randint(1, 300)]
            case 4:
                changed[place : place + 1] = bytes(
                    byte ^ 1 << rng.randrange(8) for byte in changed[place : place + 1]
                )
            case _:
                del changed[place:]
    return bytes(changed)


@pytest.mark.parametrize("suffix", [".csv", ".json", ".cbor"])
def test_mutations_end_in_an_answer_or_a_refusal(tmp_path: Path, suffix: str) -> None:
    rng, path = random.Random(suffix), tmp_path / f"wave.1{suffix}"
    answered = 0
    for _ in range(60):
        if suffix == ".csv":
            dialect = dialects.draw(np.random.default_rng(rng.randrange(10**6)))
            dialects.write(dialect, path, SECONDS, VALUES)
        else:
            dialects.write_acquisition(path, VALUES, "m/s2", "rad/s")
        path.write_bytes(mutated(path.read_bytes(), rng))
        started = time.process_time()
        with contextlib.suppress(TinymlError):
            read_takes(path, 119, 119)
            answered += 1
        with contextlib.suppress(TinymlError):
            read(path, ("wave",), 100.0, 16_000)
        assert time.process_time() - started < 5
    assert answered > 2


@pytest.mark.parametrize(
    "text",
    [
        "time,accX,accY,accZ\n0,1e308,1e308,1e308\n10,1e308,1e308,1e308\n20,-1e308,1e308,1e308\n",
        "time,accX,accY,accZ\n" + "".join(f"1{'0' * n},1,2,3\n" for n in range(300)),
        "time,accX,accY,accZ\n0,inf,0,0\n1,1,1,1\n",
        "time,accX,accY,accZ\n\0,1,2,3\n",
        "time," * 50_000 + "\n" + "1," * 50_000 + "\n",
        "," * 100_000,
        '"' * 99_999,
    ],
)
def test_tables_that_no_sensor_wrote(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wave.csv"
    path.write_text(text)
    with pytest.raises(TinymlError):
        read_takes(path, 119, 119)
    with pytest.raises(TinymlError):
        read(path, ("wave",), None, 16_000)


@pytest.mark.parametrize(
    "data",
    [
        b"\x81" * 5000 + b"\0",  # nested
        b"\x9b" + b"\xff" * 8,  # a list of 2^64 items
        b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff",  # a string as long
        b"\x9f" * 20,
        cbor2.dumps(cbor2.CBORTag(5, [10**9, 1])),  # a bigfloat of 10^9 bits
        cbor2.dumps(cbor2.CBORTag(35, "(a+)+$")),  # a regular expression
        b"",
    ],
)
def test_cbor_that_promises_more_than_it_holds(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "wave.cbor"
    path.write_bytes(data)
    with pytest.raises(TinymlError, match="CBOR"):
        read_acquisition(path)


@pytest.mark.parametrize(
    "values", [[[0.0, 10**400, 1.0]], [[{}, 1, 2]], [[True, None, "x"]], 7, [[1, 2]], []]
)
def test_values_that_are_no_numbers(tmp_path: Path, values: object) -> None:
    sensors = [{"name": f"acc{axis}", "units": "g"} for axis in "XYZ"]
    path = tmp_path / "wave.cbor"
    path.write_bytes(cbor2.dumps({"payload": {"interval_ms": 10, "sensors": sensors, "values": values}}))
    with pytest.raises(TinymlError):
        read_acquisition(path)


def test_typed_arrays_of_cbor(tmp_path: Path) -> None:
    numbers = cbor2.CBORTag(85, np.arange(6, dtype="<f4").tobytes())
    sensors = [{"name": f"acc{axis}", "units": "g"} for axis in "XYZ"]
    document = {"payload": {"interval_ms": 10, "sensors": sensors, "values": numbers}}
    for each in (document, cbor2.CBORTag(55799, document)):
        (tmp_path / "a.cbor").write_bytes(cbor2.dumps(each))
        assert read_acquisition(tmp_path / "a.cbor").values.tolist() == [[0, 1, 2], [3, 4, 5]]
