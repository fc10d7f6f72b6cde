"""Images under attack: pixels as the model gets them, judged by what the board counts as present."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.attack.surface import NOTHING, IntArray, LabelSurface
from tinyml_cli.build.target import BuildTarget
from tinyml_cli.evaluation.frame import section
from tinyml_cli.evaluation.on_device import describe, opened
from tinyml_cli.features.image_settings import Presence
from tinyml_cli.files import atomic_path
from tinyml_cli.outcomes.evaluations import OnDevice
from tinyml_cli.pages.augmented import Look
from tinyml_cli.tasks.vww.evaluate import ImageEvaluation
from tinyml_cli.tasks.vww.one_input import image_input
from tinyml_cli.tasks.vww.replay import show_frames


class AttackedImages(LabelSurface):
    """Pixels uint8 [n, size, size, channels], shown for as long as the board needs."""

    suffix = ".png"
    look: Look = "image"
    plays = True

    def __init__(self, evaluation: ImageEvaluation) -> None:
        found = evaluation.load()
        super().__init__(evaluation, found.pixels, found.labels)
        self._image = section(evaluation.run, evaluation.manifest.image, "image")
        self._presence = evaluation.manifest.presence or Presence()
        if evaluation.manifest.background is not None:
            self.silent = (self.names.index(evaluation.manifest.background),)

    def features(self, items: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        return items[:, None]

    def stand_in(self) -> Any:
        from tinyml_cli.attack.surrogate import linear

        return linear((self._image.high - self._image.low) / 255, self._image.low)

    def reported(self, items: npt.NDArray[Any]) -> IntArray:
        """The label that scores best and enough, unless it means that nothing is there."""
        scores = self.scores(items)[:, 0]
        best = scores.argmax(axis=1)
        is_seen = (scores.max(axis=1) >= self._presence.threshold_on) & ~np.isin(best, self.silent)
        return np.where(is_seen, best, NOTHING).astype(np.int64)

    def on_board(
        self, target: BuildTarget, items: npt.NDArray[Any], advance: Any
    ) -> tuple[OnDevice, IntArray]:
        found = []
        with opened(self.evaluation.run, target) as (link, ready):
            for item in items:
                link.take_events()
                link.reset()
                seen = show_frames(link, item, self.evaluation.manifest, lambda event: None)
                last = seen[-1] if seen and seen[-1].present else None
                found.append(NOTHING if last is None else self.names.index(last.label))
                advance()
            return describe(ready, target), np.array(found, np.int64)

    def read(self, path: Path) -> npt.NDArray[np.uint8]:
        """An image's centred square."""
        return image_input(path, self._image).shown[None]

    def write(self, path: Path, item: npt.NDArray[Any]) -> None:
        """A PNG of the model's size."""
        from PIL import Image

        with atomic_path(path) as temporary:
            Image.fromarray(item[..., 0] if item.shape[2] == 1 else item).save(temporary, "PNG")
