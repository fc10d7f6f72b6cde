"""Each task's terms for its items and for the origin of its data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Items:
    """Nouns for reports and cards.

    Attributes:
        one, many: a single item that the model judges, and several.
        groups: what items come from that never lies in two splits; empty where each stands for itself.
        made_up: what the data is where no folder was given.
        collected: what a folder holds.
        made_up_limit: what a model of made-up data cannot know, as a sentence.
    """

    one: str = "example"
    many: str = "examples"
    groups: str = "groups"
    made_up: str = "synthetic data"
    collected: str = "recordings"
    made_up_limit: str = "It was trained only on synthetic data: real data differ."
