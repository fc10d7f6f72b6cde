"""What leaves a device over its serial link: by itself, or only when a host asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tinyml_cli.link.protocol.commands import TraceMode

When = Literal["always"] | TraceMode


@dataclass(frozen=True)
class Disclosed:
    """One event of the protocol.

    Attributes:
        event: its name.
        when: "always", or the mode of `trace` that a host has to ask for.
        holds: what it tells.
        is_signal: whether what the sensor measured can be made of it again, in whole or in part.
    """

    event: str
    when: When
    holds: str
    is_signal: bool = False


SCORES = Disclosed("scores", "scores", "the int8 scores of every inference")
STATUS = Disclosed("status", "status", "loudness, load and errors, once a second")
