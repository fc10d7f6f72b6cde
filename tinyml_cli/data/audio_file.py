"""The one reader of sound: any format, rate, length and channel count as mono int16 at one rate."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data import phone_sound, wav_file, webm
from tinyml_cli.data.declared_size import declared_bytes, xing_of
from tinyml_cli.data.native_stderr import silenced
from tinyml_cli.data.pcm import to_int16
from tinyml_cli.data.phone import INSTALL_PHONE
from tinyml_cli.data.resample import resampled
from tinyml_cli.errors import TinymlError
from tinyml_cli.limits import over_limit
from tinyml_cli.wording import counted

# libsndfile's formats that people have, WebM of browsers, and what the extra `phone` reads.
AUDIO_SUFFIXES = (
    ".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".aifc", ".au", ".caf", ".w64",
    ".webm", *phone_sound.SUFFIXES,
)  # fmt: skip
# Beyond these a header is damaged rather than unusual.
SUPPORTED_RATES_HZ = range(4_000, 768_001)

_INT16_BYTES = 2
_BLOCK_VALUES, _BLOCK_SAMPLES = 1 << 18, 4096
_HEAD_BYTES = 1 << 16
# Floats may overshoot full scale; on the scale of int16, even a quiet take exceeds it this many times.
_FAR_BEYOND = 16.0
_OGG_PAGE, _OGG_LAST_PAGE = b"OggS", 4

Frames = NDArray[np.float32]


class UnreadableAudioError(Exception):
    """A file that holds no usable audio; the text says why."""


@dataclass(frozen=True)
class Sound:
    """A file's sound as it is.

    Attributes:
        audio: int16 [samples], its channels mixed.
        rate_hz, channels: of the file.
        damage: what is missing, though the rest can be read; empty if nothing is.
        notes: other deviations from the format.
    """

    audio: NDArray[np.int16]
    rate_hz: int
    channels: int
    damage: str = ""
    notes: tuple[str, ...] = ()


@dataclass
class _OpenSound:
    """An open file: what it declares, and its sound in blocks [samples, channels]."""

    samples: int
    channels: int
    rate_hz: int
    blocks: Iterable[Frames]
    damage: str = ""
    notes: list[str] = field(default_factory=list)


def is_recording(path: Path) -> bool:
    """Whether a file is sound that can be read here, judged by its suffix."""
    suffix = path.suffix.lower()
    return (
        suffix in AUDIO_SUFFIXES
        and not path.name.startswith(".")
        and path.is_file()
        and (suffix not in phone_sound.SUFFIXES or phone_sound.is_installed())
    )


def missing_extra(path: Path) -> str:
    """Why a phone's recording is left out if its decoder is not installed."""
    return f"{path.suffix[1:].upper()} needs an extra: {INSTALL_PHONE}"


