"""The energy that a training takes: counted by the processor, else by codecarbon where it is installed.

RAPL (Intel's running average power limit, which AMD has as well) counts the microjoules of each processor
package; Linux shows it as /sys/class/powercap/intel-rapl:N, which newer kernels let only root read. Memory
outside the package, graphics cards, disks and the power supply's losses are not in it.

codecarbon reads Nvidia's graphics cards and Apple's processors as well; of a processor without counters it
assumes a power, and then its energy is an estimate.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tinyml_cli.installed import spec_of

RAPL = Path("/sys/class/powercap")
# A counter of 2^32 microjoules overflows after a minute at 65 W; most are larger.
_INTERVAL_S = 20.0
_JOULES_PER_KWH = 3.6e6

_numbers = itertools.count(1)


class EnergyMeter:
    """Adds up what the counters of all processor packages advance.

    Attributes:
        joules: so far; None where no counter can be read.
        source: what counts.
        is_estimated: whether it assumes a power.
    """

    def __init__(self, root: Path = RAPL) -> None:
        self._last = _counters(root)
        self.joules: float | None = 0.0 if self._last else None
        self.source = "RAPL"
        self.is_estimated = False

    def figures(self) -> dict[str, Any]:
        """For `metrics.train` of a manifest; empty where nothing is known."""
        if self.joules is None:
            return {}
        known = {"energy_j": round(self.joules, 1), "energy_source": self.source}
        return known | ({"energy_is_estimated": True} if self.is_estimated else {})

    def read(self) -> None:
        """Adds what has come since the last call; call it more often than a counter overflows."""
        for folder, before in self._last.items():
            now = _number(folder / "energy_uj")
            is_over = now is not None and now < before
            most = _number(folder / "max_energy_range_uj") if is_over else -1  # which adds nothing
            if now is None or most is None or self.joules is None:
                self.joules = None  # a sum with a gap in it is none
                return
            self.joules += (now + most + 1 - before) / 1e6
            self._last[folder] = now


@contextlib.contextmanager
def metered(root: Path = RAPL) -> Iterator[EnergyMeter]:
    """Measures what the computer's processors take while the block runs; `joules` is whole after it."""
    meter = EnergyMeter(root)
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_INTERVAL_S):
            meter.read()

    if meter.joules is None:
        with _codecarbon(meter):
            yield meter
        return
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield meter
    finally:
        ended.set()
        watcher.join()
        meter.read()


@contextlib.contextmanager
def _codecarbon(meter: EnergyMeter) -> Iterator[None]:
    """Has codecarbon measure, where it is installed."""
    tracker, name = _tracker(), f"training {next(_numbers)}"
    if tracker is None:
        yield
        return
    with contextlib.suppress(Exception):  # it looks into hardware of any kind
        tracker.start_task(name)
    try:
        yield
    finally:
        with contextlib.suppress(Exception):
            found = tracker.stop_task(name)
            meter.joules = _JOULES_PER_KWH * (found.cpu_energy + found.gpu_energy)
            meter.source = "codecarbon"
            meter.is_estimated = any(map(_assumes, tracker._hardware))


@functools.cache
def _tracker() -> Any:
    """One for all trainings of the process, since its start takes five seconds; None where there is none."""
    if spec_of("codecarbon") is None:
        return None
    try:
        from codecarbon import OfflineEmissionsTracker

        logging.getLogger("codecarbon").disabled = True
        return OfflineEmissionsTracker(
            country_iso_code="USA",  # its emissions are not used
            save_to_file=False,
            log_level="critical",
            allow_multiple_runs=True,
        )
    except Exception:  # as above
        return None


def _assumes(hardware: Any) -> bool:
    """Whether codecarbon assumes the power of a processor, instead of reading a counter."""
    mode = getattr(hardware, "_mode", None)
    return type(hardware).__name__ == "CPU" and mode not in ("intel_rapl", "intel_power_gadget")


def _counters(root: Path) -> dict[Path, int]:
    """Folder -> count of each processor package; empty where one cannot be read."""
    found = {}
    for folder in sorted(root.glob("intel-rapl:*")) if root.is_dir() else []:
        if folder.name.count(":") != 1:  # cores, graphics: parts of their package
            continue
        with contextlib.suppress(OSError):
            if not (folder / "name").read_text(encoding="utf-8").startswith("package"):
                continue
            count = _number(folder / "energy_uj")
            if count is None:
                return {}
            found[folder] = count
    return found


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
