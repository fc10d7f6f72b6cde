"""What browsers record under the name of Ogg: Opus in WebM, rebuilt here from a real Opus stream."""

from __future__ import annotations

import functools
import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.webm_writer import opus_packets, write_webm
from tinyml_cli.data.audio_file import UnreadableAudioError, read_audio
from tinyml_cli.data.webm import opus_as_ogg


@functools.cache
def make_stream() -> bytes:
    """1.5 s of Opus in Ogg: a chirp."""
    time = np.arange(72_000) / 48_000
    chirp = 0.4 * np.sin(2 * np.pi * (300 + 400 * time) * time)
    buffer = io.BytesIO()
    soundfile.write(buffer, chirp, 48_000, format="OGG", subtype="OPUS")
    return buffer.getvalue()


@pytest.fixture
def stream() -> bytes:
    return make_stream()


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("block_groups", [True, False])
def test_webm_reads_as_the_same_sound(stream: bytes, tmp_path: Path, live: bool, block_groups: bool) -> None:
    (tmp_path / "plain.ogg").write_bytes(stream)
    (tmp_path / "yes_1.ogg").write_bytes(write_webm(*opus_packets(stream), live, block_groups))
    expected = read_audio(tmp_path / "plain.ogg", 16_000)
    actual = read_audio(tmp_path / "yes_1.ogg", 16_000)
    common = min(len(expected), len(actual))
    assert common > 22_000
    assert np.array_equal(actual[: common - 400], expected[: common - 400])


def test_cut_off_and_foreign_files(stream: bytes, tmp_path: Path) -> None:
    webm = write_webm(*opus_packets(stream), True, False)
    (tmp_path / "half.webm").write_bytes(webm[: len(webm) // 2])
    assert 5_000 < len(read_audio(tmp_path / "half.webm", 16_000)) < 22_000
    (tmp_path / "video.webm").write_bytes(webm.replace(b"A_OPUS", b"V_VP8X"))
    with pytest.raises(UnreadableAudioError, match=r"no audio|needs an extra"):
        read_audio(tmp_path / "video.webm", 16_000)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damage_never_ends_in_anything_but_an_error(data: st.DataObject) -> None:
    webm = bytearray(write_webm(*opus_packets(make_stream()), True, False))
    for _ in range(data.draw(st.integers(1, 8))):
        webm[data.draw(st.integers(0, len(webm) - 1))] = data.draw(st.integers(0, 255))
    try:
        ogg = opus_as_ogg(bytes(webm))
    except ValueError:
        return
    assert ogg.getvalue().startswith(b"OggS")
