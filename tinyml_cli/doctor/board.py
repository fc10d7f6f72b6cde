"""A board's own report: its firmware, its sensors, its light."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

from tinyml_cli.build.target import BuildTarget, peripherals
from tinyml_cli.connect import open_board
from tinyml_cli.doctor.finding import DoctorCheck
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Ready, Sensors, printable
from tinyml_cli.monitor.views import level_dbfs
from tinyml_cli.run import Run

_COLORS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
_COLOR_S = 0.5
# A board that lies still feels one g; mounting and calibration of such sensors leave a few percent.
_REST_MG = 1000
_REST_TOLERANCE_MG = 80


def examine(run: Run, target: BuildTarget) -> list[DoctorCheck]:
    """Talks to the board and looks at everything it has.

    Args:
        run: its firmware boots on a virtual board.
        target: the board, and where a real one is.

    Returns:
        The findings; only the first when the board cannot be reached.
    """
    purpose = f"board {target.board.name}"
    who = "" if target.emulated is None else "a model of it"
    try:
        with open_board(run, target) as link:
            ready = link.wait_ready()
            return [
                DoctorCheck("board", purpose, f"{who} answers on {link.url}".lstrip(), "", True),
                _firmware(ready, purpose),
                *(_sensors(link, ready, purpose, target.emulated is not None) if target.is_usb else []),
            ]
    except TinymlError as error:
        return [DoctorCheck("board", purpose, "", f"{error.what}. {error.next_step}", True)]


def _firmware(ready: Ready, purpose: str) -> DoctorCheck:
    described = (
        f"tinyml {printable(ready.tinyml)}, {printable(ready.app)}, engine {printable(ready.engine)}, "
        f"model {printable(ready.model)}, arena {ready.arena_used:,} of {ready.arena_bytes:,} B"
    )
    return DoctorCheck("firmware", purpose, described, "", True)


def _sensors(link: Link, ready: Ready, purpose: str, is_modelled: bool) -> Iterator[DoctorCheck]:
    measured = link.sensors()
    yield _microphone(measured, purpose, is_modelled)
    yield _imu(measured, purpose)
    yield _light(link, purpose)
    if "camera" in peripherals(ready.app):
        yield camera(ready, purpose)


def camera(ready: Ready, purpose: str) -> DoctorCheck:
    """Firmware that looks starts its camera at boot; other firmware does not know of it."""
    found = next((printable(name) for name in ready.sensors if name.startswith("ov")), "")
    advice = "No answer: push board and camera firmly into the shield, then press reset."
    return DoctorCheck("camera", purpose, f"{found} answers" if found else "", advice, False)


def _microphone(measured: Sensors, purpose: str, is_modelled: bool) -> DoctorCheck:
    """A real one is never silent; a model that nothing is played to is."""
    rms = measured.microphone_rms
    silence = "silence: nothing is played to it" if is_modelled else ""
    found = f"level {level_dbfs(rms):.0f} dBFS" if rms else silence
    return DoctorCheck(
        "microphone",
        purpose,
        found,
        "No sound at all: flash again; the Nano 33 BLE without Sense has no microphone.",
        False,
    )


def _imu(measured: Sensors, purpose: str) -> DoctorCheck:
    axes = (measured.ax_mg, measured.ay_mg, measured.az_mg)
    if measured.imu == "none" or None in axes:
        return DoctorCheck(
            "IMU", purpose, "", "No IMU answers; the Nano 33 BLE Sense rev 1 and Rev2 have one.", False
        )
    length = math.sqrt(sum(axis * axis for axis in axes if axis is not None))
    described = f"{printable(measured.imu)}, {length / 1000:.2f} g at rest"
    if abs(length - _REST_MG) > _REST_TOLERANCE_MG:
        return DoctorCheck(
            "IMU", purpose, "", f"{described} instead of 1 g: keep the board still and run this again.", False
        )
    return DoctorCheck("IMU", purpose, described, "", False)


def _light(link: Link, purpose: str) -> DoctorCheck:
    for color in _COLORS.values():
        link.led(*color)
        time.sleep(_COLOR_S)
    link.led(0, 0, 0)
    return DoctorCheck("LED", purpose, f"just showed {', '.join(_COLORS)}: did you see it?", "", False)
