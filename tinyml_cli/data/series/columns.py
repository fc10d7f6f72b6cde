"""The quantity in a column, from its name as tools and sketches write it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tinyml_cli.data.series.units import ACCELERATION_G, ROTATION_DPS, SECONDS, canonical

Kind = Literal["time", "step", "acceleration", "gravity", "rotation", "label", "derived", "other"]

AXES = "xyz"
# Words of sensors in the languages that phones and spreadsheets speak, without accents.
_ACCELERATION = {
    "a", "ac", "acc", "accel", "acceleration", "accelerations", "accelerometer", "accelero", "lacc",
    "linacc", "laccel", "linaccel", "beschleunigung", "beschl", "accelerometre", "aceleracion",
    "acelerometro", "aceleracao", "accelerazione", "accelerometro", "versnelling", "uskorenie", "加速度",
    "加速度计", "加速度計", "ускорение", "акселерометр",
}  # fmt: skip
_ROTATION = {
    "g", "gy", "gyr", "gyro", "gyros", "gyroscope", "w", "omega", "ω", "angularvelocity", "gyroskop",
    "drehrate", "winkelgeschwindigkeit", "giroscopio", "giroscope", "角速度", "陀螺仪", "陀螺儀", "гироскоп",
}  # fmt: skip
_ROTATION_PAIRS = (
    {"rotation", "rate"}, {"angular", "velocity"}, {"vitesse", "angulaire"}, {"velocidad", "angular"},
    {"velocita", "angolare"}, {"velocidade", "angular"}, {"vitesse", "rotation"}, {"угловая", "скорость"},
)  # fmt: skip
# Physics Toolbox writes gFx, gFy, gFz: multiples of g.
_IN_G = {"gf"}
_WITHOUT = {"without", "no", "ohne", "sans", "sin", "senza", "sem"}
_LINEAR = {"linear", "lineare", "lineal", "lineaire", "lin", "user", "lacc", "linacc", "laccel", "linaccel",
           "nograv", "nogravity"} | _WITHOUT  # fmt: skip
_STEPS = {"dt", "deltat", "deltatime", "timedelta", "timediff", "Δt"}
_OTHER = {
    "mag",
    "magnetometer",
    "magnetic",
    "quat",
    "quaternion",
    "euler",
    "orientation",
    "attitude",
}
_DERIVED = {"absolute", "abs", "magnitude", "norm", "resultant", "total"}
_TIME = {
    "t", "ts", "time", "timestamp", "timestamps", "datetime", "date", "elapsed", "epoch", "epoc", "clock",
    "stamp", "seconds", "secs", "millis", "milliseconds", "micros", "microseconds", "nanos", "nanoseconds",
    "zeit", "zeitstempel", "datum", "temps", "horodatage", "tiempo", "tempo", "tijd", "время",
    "时间", "时间戳", "時間", "時刻",
}  # fmt: skip
# Minima, initials and parts of a date have these names too.
_NOT_TIME_ALONE = ("s", "min", "h", "hr", "hour", "d", "day")
# A column that only one app writes -> the units that it writes the others in.
_APPS: dict[str, dict[Kind, str]] = {
    "seconds_elapsed": {"acceleration": "m/s2", "gravity": "m/s2", "rotation": "rad/s"},  # Sensor Logger
    "gFx": {"acceleration": "g", "rotation": "rad/s"},  # Physics Toolbox
}
_LABELS = {"label", "class", "condition", "state", "gesture", "activity"}
_INDEX = {
    "",
    "index",
    "idx",
    "sample",
    "samples",
    "seq",
    "sequence",
    "no",
    "nr",
    "row",
    "counter",
    "frame",
    "packet",
}
_IN_BRACKETS = re.compile(r"^(.*?)\s*[(\[{]([^()\[\]{}]*)[)\]}]\s*$")
_LONGEST_NAME = 100
_IDEOGRAPHS = re.compile(r"(?<=[\u2e80-\u9fff\uac00-\ud7af])(?=[A-Za-z])")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|\d+")


@dataclass(frozen=True)
class Role:
    """What a column holds.

    Attributes:
        kind: what is measured; `derived` follows from other columns, such as a length of a vector, and `step`
            is the time since the row before.
        axis: x, y or z.
        unit: canonical, or as it stands where it is not known; empty where the file does not say.
        linear: acceleration without gravity.
        family: names the sensor, where a file has several of a kind.
    """

    kind: Kind
    axis: str = ""
    unit: str = ""
    linear: bool = False
    family: str = ""


def role_of(name: str, unit: str | None = None, sensor: str = "") -> Role:
    """What a column of this name holds.

    Args:
        name: as it stands in the header.
        unit: as the file says it elsewhere.
        sensor: `acceleration`, `gravity` or `rotation` where the name of the file says that it holds nothing
            else.
    """
    base, in_brackets = name.strip()[:_LONGEST_NAME], None
    if (match := _IN_BRACKETS.match(base)) is not None:
        base, in_brackets = match.group(1), match.group(2)
    words = _words(base)
    if "".join(words) in _LABELS:
        return Role("label")
    axis, words = _axis(words)
    said = in_brackets if unit is None else unit
    known = canonical(said) if said is not None else None
    if said and known is None:
        sensor, known = "", said.strip()  # `x (µT)` is none of these
    elif known is None:
        known, words = _unit_in(words)
    if axis:
        return _of_axis(words, axis, known, sensor)
    if _DERIVED & set(words):
        return Role("derived")
    if "".join(words) in _STEPS:
        return Role("step", unit=known or "")
    if _is_time(words, known):
        return Role("time", unit=(known if known in SECONDS else _time_in(words)) or "")
    return Role("other", unit=known or "")


def _words(text: str) -> list[str]:
    """Its words in small letters without accents; `加速度X` and `accX` are two."""
    plain = unicodedata.normalize("NFC", text)
    split = " ".join(_WORDS.findall(_IDEOGRAPHS.sub(" ", plain)))
    folded = unicodedata.normalize("NFD", split.casefold())
    return re.sub(r"[\u0300-\u036f]", "", folded).split()


def units_of_app(names: Sequence[str]) -> dict[Kind, str]:
    """Kind -> the unit in which the app that wrote these columns has it; empty where none is known."""
    return dict(next((units for name, units in _APPS.items() if name in names), {}))


def is_index(name: str) -> bool:
    """Whether a column of this name may count the rows."""
    words = _words(_IN_BRACKETS.sub(r"\1", name.strip()[:_LONGEST_NAME]))
    return not words or words[-1] in _INDEX or words == ["unnamed", "0"]


def rivals(roles: Sequence[Role], kind: Kind) -> list[str]:
    """Names of several sensors of a kind, all with three axes, of which none is the one to take."""
    families: dict[tuple[bool, str], set[str]] = {}
    for role in roles:
        if role.kind == kind:
            families.setdefault((role.linear, role.family), set()).add(role.axis)
    whole = [key for key, axes in families.items() if len(axes) == len(AXES)]
    same = [family for linear, family in whole if linear == min(linear for linear, _ in whole)]
    return same if len(same) > 1 else []


def choose(roles: Sequence[Role], kind: Kind) -> dict[str, int]:
    """axis -> column of one sensor of a kind: the one with most axes, with gravity rather than without."""
    families: dict[tuple[str, bool], dict[str, int]] = {}
    for index, role in enumerate(roles):
        if role.kind == kind:
            families.setdefault((role.family, role.linear), {}).setdefault(role.axis, index)
    if not families:
        return {}
    return max(families.items(), key=lambda item: (len(item[1]), not item[0][1]))[1]


def _axis(words: list[str]) -> tuple[str, list[str]]:
    """The axis, and the words without it: it stands alone or ends the name of a sensor (`ax`, `gyrX`)."""
    for index, word in enumerate(words):
        if word in AXES:
            rest = words[:index] + words[index + 1 :]
            return word, [each for each in rest if each not in ("axis", "achse")]
    if "".join(words)[:-1] in _IN_G and words[-1][-1] in AXES:
        return words[-1][-1], ["gf"]
    for index, word in enumerate(words):
        if word[-1:] in AXES and word[:-1] in _ACCELERATION | _ROTATION:
            return word[-1], [*words[:index], word[:-1], *words[index + 1 :]]
    return "", words


def _unit_in(words: list[str]) -> tuple[str | None, list[str]]:
    """The unit that the last words of a name spell (`rads`, `m s2`), and the words before it."""
    for count in (3, 2, 1):
        if len(words) > count:
            for joined in ("".join(words[-count:]), "/".join(words[-count:])):
                unit = canonical(joined)
                if unit in ("h", "d") and words[0] not in _TIME:
                    continue
                if unit in (*ACCELERATION_G, *ROTATION_DPS, *SECONDS, "counts"):
                    return unit, words[:-count]
    return None, words


def _of_axis(words: list[str], axis: str, unit: str | None, sensor: str) -> Role:
    found, family = set(words), " ".join(words)
    linear = bool(found & _LINEAR)
    if found & _OTHER:
        return Role("other", unit=unit or "")
    if ("gravity" in found and not found & _WITHOUT) or sensor == "gravity":
        return Role("gravity", axis, unit or "", family=family)
    if found & _IN_G:
        return Role("acceleration", axis, unit or "g", family=family)
    rate = found & _ROTATION or any(pair <= found for pair in _ROTATION_PAIRS)
    is_acceleration, is_rotation = bool(found & _ACCELERATION), bool(rate)
    if is_acceleration and is_rotation:  # `g acc`: one of them is no name of a sensor
        is_rotation = bool(found & _ROTATION - {"g", "w"})
        is_acceleration = not is_rotation
    if not is_acceleration and not is_rotation:
        is_rotation = unit in ROTATION_DPS or (unit not in ACCELERATION_G and sensor == "rotation")
        is_acceleration = not is_rotation and (unit in ACCELERATION_G or sensor == "acceleration")
    if is_acceleration:
        return Role("acceleration", axis, unit or "", linear, family)
    if is_rotation:
        return Role("rotation", axis, unit or "", family=family)
    return Role("other", axis, unit or "", family=family)


def _is_time(words: list[str], unit: str | None) -> bool:
    if unit in SECONDS and (not words or set(words) & _TIME):
        return True
    if len(words) == 1 and words[0] not in _NOT_TIME_ALONE and canonical(words[0]) in SECONDS:
        return True  # `sec`, `usec`
    return bool(words) and (words[0] in _TIME or words[-1] in _TIME - {"t"}) and len(words) <= 4


def _time_in(words: list[str]) -> str | None:
    """A unit among the words: `millis`, `seconds elapsed`, `time since start in ms`."""
    units = [canonical(word) for word in words]
    return next(
        (u for word, u in zip(words, units, strict=True) if u in SECONDS and word not in _NOT_TIME_ALONE),
        None,
    )
