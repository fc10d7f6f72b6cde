"""espeak-ng from the wheel `espeakng-loader`, behind a child process (see espeak_worker)."""

from __future__ import annotations

import contextlib
import json
import re
import struct
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError
from tinyml_cli.installed import spec_of
from tinyml_cli.processes import DEVNULL, PIPE, Process

# Accents in the wheel's data; `en-us` also answers for plain `en`.
ACCENTS = (
    "en-us",
    "en-gb-x-rp",
    "en-gb-scotland",
    "en-gb-x-gbclan",
    "en-gb-x-gbcwmd",
    "en-029",
    "en-us-nyc",
    "en",
)
# Variants that no person sounds like (checked by ear of the spectrum: monotone robots, whispers, roars).
_INHUMAN = ("whisper", "robosoft", "demonic", "croak", "unirobot", "anikarobot", "klatt", "tweaky", "storm")

# Names of phonemes, one by one, as a text to be said.
_NAMES = re.compile(r"\[\[[^|]+(\|[^|]+)+\]\]")
_MAX_CRASHES = 20
_ANSWER_HEADER = struct.Struct("<II")


class EspeakCrashError(Exception):
    """The child process ended in the middle of a request."""


@dataclass(frozen=True)
class EspeakUtterance:
    """One clip to synthesise; pitch and range are espeak's 0..99, rate is words per minute."""

    text: str
    voice: str
    rate: int
    pitch: int
    pitch_range: int

    def request(self) -> dict[str, Any]:
        """The worker's request."""
        return {
            "say": self.text,
            "voice": self.voice,
            "rate": self.rate,
            "pitch": self.pitch,
            "range": self.pitch_range,
        }


def is_installed() -> bool:
    """Whether the optional speech package is there."""
    return spec_of("espeakng_loader") is not None


def require() -> None:
    """Asks for the optional speech package.

    Raises:
        TinymlError: it is not installed.
    """
    if not is_installed():
        raise TinymlError(
            "Synthesising speech needs espeak-ng, which is not installed",
            "extra `speech`",
            "Run: pip install 'tinyml-cli[speech]' (GPL), or give recordings with --data DIR.",
        )


def _locate() -> tuple[str, str]:
    require()
    import espeakng_loader

    return str(espeakng_loader.get_library_path()), str(espeakng_loader.get_data_path())


def data_folder() -> Path:
    """The library's own data: `lang/` describes the voices, `*_dict` are the dictionaries.

    Raises:
        TinymlError: not installed.
    """
    return Path(_locate()[1])


def variants() -> list[str]:
    """Names of the voice variants fit for training, sorted."""
    folder = data_folder() / "voices" / "!v"
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    return [name for name in names if not name.lower().startswith(_INHUMAN)]


class EspeakProcess:
    """A running worker; use it as a context manager."""

    def __init__(self) -> None:
        self._command = [sys.executable, "-m", "tinyml_cli.speech.espeak_worker", *_locate()]
        self._child: Process | None = None

    def __enter__(self) -> EspeakProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the worker, if one runs."""
        child, self._child = self._child, None
        if child is None:
            return
        for stream in (child.stdin, child.stdout):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        child.stop()

    def ask(self, request: dict[str, Any]) -> tuple[int, bytes]:
        """(sample rate, payload) of one request.

        Raises:
            EspeakCrashError: the library took the worker down; the next call starts another.
        """
        if self._child is None:
            # The worker's package is found however this process found it, installed or not.
            root = Path(__file__).resolve().parents[2]
            self._child = Process(self._command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd=root)
        child = self._child
        assert child.stdin and child.stdout
        try:
            child.stdin.write(json.dumps(request).encode() + b"\n")
            child.stdin.flush()
            header = child.stdout.read(_ANSWER_HEADER.size)
            if len(header) < _ANSWER_HEADER.size:
                raise EspeakCrashError(f"exit status {child.wait()}")
            sample_rate_hz, size = _ANSWER_HEADER.unpack(header)
            payload = child.stdout.read(size)
            if len(payload) < size:
                raise EspeakCrashError(f"exit status {child.wait()}")
        except (OSError, EspeakCrashError) as error:
            self.close()
            raise EspeakCrashError(str(error)) from error
        return sample_rate_hz, payload


def say_all(utterances: Sequence[EspeakUtterance]) -> Iterator[tuple[int, NDArray[np.int16]]]:
    """Synthesises each utterance in turn.

    Yields:
        (sample rate in Hz, int16 [samples]) per utterance; empty audio where the library refused or crashed.

    Raises:
        TinymlError: not installed, or the library crashes again and again.
    """
    crashes = 0
    with EspeakProcess() as process:
        for utterance in utterances:
            try:
                sample_rate_hz, pcm = process.ask(utterance.request())
            except EspeakCrashError as crash:
                crashes += 1
                if crashes > _MAX_CRASHES:
                    raise _keeps_crashing(str(crash)) from crash
                sample_rate_hz, pcm = 22_050, b""
            yield sample_rate_hz, np.frombuffer(pcm, "<i2")


def pronounce(words: Sequence[str], voice: str = "en-us") -> list[str]:
    """IPA of each word.

    Raises:
        TinymlError: not installed, or the library crashes.
    """
    return _ask_phonemes([{"phonemes": word, "voice": voice} for word in words])


def phoneme_names(asked: Sequence[tuple[str, str]]) -> list[list[str]]:
    """The library's own names of the phonemes of each (text, voice), with tones, which its IPA confuses.

    Raises:
        TinymlError: not installed, or the library crashes.
    """
    unknown = {each for each in asked if not _NAMES.fullmatch(each[0])}
    requests = [{"phonemes": text, "voice": voice, "names": True} for text, voice in sorted(unknown)]
    answers = dict(zip(sorted(unknown), _ask_phonemes(requests) if requests else [], strict=True))
    return [_split_names(answers.get(each, each[0].strip("[]"))) for each in asked]


def _split_names(text: str) -> list[str]:
    return [name for name in re.split(r"[| ]+", text) if name.strip("_!")]


def _ask_phonemes(requests: Sequence[dict[str, Any]]) -> list[str]:
    """The answers; "" for a text that takes the library down, as numbers above 20 do in Greenlandic."""
    answers, crashes = [], 0
    with EspeakProcess() as process:
        for request in requests:
            try:
                answers.append(process.ask(request)[1].decode())
            except EspeakCrashError as crash:
                crashes += 1
                if len(answers) == crashes - 1 and crashes in (_MAX_CRASHES, len(requests)):
                    raise _keeps_crashing(str(crash)) from crash
                answers.append("")
    return answers


def _keeps_crashing(why: str) -> TinymlError:
    return TinymlError(
        f"The espeak-ng library keeps crashing ({why})",
        "package espeakng-loader",
        "Reinstall it: pip install --force-reinstall espeakng-loader, or give recordings with --data DIR.",
    )
