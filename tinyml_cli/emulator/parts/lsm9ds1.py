"""LSM9DS1: the motion sensor of the first revision. Its magnetometer answers at an address of its own.

ST, LSM9DS1 data sheet (DocID025715), accelerometer and gyroscope at 0x6B:

    0x0F WHO_AM_I 0x68     0x10 CTRL_REG1_G (7:5 rate, 4:3 full scale)
        0x20 CTRL_REG6_XL (7:5 rate, 4:3 full scale)
    0x22 CTRL_REG8 (bit 0 SW_RESET, bit 2 the pointer counts up)
        0x17, 0x27 STATUS (bit 0 XLDA, bit 1 GDA)
    0x18 OUT_X_G…, 0x28 OUT_X_XL…: int16, little endian     0x23 CTRL_REG9 (bit 1 FIFO_EN)
    0x2E FIFO_CTRL, 0x2F FIFO_SRC (5:0 samples unread)

Magnetometer at 0x1E: 0x0F WHO_AM_I_M 0x3D, 0x27 STATUS_REG_M; the field is 0.
"""

from __future__ import annotations

from collections.abc import Callable

from tinyml_cli.emulator.parts.i2c import I2cPart
from tinyml_cli.emulator.parts.motion import Motion

_WHO_AM_I, _CTRL_REG1_G, _CTRL_REG6_XL, _CTRL_REG8, _CTRL_REG9 = 0x0F, 0x10, 0x20, 0x22, 0x23
_STATUS, _STATUS_XL, _OUT_G, _OUT_XL, _FIFO_SRC = 0x17, 0x27, 0x18, 0x28, 0x2F
_IDENTITY, _IDENTITY_M = 0x68, 0x3D
# Sensitivities of table 3, by the two bits of the full scale.
_UG_OF_STEP = {0: 61.0, 1: 732.0, 2: 122.0, 3: 244.0}
_MDPS_OF_STEP = {0: 8.75, 1: 17.5, 3: 70.0}
_ODR_BITS = 0xE0
_FIFO_DEPTH = 32


class Lsm9ds1(I2cPart):
    """Accelerometer and gyroscope; their axes are the board's.

    Args:
        motion: how the board is moved.
        now_s: seconds since power came.
    """

    def __init__(self, motion: Motion, now_s: Callable[[], float]) -> None:
        super().__init__(0x6B)
        self._motion = motion
        self._now_s = now_s
        self._reset()

    def _reset(self) -> None:
        self.registers[:] = bytes(256)
        self.registers[_WHO_AM_I] = _IDENTITY
        self.registers[_CTRL_REG8] = 0x04
        self._read_at = {_OUT_G: -1, _OUT_XL: -1}  # number of the sample that was read last
        self._latched: tuple[int, ...] = self._motion.at(0.0)

    def select(self, byte: int) -> int:
        self.increments = bool(self.registers[_CTRL_REG8] & 4)
        return byte & 0x7F

    def store(self, register: int, value: int) -> None:
        if register == _CTRL_REG8 and value & 1:
            self._reset()
        elif register not in (_WHO_AM_I, _STATUS, _STATUS_XL, _FIFO_SRC):
            self.registers[register] = value

    def load(self, register: int) -> int:
        if register in (_STATUS, _STATUS_XL):
            return int(self._is_new(_OUT_XL)) | self._is_new(_OUT_G) << 1
        if register == _FIFO_SRC:
            waiting = self._motion.number_at(self._now_s()) - self._read_at[_OUT_XL]
            return min(_FIFO_DEPTH, max(0, waiting)) if self.registers[_CTRL_REG9] & 2 else 0
        for first in (_OUT_G, _OUT_XL):
            if first <= register < first + 6:
                return self._output(first, register - first)
        return self.registers[register]

    def _is_on(self, first: int) -> bool:
        control = _CTRL_REG1_G if first == _OUT_G else _CTRL_REG6_XL
        # The gyroscope switches the accelerometer on too (section 3.2).
        return bool((self.registers[control] | self.registers[_CTRL_REG1_G]) & _ODR_BITS)

    def _is_new(self, first: int) -> bool:
        return self._is_on(first) and self._motion.number_at(self._now_s()) > self._read_at[first]

    def _output(self, first: int, byte: int) -> int:
        if byte == 0:
            now_s = self._now_s()
            self._latched = self._motion.at(now_s)
            self._read_at[first] = self._motion.number_at(now_s)
        if not self._is_on(first):
            return 0
        axis = byte >> 1
        if first == _OUT_G:
            scale = self.registers[_CTRL_REG1_G] >> 3 & 3
            value = self._latched[3 + axis] / _MDPS_OF_STEP.get(scale, 70.0)
        else:
            value = self._latched[axis] * 1000 / _UG_OF_STEP[self.registers[_CTRL_REG6_XL] >> 3 & 3]
        steps = max(-32768, min(32767, round(value)))
        return steps >> 8 * (byte & 1) & 0xFF


class Magnetometer(I2cPart):
    """Identifies itself and measures nothing."""

    def __init__(self) -> None:
        super().__init__(0x1E)
        self.registers[_WHO_AM_I] = _IDENTITY_M

    def select(self, byte: int) -> int:
        self.increments = bool(byte & 0x80)
        return byte & 0x7F
