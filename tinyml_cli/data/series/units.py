"""Units of time, acceleration and rotation as people and tools write them."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass

GRAVITY_M_S2 = 9.80665

# Spelling without spaces, dots, carets and degree signs -> canonical name.
_ALIASES = {
    "s": "s sec secs second seconds с сек 秒",
    "ms": "ms msec msecs millis millisecond milliseconds мс 毫秒",
    "us": "us usec usecs micros microsecond microseconds мкс 微秒",
    "ns": "ns nsec nsecs nanos nanosecond nanoseconds нс 纳秒",
    "min": "min mins minute minutes",
    "h": "h hr hrs hour hours",
    "d": "day days",
    "g": "g gs gn g0 g-force gforce gravity gee",
    "mg": "mg millig milli-g",
    "m/s2": "m/s2 m/ss m/s/s ms2 ms-2 mps2 m/sec2 m/s**2 meter/second2 meters/second2 metre/second2 "
    "metres/second2 m/second2 meterspersecondsquared metrespersecondsquared м/с2 м/с/с",
    "cm/s2": "cm/s2 cms2 cm/ss cm/sec2 gal gals",
    "mm/s2": "mm/s2 mms2 mm/ss mm/sec2",
    "ft/s2": "ft/s2 fts2 ft/sec2",
    "deg/s": "deg/s degs degps dps deg/sec degsec degree/s degrees/s degrees/sec degree/second "
    "degrees/second degpersec degpersecond degreespersecond degreepersecond degs-1 d/s deg/second "
    "град/с deg/с",
    "ddps": "ddps",
    "mdps": "mdps mdeg/s mdegs millidps",
    "rad/s": "rad/s rads radps rad/sec radsec radian/s radians/s radian/second radians/second rad/second "
    "radpersec radpersecond radianspersecond rads-1 рад/с",
    "arduino-lsm9ds1": "arduinolsm9ds1",
    "counts": "raw lsb count counts adc digit digits",
    "": "n/a na none unknown - ? units unit",
}
_CANONICAL = {
    alias: name
    for name, aliases in _ALIASES.items()
    for alias in (*aliases.split(), *([name] if name else []))
}

SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0, "d": 86400.0}
ACCELERATION_G = {"g": 1.0, "mg": 1e-3, "m/s2": 1.0 / GRAVITY_M_S2} | {
    "cm/s2": 0.01 / GRAVITY_M_S2,
    "mm/s2": 0.001 / GRAVITY_M_S2,
    "ft/s2": 0.3048 / GRAVITY_M_S2,
}
"""Unit -> g."""
ROTATION_DPS = {"deg/s": 1.0, "ddps": 0.1, "mdps": 1e-3, "rad/s": math.degrees(1.0)} | {
    # What Arduino_LSM9DS1 calls deg/s: 2000/32768 for a step, which is 0.070 by ST's data sheet (G_So).
    "arduino-lsm9ds1": 0.070 * 32768 / 2000,
}
"""Unit -> degrees a second."""

# Counts per g of sensors of 16 bits at ±2, 4, 8 and 16 g.
COUNTS_PER_G = (16384.0, 8192.0, 4096.0, 2048.0)


def canonical(text: str) -> str | None:
    """The unit's own name: s, ms, us, ns, min, h, d, g, mg, m/s2 (cm, mm, ft), deg/s, ddps, mdps, rad/s,
    counts; "" for none.

    None for what is no unit that is known here.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    for old, new in (("μ", "u"), ("∕", "/"), ("⁄", "/"), ("°", "deg"), ("º", "deg"), ("−", "-"), ("**", "")):
        folded = folded.replace(old, new)
    folded = re.sub(r"[\s._^*·⋅]", "", folded)
    return _CANONICAL.get(folded, "" if not folded else None)


@dataclass(frozen=True)
class Unit:
    """What one unit of a file is.

    Attributes:
        name: for people.
        scale: g or degrees a second per unit; None where the file's own unit is kept.
        told: whether the file or the user says so, and nothing was concluded.
        assumed: whether neither the file nor gravity says so, but other files of the user.
    """

    name: str
    scale: float | None
    told: bool = True
    assumed: bool = False

    @property
    def option(self) -> str:
        """How data.units names it."""
        known = self.name in ACCELERATION_G or self.name in ROTATION_DPS or self.scale is None
        return self.name if known else f"{1 / self.scale:g}"  # type: ignore[operator]
