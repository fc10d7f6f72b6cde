"""Frames from a board's model input."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError
from tinyml_cli.link.frames import pixels_of
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Input, Ready
from tinyml_cli.manifest import Manifest

_SILENT_BOARD_S = 10.0


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
