"""Slots of the model: power cuts at every operation of an update, attempts, roll-back, refusals."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.firmware.native import compile_harness, run
from tinyml_cli.engines.model_tables import Lifted
from tinyml_cli.updates import image, keys, packing


@pytest.mark.slow  # a signature for each of some hundred boots, under a sanitizer
def test_power_may_fail_at_every_step(tmp_path: Path) -> None:
    program = compile_harness("model_slots", "model_slots", "signature", "hal")
    key = keys.new(tmp_path / "key.pem")
    (tmp_path / "public").write_bytes(key.public)
    source = random.Random(0)
    files = []
    old = source.randbytes(2 * 4096 + 808)
    new = bytes(byte ^ (source.random() < 0.1) for byte in old)
    for release, tables in ((5, old), (6, new)):
        lifted = Lifted({}, tables, bytes(range(32)))
        files.append(tmp_path / f"{release}.update")
        files[-1].write_bytes(image.make(lifted, release, key))
    for name, packed in (("changes", packing.pack(new, old)), ("alone", packing.pack(new))):
        files.append(tmp_path / name)
        files[-1].write_bytes(packed)
    cuts = int(run(program, str(tmp_path / "public"), *map(str, files)))
    # 4 erasures, the header, 17 pieces, 3 + 1 marks; then an attempt and the confirmation.
    # Packed tables are written in 36 blocks.
    assert cuts >= 4 * 26 + 4 * 45
