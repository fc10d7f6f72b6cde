"""What a search suggests values through."""

from __future__ import annotations

from typing import Any, Protocol

# Kernels of microcontrollers compute four channels at a time; finer steps would cost and gain nothing.
GRANULE = 8


class Trial(Protocol):
    """Optuna's trials are such."""

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """One of some values."""

    def suggest_int(self, name: str, low: int, high: int, *, step: int = 1) -> int:
        """A whole number."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """A number."""
