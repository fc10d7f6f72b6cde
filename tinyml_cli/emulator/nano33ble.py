"""The Arduino Nano 33 BLE Sense around the chip.

Arduino, schematics ABX00031 (first revision, LSM9DS1) and ABX00069 (Rev2, BMI270), and ArduinoCore-mbed's
pins_arduino.h: light P0.24 red, P0.16 green, P0.06 blue, each lit by a low level; sensors on the bus P0.15
(SCL), P0.14 (SDA), powered by P0.22, with pull-ups that P1.00 powers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from tinyml_cli.emulator.chip import Chip
from tinyml_cli.emulator.memory import APPLICATION
from tinyml_cli.emulator.parts.bmi270 import Bmi270
from tinyml_cli.emulator.parts.i2c import I2cPart
from tinyml_cli.emulator.parts.lsm9ds1 import Lsm9ds1, Magnetometer
from tinyml_cli.emulator.parts.microphone import HeardSound
from tinyml_cli.emulator.parts.motion import Motion
from tinyml_cli.emulator.peripherals.clock_power import GPREGRET

Sensor = Literal["lsm9ds1", "bmi270"]

_LIGHT = (24, 16, 6)
_SENSOR_BUS = (15, 14)
_SENSOR_POWER, _PULL_UPS = 22, 32
# GPREGRET: the Arduino core asks for the bootloader (ArduinoCore-mbed, variant.cpp: _ontouch1200bps_).
_STAY_IN_BOOTLOADER = 0xB0


class Nano33Ble:
    """One board, on a cable.

    Args:
        sensor: which revision's motion sensor it carries.
        microphone: what it hears.
        motion: how it is moved.
        light_changed: told the colour of the RGB light, 0 to 255 each.
        said: told what the program sends through its UART, for the log.

    Attributes:
        chip: its nRF52840.
        in_bootloader: whether the last reset led into the bootloader, which is not run by the chip.
    """

    def __init__(
        self,
        sensor: Sensor,
        microphone: HeardSound,
        motion: Motion,
        light_changed: Callable[[tuple[int, int, int]], None],
        said: Callable[[bytes], None],
    ) -> None:
        self.microphone = microphone
        self._motion = motion
        self._light = (0, 0, 0)
        self._light_changed = light_changed
        self.uart_sent = said
        self.in_bootloader = False
        parts: list[I2cPart] = (
            [Lsm9ds1(motion, self.seconds), Magnetometer()]
            if sensor == "lsm9ds1"
            else [Bmi270(motion, self.seconds)]
        )
        self._parts = {part.address: part for part in parts}
        self.resets = 0
        self.chip = Chip(self)

    def seconds(self) -> float:
        """Since power came."""
        return self.chip.now_s if hasattr(self, "chip") else 0.0

    def play(self) -> None:
        """Begins the recordings, if they have not begun."""
        self.microphone.started = True
        if self._motion.started_s is None:
            self._motion.started_s = self.seconds()

    @property
    def has_program(self) -> bool:
        """Whether there is a stack and a start address where the bootloader looks for a program."""
        stack, start = (self.chip.memory.read_word(APPLICATION + at) for at in (0, 4))
        return stack >> 28 == 2 and APPLICATION < start < 1 << 20

    def start(self) -> None:
        """Power comes, or a reset: the bootloader runs, and starts the program unless it is to stay."""
        power = self.chip.clock_power.registers
        asked = power.get(GPREGRET, 0) == _STAY_IN_BOOTLOADER
        power[GPREGRET] = 0
        self.in_bootloader = asked or not self.has_program
        if not self.in_bootloader:
            self.chip.uart.leave_receiving()
            self.chip.start(APPLICATION)

    def chip_reset(self, reason: int) -> None:
        """See `wiring.Surface`."""
        self.resets += 1
        self.pins_changed()
        self.start()

    def part(self, pins: tuple[int, int], address: int) -> I2cPart | None:
        """See `wiring.Surface`."""
        gpio = self.chip.gpio
        powered = gpio.level(_SENSOR_POWER) and gpio.level(_PULL_UPS)
        return self._parts.get(address) if powered and pins == _SENSOR_BUS else None

    def pins_changed(self) -> None:
        """See `wiring.Surface`."""
        red, green, blue = (self._brightness(pin) for pin in _LIGHT)
        if (red, green, blue) != self._light:
            self._light = (red, green, blue)
            self._light_changed(self._light)

    def _brightness(self, pin: int) -> int:
        for pwm in self.chip.pwms:
            if (duty := pwm.duty(pin)) is not None:
                return round(255 * (1.0 - duty))
        gpio = self.chip.gpio
        return 255 if gpio.is_output(pin) and not gpio.level(pin) else 0
