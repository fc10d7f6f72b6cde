"""What is said of the sound that a board hears."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.link.protocol import Status
from tinyml_cli.tasks.kws.sound_level import SoundLevel


def told(*seconds: dict[str, int]) -> SoundLevel:
    level = SoundLevel(AudioFrontendSettings())
    for second in seconds:
        level.take(Status(**{"uptime_ms": 0, "inference_us": 0, "overruns": 0, "audio_rms": 300} | second))
    return level


def test_a_voice_in_quiet_is_no_trouble() -> None:
    assert told().trouble == ""
    assert told({}).trouble == ""
    assert told(*[{"audio_rms": 20}] * 9, {"audio_rms": 900}).trouble == ""
    assert told(*[{"audio_rms": 20}] * 9).trouble == "", "not yet ten seconds"


def test_what_is_wrong_is_said_with_what_helps() -> None:
    assert told({"clipped": 12}).trouble.startswith("sound clipped: 12 samples at full scale")
    assert "too low" in told(*[{"audio_rms": 20}] * 10).trouble
    assert "no sound" in told(*[{"audio_rms": 0}] * 10).trouble


def test_the_noise_of_older_firmware_is_not_known() -> None:
    assert told({}).noise_dbfs is None
    assert SoundLevel(None).noise_dbfs is None


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
def test_the_board_counts_samples_at_full_scale(tmp_path: Path) -> None:
    program = tmp_path / "level.cpp"
    program.write_text(
        """
        #include "audio_level.h"
        int main() {
          AudioLevel level;
          const int16_t loud[] = {INT16_MAX, 0, INT16_MIN, INT16_MAX - 1};
          level.add(loud, 4);
          level.take();
          const bool counted = level.clipped() == 2;
          level.add(loud + 1, 1);
          level.take();
          return counted && level.clipped() == 0 ? 0 : 1;
        }
        """,
        encoding="utf-8",
    )
    built = tmp_path / "level"
    subprocess.run(["g++", "-std=c++14", f"-I{REPOSITORY}/firmware/src", program, "-o", built], check=True)
    subprocess.run([built], check=True)
