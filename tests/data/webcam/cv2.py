"""Stands in for the package `cv2` where there is no camera: its frames are images of a folder, over and over.

Only what `tinyml data record images` calls. FAKE_WEBCAM names the folder; "none" is a computer without a
camera.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from PIL import Image

CAP_PROP_FPS, CAP_PROP_BUFFERSIZE = 5, 38


class VideoCapture:
    """Shows the folder's images in the order of their names; colours are blue first, as OpenCV's."""

    def __init__(self, source: int | str) -> None:
        folder = os.environ["FAKE_WEBCAM"]
        self._paths = [] if folder == "none" else sorted(Path(folder).glob("*.png"))
        self._next = 0

    def isOpened(self) -> bool:  # noqa: N802
        return bool(self._paths)

    def set(self, option: int, value: float) -> bool:
        assert (option, value) == (CAP_PROP_BUFFERSIZE, 1)
        return True

    def get(self, option: int) -> float:
        assert option == CAP_PROP_FPS
        return 30.0

    def grab(self) -> bool:
        self._next += 1
        return True

    def read(self) -> tuple[bool, np.ndarray | None]:
        with Image.open(self._paths[self._next % len(self._paths)]) as image:
            frame = np.asarray(image.convert("RGB"))[..., ::-1]
        self._next += 1
        return True, frame

    def release(self) -> None:
        pass
