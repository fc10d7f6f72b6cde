"""Frames of a webcam through OpenCV, and frames from a board's model input."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError
from tinyml_cli.link.frames import pixels_of
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Input, Ready
from tinyml_cli.manifest import Manifest

_SILENT_BOARD_S = 10.0
# A webcam needs some frames to set its exposure.
_WARM_UP_FRAMES = 5


class Webcam:
    """This computer's camera.

    Args:
        device: its number, "0" by default, or a file or address that OpenCV opens.

    Raises:
        TinymlError: OpenCV or the camera is missing.
    """

    def __init__(self, device: str | None = None) -> None:
        source: int | str = int(device) if (device or "0").isdecimal() and device else device or 0
        self.name = f"camera {source}"
        self._capture = _opencv().VideoCapture(source)
        if not self._capture.isOpened():
            self._capture.release()
            raise TinymlError(
                "Cannot open the camera",
                self.name,
                "Plug one in, allow this terminal to use it, or choose one with --device 1; for a "
                "board's camera use --board nano33ble.",
            )
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

    def close(self) -> None:
        """Frees the camera."""
        self._capture.release()


class BoardCamera:
    """The camera of a board whose firmware looks: the pixels that its model is about to see.

    Args:
        link: an open link.
        ready: the board's banner.
        manifest: of the run whose firmware it is; gives size and quantisation.

    Raises:
        TinymlError: other firmware, or a board without a camera.
    """

    def __init__(self, link: Link, ready: Ready, manifest: Manifest) -> None:
        if manifest.image is None or ready.app != "vww":
            raise TinymlError(
                f"The board runs the application `{ready.app}`, which does not use a camera",
                link.url,
                "Flash visual wake words firmware: tinyml flash RUN --board BOARD",
            )
        if not any(name.startswith("ov") for name in ready.sensors):
            raise TinymlError(
                "The board has no camera",
                link.url,
                "Push it firmly into the shield, or use a webcam: omit --board.",
            )
        self.name = f"camera of {ready.board}"
        self._link = link
        self._image = manifest.image
        self._input = manifest.quantization.input if manifest.quantization else None
        link.trace("features")

    def take(self) -> NDArray[np.uint8]:
        """The next frame, uint8 [size, size, channels].

        Raises:
            TinymlError: none comes.
        """
        for event in self._link.events(_SILENT_BOARD_S):
            if isinstance(event, Input):
                pixels = pixels_of(event.data, self._image, self._input)
                if pixels is not None:
                    return pixels
        raise TinymlError("The board sends no frames", self._link.url, "Reset it and try again.")

    def close(self) -> None:
        """Asks for no more frames."""
        self._link.trace("off")


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
