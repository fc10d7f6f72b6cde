"""This computer's microphone, through the package `sounddevice` and PortAudio."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError

BLOCK_S = 0.05


class Microphone:
    """The microphone at its own rate: few offer 16 kHz.

    Args:
        device: number or part of the name of an input; None takes the system's default.

    Raises:
        TinymlError: the package, PortAudio or the microphone is missing.
    """

    def __init__(self, device: str | None = None) -> None:
        self._sounddevice = _sounddevice()
        self._device: int | str | None = int(device) if device and device.isdecimal() else device
        with self._explained():
            found = self._sounddevice.query_devices(self._device, "input")
        self.name = str(found["name"])
        self.rate_hz = round(float(found["default_samplerate"]))

    def blocks(self) -> Generator[tuple[NDArray[np.int16], bool]]:
        """Sound as it comes, int16 [n], and whether samples were lost before it.

        The microphone is open as long as the iterator.

        Raises:
            TinymlError: the microphone broke, or cannot be opened.
        """
        step = max(1, round(BLOCK_S * self.rate_hz))
        with (
            self._explained(),
            self._sounddevice.InputStream(
                samplerate=self.rate_hz, device=self._device, channels=1, dtype="int16"
            ) as stream,
        ):
            while True:
                data, overflowed = stream.read(step)
                yield np.asarray(data, np.int16).reshape(-1).copy(), bool(overflowed)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (self._sounddevice.PortAudioError, ValueError) as error:
            raise TinymlError(
                f"Cannot use the microphone: {error}",
                str(self._device if self._device is not None else "default input"),
                "Plug one in, allow this terminal to use it, or choose one with --device; "
                "`python -m sounddevice` lists them.",
            ) from error


def _sounddevice() -> Any:
    """The package.

    Raises:
        TinymlError: it or PortAudio is missing.
    """
    try:
        import sounddevice
    except ImportError as error:
        raise TinymlError(
            "This computer's microphone needs the package `sounddevice`",
            "",
            'Install it: pip install "tinyml-cli[record]", or give a recording (`data record words`: '
            "--from-wav FILE, `monitor`: --replay FILE).",
        ) from error
    except OSError as error:
        raise TinymlError(
            f"Cannot load `sounddevice`: {error}",
            "",
            "Install PortAudio (Debian, Ubuntu: apt install libportaudio2; Fedora: dnf install portaudio), "
            "or give a recording (`data record words`: --from-wav FILE, `monitor`: --replay FILE).",
        ) from error
    return sounddevice
