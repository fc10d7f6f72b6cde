"""Sound of phones: decoded where the extra is there, named with the line that installs it where it is not."""

from __future__ import annotations

import io
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from tinyml_cli.data import phone_sound
from tinyml_cli.data.audio_file import UnreadableAudioError, read_audio, read_sound
from tinyml_cli.processes import Process

RATE_HZ = 16_000


def encoded(container: str, codec: str, rate_hz: int = RATE_HZ, seconds: float = 1.0) -> bytes:
    """A tone of 440 Hz."""
    av = pytest.importorskip("av")
    stream = io.BytesIO()
    tone = (np.sin(2 * np.pi * 440 * np.arange(int(RATE_HZ * seconds)) / RATE_HZ) * 9000).astype(np.int16)
    with av.open(stream, "w", format=container) as target:
        sound = target.add_stream(codec, rate=rate_hz, layout="mono")
        if "amr" in codec:
            sound.codec_context.bit_rate = 12_200
        resampler = av.AudioResampler(format=sound.codec_context.format.name, layout="mono", rate=rate_hz)
        frame = av.AudioFrame.from_ndarray(tone[None], format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        fifo = av.AudioFifo()
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            part.pts = None
            fifo.write(part)
        while part := fifo.read(sound.codec_context.frame_size or 1024, partial=True):
            for packet in sound.encode(part):
                target.mux(packet)
        for packet in sound.encode(None):
            target.mux(packet)
    return stream.getvalue()


KINDS = [
    ("a.m4a", "ipod", "aac", 16_000),
    ("a.m4a", "ipod", "alac", 16_000),
    ("a.aac", "adts", "aac", 16_000),
    ("a.amr", "amr", "libopencore_amrnb", 8_000),
    ("a.3gp", "3gp", "libopencore_amrnb", 8_000),
]


@pytest.mark.parametrize(("name", "container", "codec", "rate_hz"), KINDS)
def test_phones_sound_is_read(tmp_path: Path, name: str, container: str, codec: str, rate_hz: int) -> None:
    path = tmp_path / name
    path.write_bytes(encoded(container, codec, rate_hz))
    audio = read_audio(path, RATE_HZ).astype(float)
    assert len(audio) == pytest.approx(RATE_HZ, rel=0.1)
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio))))
    assert np.argmax(spectrum) * RATE_HZ / len(audio) == pytest.approx(440, abs=5)
    # What decides is what a file holds, not what it is called.
    path = path.rename(tmp_path / "named_wrongly.wav")
    assert len(read_audio(path, RATE_HZ)) == len(audio)


@pytest.mark.parametrize("head", [b"\0\0\0\x18ftypM4A ", b"#!AMR\n", b"\xff\xf1\x50\x80"])
def test_without_the_extra_the_line_that_installs_it_is_named(
    tmp_path: Path, head: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone_sound, "is_installed", lambda: False)
    (tmp_path / "a.m4a").write_bytes(head + bytes(64))
    with pytest.raises(UnreadableAudioError, match=r'pip install "tinyml-cli\[phone\]"'):
        read_audio(tmp_path / "a.m4a", RATE_HZ)


def test_a_recording_that_broke_off_is_named(tmp_path: Path) -> None:
    content = encoded("ipod", "aac")
    (tmp_path / "a.m4a").write_bytes(content[: len(content) // 2])
    with pytest.raises(UnreadableAudioError, match="truncated: its index"):
        read_audio(tmp_path / "a.m4a", RATE_HZ)
    content = encoded("adts", "aac")
    (tmp_path / "a.aac").write_bytes(content[: len(content) // 2 + 9])
    assert read_sound(tmp_path / "a.aac").damage


def test_tables_longer_than_the_file_are_refused(tmp_path: Path) -> None:
    content = bytearray(encoded("ipod", "aac"))
    at = content.find(b"stsz")
    content[at + 12 : at + 16] = struct.pack(">I", 0x0FFF_FFFF)
    (tmp_path / "a.m4a").write_bytes(content)
    with pytest.raises(UnreadableAudioError, match="more than its bytes"):
        read_audio(tmp_path / "a.m4a", RATE_HZ)


def test_a_codec_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.m4a").write_bytes(
        encoded("ipod", "aac").replace(b"mp4a", b"xxxx").replace(b"esds", b"free")
    )
    with pytest.raises(UnreadableAudioError, match="format is not supported"):
        read_audio(tmp_path / "a.m4a", RATE_HZ)


def test_a_file_that_ends_the_decoder_is_refused_and_the_next_one_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.m4a").write_bytes(encoded("ipod", "aac"))
    with monkeypatch.context() as patched:
        decoder = phone_sound._Decoder()
        crash = [sys.executable, "-c", "import os, sys; sys.stdin.readline(); os.abort()"]
        patched.setattr(phone_sound, "_decoder", decoder)
        patched.setattr(phone_sound, "Process", lambda _, **options: Process(crash, **options))
        with pytest.raises(UnreadableAudioError, match="it crashed the decoder"):
            read_audio(tmp_path / "a.m4a", RATE_HZ)
    assert len(read_audio(tmp_path / "a.m4a", RATE_HZ)) > 0


def test_a_playlist_is_no_sound(tmp_path: Path) -> None:
    (tmp_path / "a.m4a").write_bytes(b"#EXTM3U\n#EXTINF:1\n/etc/passwd\n")
    with pytest.raises(UnreadableAudioError, match="not a known audio format"):
        read_audio(tmp_path / "a.m4a", RATE_HZ)
