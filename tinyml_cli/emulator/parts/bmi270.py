"""BMI270: the motion sensor of Rev2. The magnetometer BMM150 of that board is not modelled.

Bosch, BMI270 data sheet (BST-BMI270-DS000), at 0x68:

    0x00 CHIP_ID 0x24     0x02 ERR_REG     0x03 STATUS (7 drdy_acc, 6 drdy_gyr)
        0x1D INT_STATUS_1 (7, 6: the same)
    0x0C ACC_X…, 0x12 GYR_X…: int16, little endian     0x21 INTERNAL_STATUS (1: initialised)
    0x41 ACC_RANGE (2, 4, 8, 16 g)     0x43 GYR_RANGE (2000, 1000, 500, 250, 125 degrees a second)
    0x59 INIT_CTRL (0 before, 1 after the configuration of 8 KB was written), 0x5B INIT_ADDR, 0x5E INIT_DATA
    0x7C PWR_CONF, 0x7D PWR_CTRL (2 acc_en, 1 gyr_en), 0x7E CMD (0xB6 resets)

Its x and y point along the board's -y and -x (Arduino_BMI270_BMM150).
"""

from __future__ import annotations

from collections.abc import Callable

from tinyml_cli.emulator.parts.i2c import I2cPart
from tinyml_cli.emulator.parts.motion import Motion

_CHIP_ID, _STATUS, _ACC, _GYR, _INT_STATUS_1, _INTERNAL_STATUS = 0x00, 0x03, 0x0C, 0x12, 0x1D, 0x21
_ACC_RANGE, _GYR_RANGE, _INIT_CTRL, _INIT_DATA = 0x41, 0x43, 0x59, 0x5E
_PWR_CONF, _PWR_CTRL, _CMD = 0x7C, 0x7D, 0x7E
_SOFT_RESET = 0xB6
_CONFIGURATION_BYTES = 8192
_RESET_VALUES = {0x00: 0x24, 0x40: 0xA8, 0x41: 0x02, 0x42: 0xA9, 0x43: 0x00, 0x7C: 0x03}


class Bmi270(I2cPart):
    """Args: motion: how the board is moved; now_s: seconds since power came."""

    def __init__(self, motion: Motion, now_s: Callable[[], float]) -> None:
        super().__init__(0x68)
        self._motion = motion
        self._now_s = now_s
        self._reset()

    def _reset(self) -> None:
        self.registers[:] = bytes(256)
        for register, value in _RESET_VALUES.items():
            self.registers[register] = value
        self._configuration_bytes = 0
        self._read_at = {_ACC: -1, _GYR: -1}
        self._latched = self._motion.at(0.0)

    def _step(self) -> None:
        if self._pointer != _INIT_DATA:  # a port: bursts stay on it
            super()._step()

    def select(self, byte: int) -> int:
        return byte & 0x7F

    def store(self, register: int, value: int) -> None:
        if register == _CMD:
            if value == _SOFT_RESET:
                self._reset()
        elif register == _INIT_DATA:
            self._configuration_bytes += 1
        elif register == _INIT_CTRL:
            if value == 0:
                self._configuration_bytes = 0
            complete = value == 1 and self._configuration_bytes == _CONFIGURATION_BYTES
            self.registers[_INTERNAL_STATUS] = int(complete)
            self.registers[register] = value
        elif register >= 0x2F:  # those below only tell
            self.registers[register] = value

    def load(self, register: int) -> int:
        if register in (_STATUS, _INT_STATUS_1):
            ready = self._is_new(_ACC) << 7 | self._is_new(_GYR) << 6
            return ready | (0x10 if register == _STATUS else 0)  # and CMD takes commands
        for first in (_ACC, _GYR):
            if first <= register < first + 6:
                return self._output(first, register - first)
        return self.registers[register]

    def _is_on(self, first: int) -> bool:
        enabled = self.registers[_PWR_CTRL] & (4 if first == _ACC else 2)
        return bool(enabled and self.registers[_INTERNAL_STATUS])

    def _is_new(self, first: int) -> bool:
        return self._is_on(first) and self._motion.number_at(self._now_s()) > self._read_at[first]

    def _output(self, first: int, byte: int) -> int:
        if byte == 0:
            now_s = self._now_s()
            self._latched = self._motion.at(now_s)
            self._read_at[first] = self._motion.number_at(now_s)
        if not self._is_on(first):
            return 0
        x, y, z = self._latched[:3] if first == _ACC else self._latched[3:]
        value = (-y, -x, z)[byte >> 1]
        if first == _ACC:
            full_scale = 2000 << (self.registers[_ACC_RANGE] & 3)  # mg
        else:
            full_scale = 2_000_000 >> (self.registers[_GYR_RANGE] & 7)  # mdps
        steps = max(-32768, min(32767, round(value * 32768 / full_scale)))
        return steps >> 8 * (byte & 1) & 0xFF