class _Seekable(BytesIO):
    """Bytes that allow seeks before the start, as damaged files cause: soundfile would print a traceback."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        try:
            return super().seek(offset, whence)
        except (ValueError, OverflowError):
            return self.tell()


def read_sound(path: Path) -> Sound:
    """Reads a file at its own rate, to its end even where it is damaged.

    Raises:
        UnreadableAudioError: not a known kind, empty, not finite, an impossible sample rate, an extra that is
            missing, or over the limit of memory for one file.
    """
    with _opened(path) as source:
        audio = _mixed(source, source.rate_hz)
        return Sound(audio, source.rate_hz, source.channels, _damage(source, len(audio)), tuple(source.notes))


def read_audio(path: Path, sample_rate_hz: int) -> NDArray[np.int16]:
    """Reads a file, mixes its channels and resamples it, block by block.

    Returns:
        int16 [samples] at `sample_rate_hz`.

    Raises:
        UnreadableAudioError: as read_sound.
    """
    with _opened(path) as source:
        audio = _mixed(source, sample_rate_hz)
        _damage(source, len(audio))
        return audio


def audio_blocks(path: Path, sample_rate_hz: int) -> Iterator[NDArray[np.int16]]:
    """`read_audio` in blocks int16 [samples]: in little memory, however long the file is.

    A file that is damaged, or of a phone's format, is held as a whole.

    Raises:
        UnreadableAudioError: as read_sound.
    """
    with _opened(path) as source:
        samples = 0
        for block in _mixed_blocks(source, sample_rate_hz):
            samples += len(block)
            yield block
        _damage(source, samples)


def _mixed(source: _OpenSound, sample_rate_hz: int) -> NDArray[np.int16]:
    """The channels mixed to int16 [samples], block by block: never all of it as floats."""
    length = max(1, round(source.samples * sample_rate_hz / source.rate_hz))
    if reason := over_limit(length * _INT16_BYTES):
        raise UnreadableAudioError(reason)
    # Rounding the ratio and the blocks' ends may add a few samples.
    audio, end = np.empty(length + length // 100_000 + 2, np.int16), 0
    for block in _mixed_blocks(source, sample_rate_hz):
        audio[end : end + len(block)] = block
        end += len(block)
    return audio[:end]


def _mixed_blocks(source: _OpenSound, sample_rate_hz: int) -> Iterator[NDArray[np.int16]]:
    mono = (block.mean(axis=1) for block in _finite(source.blocks))
    for block in resampled(mono, source.rate_hz, sample_rate_hz):
        yield to_int16(block)


def length_of(path: Path) -> tuple[int, int]:
    """(samples, rate in Hz) of a file as it declares them.

    Raises:
        UnreadableAudioError: as read_sound.
    """
    with _opened(path) as source:
        return source.samples, source.rate_hz


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[_OpenSound]:
    import soundfile

    try:
        size = path.stat().st_size
        if size == 0:
            raise UnreadableAudioError("the file is empty")
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
            kind = phone_sound.kind_of(head)
            wav = None if kind else wav_file.examine(stream)
            if kind and not (kind == "matroska" and webm.has_opus(head)):
                yield _checked(_of_phone(path, kind))
                return
            declared = webm.declared_bytes(head) if kind else declared_bytes(head)
            is_cut = declared is not None and declared > size
            content: Any = path
            if kind or is_cut or (wav is not None and not wav.is_whole):
                if reason := over_limit(size):
                    raise UnreadableAudioError(reason)
                mended = wav.mended(stream) if wav else _mended(path, head, kind)
                content = _Seekable(mended.getvalue())
        with silenced():  # libmpg123 comments on every frame
            opened = soundfile.SoundFile(content)
        with opened as sound:
            source = _of_libsndfile(sound)
            if wav is not None:
                source.damage, source.notes = wav.damage, wav.notes
            elif is_cut:
                source.damage = (
                    f"it is truncated: its header declares {declared:,} bytes, the file has {size:,}"
                )
            elif head.startswith(_OGG_PAGE) and not _has_last_page(path):
                source.notes.append("it was never closed: the last page is missing")
            yield _checked(source)
    except (UnreadableAudioError, TinymlError):
        raise
    except soundfile.LibsndfileError as error:
        text = error.error_string.rstrip(".")
        is_known = "not recognised" not in text and "unknown format" not in text
        reason = f"it is damaged or truncated ({text})" if is_known else "it is not a known audio format"
        raise UnreadableAudioError(reason) from error
    except (OSError, ValueError, TypeError, MemoryError, RuntimeError) as error:
        raise UnreadableAudioError(_text(error)) from error


def _text(error: Exception) -> str:
    return str((error.strerror if isinstance(error, OSError) else None) or error).rstrip(".")


def _of_phone(path: Path, kind: str) -> _OpenSound:
    if reason := over_limit(path.stat().st_size):
        raise UnreadableAudioError(reason)
    frames, rate_hz, damage = phone_sound.read(path, kind)
    blocks = (frames[at : at + _BLOCK_SAMPLES] for at in range(0, len(frames), _BLOCK_SAMPLES))
    return _OpenSound(len(frames), frames.shape[1], rate_hz, blocks, damage)


def _mended(path: Path, head: bytes, kind: str | None) -> BytesIO:
    """WebM's Opus as Ogg; a truncated MP3 without the frame count that is no longer true."""
    content = path.read_bytes()
    if kind:
        return webm.opus_as_ogg(content)
    tag = xing_of(head)
    return BytesIO(content if tag is None else content[:tag] + bytes(4) + content[tag + 4 :])


def _of_libsndfile(sound: Any) -> _OpenSound:
    return _OpenSound(sound.frames, sound.channels, int(sound.samplerate), _until_damage(sound))


def _until_damage(sound: Any) -> Iterator[Frames]:
    import soundfile

    read, size = 0, max(1, min(_BLOCK_SAMPLES, _BLOCK_VALUES // max(1, sound.channels)))
    while read < sound.frames:
        try:
            with silenced() if sound.format == "MP3" else contextlib.nullcontext():
                block = sound.read(min(size, sound.frames - read), dtype="float32", always_2d=True)
        except soundfile.LibsndfileError:
            if not read:
                raise
            return  # what was read is kept; its length shows that the rest is missing
        if not len(block):
            return
        read += len(block)
        yield block


def _checked(source: _OpenSound) -> _OpenSound:
    if source.samples <= 0:
        raise UnreadableAudioError("it contains no samples")
    if source.rate_hz not in SUPPORTED_RATES_HZ:
        raise UnreadableAudioError(f"its header says {source.rate_hz} Hz")
    return source


def _damage(source: _OpenSound, samples: int) -> str:
    if samples == 0:
        raise UnreadableAudioError("it contains no samples")
    if not source.damage and samples < source.samples:
        return f"it is truncated: it declares {counted(source.samples, 'sample')} and has {samples:,}"
    return source.damage


def _finite(blocks: Iterable[Frames]) -> Iterator[Frames]:
    for block in blocks:
        if not np.isfinite(block).all():
            raise UnreadableAudioError("it contains samples that are not numbers")
        if len(block):
            if (peak := float(np.abs(block).max())) > _FAR_BEYOND:
                raise UnreadableAudioError(
                    f"its samples reach {peak:.4g}, and full scale is 1.0: save it as int16"
                )
            yield block


def _has_last_page(path: Path) -> bool:
    """Whether the last page of an Ogg file says that it is the last (RFC 3533, section 6)."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - _HEAD_BYTES))
        tail = stream.read()
    at = tail.rfind(_OGG_PAGE)
    return at < 0 or bool(tail[at + 5 : at + 6] and tail[at + 5] & _OGG_LAST_PAGE)
