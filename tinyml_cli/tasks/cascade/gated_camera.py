"""This computer's camera, which a cascade looks through while its gate is open."""

from __future__ import annotations

from tinyml_cli.features.image_settings import ImageInput
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Event, Gate
from tinyml_cli.monitor.live_feed import OnEvent, show_frame
from tinyml_cli.senses.webcam import Webcam


class GatedCamera:
    """Shows one frame after each piece of sound, from the word that opens the gate until it closes.

    Args:
        link: an open device.
        camera: is open all the time.
        image: of the model that looks.
        show: told every event as it comes.
    """

    def __init__(self, link: Link, camera: Webcam, image: ImageInput, show: OnEvent) -> None:
        self._link = link
        self._camera = camera
        self._image = image
        self._show = show
        self._is_open = False

    def event(self, event: Event) -> None:
        """Takes what the board says."""
        self._show(event)
        if isinstance(event, Gate):
            if event.open and not self._is_open:
                self._camera.drop_old()
            self._is_open = event.open

    def look(self) -> None:
        """Shows a frame where the gate is open.

        Raises:
            TinymlError: the camera or the board breaks.
        """
        if self._is_open:
            show_frame(self._link, self._camera, self._image, self.event)
