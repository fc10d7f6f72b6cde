"""Recordings of users' files, as the modelled board gets them."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tinyml_cli.emulator.parts.microphone import HeardSound
from tinyml_cli.emulator.recordings import SOUND_HZ, motion_file, sound_file


def test_motion_becomes_thousandths_at_its_own_rate(tmp_path: Path) -> None:
    table = tmp_path / "shake.csv"
    rows = "".join(f"{20 * n},{n},-250,1000,{10 * n},0,-1.5\n" for n in range(100))
    table.write_text("time_ms,ax_mg,ay_mg,az_mg,gx_dps,gy_dps,gz_dps\n" + rows)
    path, rate_hz = motion_file(table, tmp_path)
    samples = list(struct.iter_unpack("<6i", path.read_bytes()))
    assert rate_hz == pytest.approx(50.0) and len(samples) == 100
    assert samples[7] == (7, -250, 1000, 70_000, 0, -1500)


def test_sound_is_brought_to_the_microphones_rate_and_played_once(tmp_path: Path) -> None:
    wav = tmp_path / "tone.wav"
    soundfile.write(wav, np.full(8000, 0.25), 8000)
    data = sound_file(wav, tmp_path).read_bytes()
    assert len(data) == pytest.approx(2 * SOUND_HZ, abs=64)
    sound = HeardSound(data, SOUND_HZ)
    assert sound.take(100, SOUND_HZ) == bytes(200) and not sound.is_over
    sound.started = True
    heard = sound.take(20_000, 16_129.0)  # the chip's nearest rate: the same samples
    assert heard[: len(data)] == data and not any(heard[len(data) :]) and sound.is_over
    assert len(HeardSound(data, SOUND_HZ).take(10, 8000.0)) == 20
