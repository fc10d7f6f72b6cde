"""The totals of a session with a board: its detections, and how many were right."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from tinyml_cli.data.clips import SILENCE, UNKNOWN
from tinyml_cli.images.image_folder import NONE
from tinyml_cli.outcomes.stages import Replayed
from tinyml_cli.wording import counted

# What a clip or an image of nothing is expected to be.
_NOTHING = (SILENCE, UNKNOWN, NONE)


@dataclass
class Summary:
    """What came of it.

    Attributes:
        n: clips with an expectation; hits + misses + false_accepts + rejections.
        hits: clips of a word that were heard as that word.
        misses: clips of a word that were not.
        false_accepts: clips of no word in which one was heard.
        rejections: clips of no word in which, rightly, none was heard.
        detections: all words that were heard.
    """

    n: int = 0
    hits: int = 0
    misses: int = 0
    false_accepts: int = 0
    rejections: int = 0
    detections: int = 0
    seconds: float = 0.0

    def count(self, expected: str | None, detected: str | None) -> None:
        """Enters one clip."""
        if expected is None:
            return
        self.n += 1
        heard = detected if detected not in _NOTHING else None
        if expected in _NOTHING:
            self.false_accepts += heard is not None
            self.rejections += heard is None
        else:
            self.hits += heard == expected
            self.misses += heard != expected

    def outcome(self) -> Replayed:
        """The `summary` event."""
        return Replayed(event="summary", **asdict(self))

    def __str__(self) -> str:
        text = f"{counted(self.detections, 'detection')} in {self.seconds:.1f} s"
        if not self.n:
            return text
        return (
            f"{text}; {counted(self.n, 'recording')}: {counted(self.hits, 'hit')}, "
            f"{counted(self.misses, 'miss', 'misses')}, {counted(self.false_accepts, 'false accept')}, "
            f"{counted(self.rejections, 'rejection')}"
        )
