"""The application `anomaly` in a child process, fed through its serial link."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tests.firmware.test_kws_app import Device


class AnomalyDevice(Device):
    """A firmware that takes samples of a motion sensor or of a series."""

    def __init__(self, board: str, elf: Path) -> None:
        super().__init__(board, elf)
        self.seq = 0
        self.heard: list[dict[str, Any]] = []

    def ask(self, verb: str, *arguments: object, bulk: bytes | None = None) -> dict[str, Any]:
        """One command with the next number; events that came before its answer are kept in `heard`."""
        self.seq += 1
        answer = self.command(" ".join(map(str, (verb, self.seq, *arguments))), bulk)
        for kind in ("anomaly", "calibrated", "led", "features", "fault", "drift"):
            self.heard += self.events(kind)
        return answer

    def feed(self, samples: np.ndarray, channels: int) -> list[dict[str, Any]]:
        """Feeds int16 [n, channels] as the model's sensor; returns the `anomaly` events that came of it."""
        start = len(self.heard)
        if channels > 1 or self.is_imu:
            padded = np.zeros((len(samples), 6), np.int16)
            padded[:, : samples.shape[1]] = samples
            pieces = [padded[i : i + 106] for i in range(0, len(padded), 106)]
            verb = "imu"
        else:
            pieces, verb = [samples[i : i + 640] for i in range(0, len(samples), 640)], "pcm"
        for piece in pieces:
            answer = self.ask(verb, bulk=np.ascontiguousarray(piece).astype("<i2").tobytes())
            assert answer["event"] == "ack", answer
        return [event for event in self.heard[start:] if event["event"] == "anomaly"]

    is_imu = False
