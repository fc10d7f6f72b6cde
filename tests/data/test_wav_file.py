"""WAV files as recorders leave them: every dialect gives the same samples, or the reason why not."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml_cli.data.audio_file import UnreadableAudioError, read_audio, read_sound

RATE_HZ = 16_000
AUDIO = (np.sin(np.arange(1600) * 0.05) * 9000).astype(np.int16)
PCM = AUDIO.astype("<i2").tobytes()
FORMAT = struct.pack("<HHIIHH", 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)


def chunk(name: bytes, content: bytes, size: int | None = None, padded: bool = True) -> bytes:
    size = len(content) if size is None else size
    return name + struct.pack("<I", size) + content + b"\0" * (len(content) % 2 and padded)


def wav(*chunks: bytes, size: int | None = None) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


WHOLE = wav(chunk(b"fmt ", FORMAT), chunk(b"data", PCM))


@settings(max_examples=150, deadline=None)
@given(
    prefix=st.sampled_from([b"", b"ID3\x04\0\0\0\0\0\x20" + bytes(32), b"junk", b"RIFFjunk" * 9]),
    unclosed=st.sampled_from([None, 0, 0xFFFF_FFFF, 0x7FFF_FFFF, 0x8000_0000]),
    before=st.lists(st.sampled_from([b"", b"a", b"ab", b"INFOabc"]), max_size=3),
    padded=st.booleans(),
    after=st.sampled_from([b"", chunk(b"LIST", b"INFOab")]),
)
def test_every_dialect_gives_the_same_samples(
    tmp_path_factory: pytest.TempPathFactory,
    prefix: bytes,
    unclosed: int | None,
    before: list[bytes],
    padded: bool,
    after: bytes,
) -> None:
    path = tmp_path_factory.mktemp("wav") / "a.wav"
    extra = [chunk(b"LIST", content, padded=padded) for content in before]
    end = b"" if unclosed is not None else after
    path.write_bytes(
        prefix + wav(*extra, chunk(b"fmt ", FORMAT), chunk(b"data", PCM, unclosed) + end, size=unclosed)
    )
    sound = read_sound(path)
    assert np.array_equal(read_audio(path, RATE_HZ), AUDIO)
    assert not sound.damage
    odd = any(len(content) % 2 for content in before)
    assert bool(sound.notes) == bool(prefix or unclosed is not None or (odd and not padded))


@settings(max_examples=50, deadline=None)
@given(kept=st.integers(46, len(WHOLE) - 1))
def test_a_cut_file_is_read_to_its_end_and_called_damaged(
    tmp_path_factory: pytest.TempPathFactory, kept: int
) -> None:
    path = tmp_path_factory.mktemp("wav") / "a.wav"
    path.write_bytes(WHOLE[:kept])
    there = (kept - 44) // 2
    assert np.array_equal(read_audio(path, RATE_HZ), AUDIO[:there])
    assert f"declares 3,200 bytes of audio, the file has {kept - 44:,}" in read_sound(path).damage


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (WHOLE[:40], "ends inside its header"),
        (wav(chunk(b"data", PCM)), "no `fmt ` chunk"),
        (wav(chunk(b"fmt ", FORMAT), chunk(b"data", b"")), "contains no samples"),
        (wav(chunk(b"fmt ", FORMAT), chunk(b"data", b""), chunk(b"LIST", b"INFO")), "contains no samples"),
        (b"<!DOCTYPE html><title>404</title>", "not a known audio format"),
    ],
)
def test_what_holds_no_sound_says_why(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(UnreadableAudioError, match=reason) as caught:
        read_audio(tmp_path / "a.wav", RATE_HZ)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("suffix", [".aiff", ".au", ".w64", ".mp3"])
def test_other_kinds_that_were_cut_are_called_damaged(tmp_path: Path, suffix: str) -> None:
    import soundfile

    path = tmp_path / f"a{suffix}"
    soundfile.write(path, np.tile(AUDIO, 10), RATE_HZ, format="AU" if suffix == ".au" else None)
    assert not read_sound(path).damage
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "truncated" in read_sound(path).damage


def test_an_ogg_that_was_never_closed_has_a_note(tmp_path: Path) -> None:
    import soundfile

    path = tmp_path / "a.ogg"
    noise = np.random.default_rng(1).normal(0, 0.1, 10 * RATE_HZ)
    soundfile.write(path, noise, RATE_HZ)
    content = path.read_bytes()
    path.write_bytes(content[: content.rfind(b"OggS")])
    assert "last page" in read_sound(path).notes[0]


def test_long_sound_is_resampled_in_blocks_as_in_one(tmp_path: Path) -> None:
    import soundfile

    from tinyml_cli.data.pcm import to_int16
    from tinyml_cli.data.resample import resample

    noise = np.random.default_rng(2).normal(0, 0.1, 900_001).astype(np.float32)
    for rate_hz in (44_100, 48_000, 8_000):
        soundfile.write(tmp_path / "a.wav", noise, rate_hz, subtype="FLOAT")
        whole = to_int16(resample(noise, rate_hz, RATE_HZ))
        blocks = read_audio(tmp_path / "a.wav", RATE_HZ)
        assert len(blocks) == len(whole)
        assert np.abs(blocks.astype(int) - whole).max() <= 1


def test_floats_in_the_scale_of_int16_are_refused(tmp_path: Path) -> None:
    import soundfile

    tone = np.sin(np.arange(16_000) * 0.05).astype(np.float32)
    soundfile.write(tmp_path / "overshot.wav", tone * 2, 16_000, subtype="FLOAT")
    assert np.abs(read_audio(tmp_path / "overshot.wav", 16_000).astype(int)).max() >= 32_767
    soundfile.write(tmp_path / "counts.wav", tone * 300, 16_000, subtype="FLOAT")
    with pytest.raises(UnreadableAudioError, match="full scale"):
        read_audio(tmp_path / "counts.wav", 16_000)
