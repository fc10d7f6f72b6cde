"""Which speech engines and voices may speak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Share of the utterances beside Kokoro that flite says. Its voices are few but closer to people than
# espeak-ng's, which say the rest.
_FLITE_SHARE = 0.3
KOKORO_SHARE = 0.15
"""Kokoro's voices are neural, but each clip takes most of a second of a processor."""


@dataclass(frozen=True)
class Voices:
    """Who may speak.

    Attributes:
        engines: of "espeak", "flite" and "kokoro".
        kokoro_share: share of the utterances that Kokoro says where it is listed.
        kokoro: its voices that may; empty for all.
    """

    engines: Sequence[str]
    kokoro_share: float = KOKORO_SHARE
    kokoro: Sequence[str] = ()

    def shares(self, engines: Sequence[str]) -> list[tuple[str, float]]:
        """(engine, its share of the utterances) of some of the engines, adding up to 1."""
        parts = {"kokoro": self.kokoro_share, "flite": (1 - self.kokoro_share) * _FLITE_SHARE}
        if "kokoro" not in engines:
            parts["flite"] = _FLITE_SHARE
        listed = [(engine, parts[engine]) for engine in ("flite", "kokoro") if engine in engines]
        total = sum(share for _, share in listed)
        if "espeak" in engines:
            return [*listed, ("espeak", 1 - total)]
        return [(engine, share / total) for engine, share in listed]
