"""The energy that a training takes, where the processor counts it.

RAPL (Intel's running average power limit, which AMD has as well) counts the microjoules of each processor
package; Linux shows it as /sys/class/powercap/intel-rapl:N, which newer kernels let only root read. Memory
outside the package, graphics cards, disks and the power supply's losses are not in it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

RAPL = Path("/sys/class/powercap")
# A counter of 2^32 microjoules overflows after a minute at 65 W; most are larger.
_INTERVAL_S = 20.0


class EnergyMeter:
    """Adds up what the counters of all processor packages advance.

    Attributes:
        joules: so far; None where no counter can be read.
    """

    def __init__(self, root: Path = RAPL) -> None:
        self._last = _counters(root)
        self.joules: float | None = 0.0 if self._last else None

    def read(self) -> None:
        """Adds what has come since the last call; call it more often than a counter overflows."""
        for folder, before in self._last.items():
            now = _number(folder / "energy_uj")
            if now is None or self.joules is None:
                self.joules = None  # a sum with a gap in it is none
                return
            overflow = 0 if now >= before else (_number(folder / "max_energy_range_uj") or 0) + 1
            self.joules += (now + overflow - before) / 1e6
            self._last[folder] = now


@contextlib.contextmanager
def metered(root: Path = RAPL) -> Iterator[EnergyMeter]:
    """Measures what the computer's processors take while the block runs; `joules` is whole after it."""
    meter = EnergyMeter(root)
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_INTERVAL_S):
            meter.read()

    watcher = threading.Thread(target=watch, daemon=True) if meter.joules is not None else None
    if watcher is not None:
        watcher.start()
    try:
        yield meter
    finally:
        ended.set()
        if watcher is not None:
            watcher.join()
        meter.read()


def _counters(root: Path) -> dict[Path, int]:
    """Folder -> count of each processor package; empty where one cannot be read."""
    found = {}
    for folder in sorted(root.glob("intel-rapl:*")) if root.is_dir() else []:
        if folder.name.count(":") != 1:  # cores, graphics: parts of their package
            continue
        with contextlib.suppress(OSError):
            if not (folder / "name").read_text().startswith("package"):
                continue
            count = _number(folder / "energy_uj")
            if count is None:
                return {}
            found[folder] = count
    return found


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
