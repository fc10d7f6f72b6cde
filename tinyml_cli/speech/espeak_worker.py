"""Child process that owns the espeak-ng C library, so that a crash in it cannot end a training.

Started as ``python -m tinyml_cli.speech.espeak_worker LIBRARY DATA_DIR``. One JSON request per line on
stdin, one answer per request on stdout:

* ``{"say": TEXT, "voice": V, "rate": R, "pitch": P, "range": G}`` -> 8 bytes (uint32 sample rate, uint32
  number of bytes), then int16 little-endian mono PCM. Zero bytes: the library refused the voice or the text.
* ``{"phonemes": TEXT, "voice": V}`` -> the same frame, sample rate 0, payload UTF-8 IPA.
* ``{"phonemes": TEXT, "voice": V, "names": true}`` -> the same with the library's names, `|` between two.

A TEXT in double brackets, `[[h'aI]]`, is the library's own names of phonemes.
Constants are those of espeak-ng's public header ``speak_lib.h``.
"""

from __future__ import annotations

import ctypes
import json
import struct
import sys
import zlib
from typing import Any, BinaryIO

AUDIO_OUTPUT_SYNCHRONOUS = 2
INITIALIZE_DONT_EXIT = 0x8000
PARAMETER_RATE, PARAMETER_PITCH, PARAMETER_RANGE = 1, 3, 4
POSITION_CHARACTER = 1
CHARACTERS_UTF8 = 1
TEXT_HAS_PHONEMES = 0x100
PHONEMES_IPA = 0x02
SEPARATED_NAMES = ord("|") << 8

_SYNTH_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)
_PHONEME_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p)


class EspeakLibrary:
    """The few calls of libespeak-ng that are needed, with every argument type declared.

    Pointers returned by the library are 64 bits wide: without ``restype`` ctypes would cut them to an int.
    """

    def __init__(self, library_path: str, data_path: str) -> None:
        self._library = ctypes.CDLL(library_path)
        self._declare_types()
        self.sample_rate_hz = int(
            self._library.espeak_Initialize(
                AUDIO_OUTPUT_SYNCHRONOUS, 0, data_path.encode(), INITIALIZE_DONT_EXIT
            )
        )
        if self.sample_rate_hz <= 0:
            raise RuntimeError(f"espeak_Initialize failed with its data in {data_path}")
        self._pcm = bytearray()
        # ctypes callbacks are freed with their Python object: the library keeps a bare pointer to this one.
        self._callback = _SYNTH_CALLBACK(self._collect)
        self._library.espeak_SetSynthCallback(self._callback)

    def _declare_types(self) -> None:
        library = self._library
        library.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
        library.espeak_SetSynthCallback.argtypes = [_SYNTH_CALLBACK]
        library.espeak_SetVoiceByName.argtypes = [ctypes.c_char_p]
        library.espeak_SetParameter.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int]
        library.espeak_Synth.argtypes = [
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_uint,
            ctypes.c_int,
            ctypes.c_uint,
            ctypes.c_uint,
            ctypes.c_void_p,
            ctypes.c_void_p,
        ]
        library.espeak_TextToPhonemes.argtypes = [
            ctypes.POINTER(ctypes.c_void_p),
            ctypes.c_int,
            ctypes.c_int,
        ]
        library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        library.espeak_SetPhonemeCallback.argtypes = [_PHONEME_CALLBACK]
        library.espeak_SetPhonemeTrace.argtypes = [ctypes.c_int, ctypes.c_void_p]

    def _collect(self, samples: Any, count: int, _events: Any) -> int:
        if samples and count > 0:
            self._pcm += ctypes.string_at(samples, count * 2)
        return 0

    def _set_voice(self, voice: str) -> bool:
        return int(self._library.espeak_SetVoiceByName(voice.encode())) == 0

    def say(self, text: str, voice: str, rate: int, pitch: int, pitch_range: int) -> bytes:
        """PCM of `text`; empty when the library refuses the voice or the text."""
        if not self._set_voice(voice):
            return b""
        for parameter, value in (
            (PARAMETER_RATE, rate),
            (PARAMETER_PITCH, pitch),
            (PARAMETER_RANGE, pitch_range),
        ):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._seed(text, voice, rate, pitch, pitch_range)
        return self._synthesise(text)

    def _synthesise(self, text: str) -> bytes:
        self._pcm.clear()
        flags = CHARACTERS_UTF8 | (TEXT_HAS_PHONEMES if text.startswith("[[") else 0)
        encoded = text.encode() + b"\0"
        status = self._library.espeak_Synth(
            encoded, len(encoded), 0, POSITION_CHARACTER, 0, flags, None, None
        )
        self._library.espeak_Synchronize()
        return bytes(self._pcm) if status == 0 else b""

    def _seed(self, *request: object) -> None:
        """Breath and flutter are random and the library seeds them by the clock: seed them by the request."""
        if hasattr(self._library, "espeak_ng_SetRandSeed"):
            seed = zlib.crc32(repr(request).encode()) & 0x7FFF_FFFF
            self._library.espeak_ng_SetRandSeed(ctypes.c_long(seed))

    def phonemes(self, text: str, voice: str, mode: int = PHONEMES_IPA) -> str:
        """The sounds of `text`; empty when the library refuses the voice."""
        if not self._set_voice(voice):
            return ""
        if text.startswith("[["):
            return self._phonemes_said(text, mode)
        buffer = ctypes.create_string_buffer(text.encode())
        cursor = ctypes.c_void_p(ctypes.addressof(buffer))
        clauses = []
        while cursor.value:
            clause = self._library.espeak_TextToPhonemes(ctypes.byref(cursor), CHARACTERS_UTF8, mode)
            clauses.append((clause or b"").decode("utf-8", "replace"))
        return " ".join(clauses).strip()

    def _phonemes_said(self, text: str, mode: int) -> str:
        """Of a text in double brackets, which TextToPhonemes reads as letters."""
        clauses: list[str] = []

        def collect(clause: bytes) -> int:
            clauses.append(clause.decode("utf-8", "replace"))
            return 0

        callback = _PHONEME_CALLBACK(collect)
        self._library.espeak_SetPhonemeTrace(mode, None)
        self._library.espeak_SetPhonemeCallback(callback)
        try:
            self._synthesise(text)
        finally:
            self._library.espeak_SetPhonemeCallback(_PHONEME_CALLBACK())
            self._library.espeak_SetPhonemeTrace(0, None)
        return " ".join(clauses).strip()


def answer(library: EspeakLibrary, request: dict[str, Any]) -> tuple[int, bytes]:
    """(sample rate, payload) of one request."""
    if "phonemes" in request:
        mode = SEPARATED_NAMES if request.get("names") else PHONEMES_IPA
        return 0, library.phonemes(request["phonemes"], request["voice"], mode).encode()
    pcm = library.say(request["say"], request["voice"], request["rate"], request["pitch"], request["range"])
    return library.sample_rate_hz, pcm


def serve(library: EspeakLibrary, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answers requests until the other end closes stdin."""
    for line in requests:
        sample_rate_hz, payload = answer(library, json.loads(line))
        answers.write(struct.pack("<II", sample_rate_hz, len(payload)) + payload)
        answers.flush()


if __name__ == "__main__":
    serve(EspeakLibrary(sys.argv[1], sys.argv[2]), sys.stdin.buffer, sys.stdout.buffer)
