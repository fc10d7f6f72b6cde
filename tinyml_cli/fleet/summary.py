"""From what a board says to the few numbers that travel; made beside the device."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyml_cli import registry
from tinyml_cli.drift.columns import score_values
from tinyml_cli.drift.compare import counts_of
from tinyml_cli.fleet.messages import FleetRelease, Telemetry
from tinyml_cli.link.protocol import Detection, Event, Status
from tinyml_cli.manifest import Manifest

_LEAST = 1


class DeviceSummary:
    """What a device did since its last telemetry.

    Args:
        release: that it runs; None where only health is counted.
        manifest: of the release.
    """

    def __init__(self, release: FleetRelease | None, manifest: Manifest | None) -> None:
        self._release = release
        self._manifest = manifest
        self._overruns: int | None = None
        self._clear()

    def _clear(self) -> None:
        reference = self._release.reference if self._release else None
        self._columns = dict(reference.columns) if reference else {}
        self._bins = {name: np.zeros(len(each.shares), np.int64) for name, each in self._columns.items()}
        self._seconds = 0.0
        self._detections: dict[int, int] = {}
        self._probes = self._wrong = 0
        self._inferences = self._inference_us = self._lost = 0
        self._shadow: tuple[str, int, int, int] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self._seconds or self._probes or self._inferences)

    def add(self, events: Sequence[Event], seconds: float) -> None:
        """Counts what a board said in so many seconds of its stream."""
        self._seconds += seconds
        labels = self._release.labels if self._release else []
        for event in events:
            if isinstance(event, Detection) and event.label in labels:
                index = labels.index(event.label)
                self._detections[index] = self._detections.get(index, 0) + 1
            elif isinstance(event, Status):
                self._inferences += 1
                self._inference_us += event.inference_us
                if self._overruns is not None:
                    self._lost += max(0, event.overruns - self._overruns)
                self._overruns = event.overruns
        if self._manifest is None or not self._columns:
            return
        values = score_values(labels, events, "") | registry.task(self._manifest.task).drift_values(
            self._manifest, events
        )
        for name, column in self._columns.items():
            if len(values.get(name, ())) >= _LEAST:
                self._bins[name] += counts_of(column, values[name])

    def probe(self, is_right: bool) -> None:
        """Counts an answer whose truth is known."""
        self._probes += 1
        self._wrong += not is_right

    def shadow(self, release: str, acting_is_right: bool, shadow_is_right: bool) -> None:
        """Counts an answer of a second model to the same sound."""
        known = self._shadow if self._shadow and self._shadow[0] == release else (release, 0, 0, 0)
        _, n, acting, shadow = known
        only = acting_is_right - shadow_is_right
        self._shadow = (release, n + 1, acting + (only > 0), shadow + (only < 0))

    def take(self, epoch: str, number: int) -> Telemetry:
        """Everything counted so far, as a message; counting begins anew."""
        told = Telemetry(
            e=epoch,
            n=number,
            r=self._release.id if self._release else None,
            s=round(self._seconds, 1),
            d=self._detections,
            p=(self._probes, self._wrong),
            c=[column.tolist() for column in self._bins.values()]
            if any(map(np.any, self._bins.values()))
            else [],
            u=(self._inferences, self._inference_us),
            o=self._lost,
            x=self._shadow,
        )
        self._clear()
        return told
