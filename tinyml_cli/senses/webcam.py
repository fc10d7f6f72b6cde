"""This computer's camera, through the package `opencv-python-headless`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError

# A webcam needs some frames to set its exposure.
_WARM_UP_FRAMES = 5
# What a slow reader gets is as old as the frames that wait; drivers keep four by default, Linux's for ever.
_KEPT_FRAMES = 1


class Webcam:
    """This computer's camera.

    Args:
        device: its number, "0" by default, or a file or address that OpenCV opens.

    Attributes:
        rate_hz: frames a second; 0 where the driver does not say.

    Raises:
        TinymlError: OpenCV or the camera is missing.
    """

    def __init__(self, device: str | None = None) -> None:
        source: int | str = int(device) if (device or "0").isdecimal() and device else device or 0
        self.name = f"camera {source}"
        opencv = _opencv()
        self._capture = opencv.VideoCapture(source)
        if not self._capture.isOpened():
            self._capture.release()
            raise TinymlError(
                "Cannot open the camera",
                self.name,
                "Plug one in, allow this terminal to use it, or choose one with --device 1; for a "
                "board's camera use --board nano33ble.",
            )
        self._capture.set(opencv.CAP_PROP_BUFFERSIZE, _KEPT_FRAMES)
        self.rate_hz = max(0.0, float(self._capture.get(opencv.CAP_PROP_FPS)))
        for _ in range(_WARM_UP_FRAMES):
            self._capture.read()

    def take(self) -> NDArray[np.uint8]:
        """The next frame, uint8 [rows, columns, 3], red first.

        Raises:
            TinymlError: the camera gives none any more.
        """
        is_there, frame = self._capture.read()
        if not is_there:
            raise TinymlError("The camera stopped sending frames", self.name, "Plug it in again.")
        return np.ascontiguousarray(np.asarray(frame, np.uint8)[..., ::-1])

    def drop_old(self) -> None:
        """Forgets frames that were taken before this moment and wait to be read."""
        for _ in range(_KEPT_FRAMES):
            self._capture.grab()

    def close(self) -> None:
        """Frees the camera."""
        self._capture.release()


def _opencv() -> Any:
    """The package.

    Raises:
        TinymlError: it is missing or cannot be loaded.
    """
    try:
        import cv2
    except ImportError as error:
        raise TinymlError(
            f"Recording from a webcam needs OpenCV ({error})",
            "",
            'Install it: pip install "tinyml-cli[camera]", or use a board\'s camera: --board nano33ble',
        ) from error
    return cv2
