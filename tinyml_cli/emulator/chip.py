"""The nRF52840: processor, memories, peripherals, and the time that they share.

Time is counted in cycles of the 64 MHz clock. An instruction takes 4/3 of one, whatever it is: the
pipeline, wait states of flash and the cache are not modelled. An asleep processor jumps to the next moment
at which something happens.
"""

from __future__ import annotations

from operator import itemgetter

from tinyml_cli.emulator import exceptions
from tinyml_cli.emulator.cpu import Cpu, Stop
from tinyml_cli.emulator.exceptions import Exceptions
from tinyml_cli.emulator.memory import APPLICATION, Memory, ProgramError
from tinyml_cli.emulator.peripherals.clock_power import DOG, RESETREAS, SREQ, ClockPower
from tinyml_cli.emulator.peripherals.flash_controller import FlashController
from tinyml_cli.emulator.peripherals.gpio import Gpio
from tinyml_cli.emulator.peripherals.pdm import Pdm
from tinyml_cli.emulator.peripherals.pwm import Pwm
from tinyml_cli.emulator.peripherals.random_numbers import RandomNumbers
from tinyml_cli.emulator.peripherals.registers import Peripheral
from tinyml_cli.emulator.peripherals.rtc import Rtc
from tinyml_cli.emulator.peripherals.timer import Timer
from tinyml_cli.emulator.peripherals.twi import Twi
from tinyml_cli.emulator.peripherals.uart import Uart
from tinyml_cli.emulator.peripherals.usb_device import UsbDevice
from tinyml_cli.emulator.peripherals.watchdog import Watchdog
from tinyml_cli.emulator.wiring import Surface, Timed

_CYCLES_OF_3 = 4  # three instructions
_EARLY_STOP = 128  # cycles charged where the core stopped after an unknown number of instructions
_BUS_CYCLES = 4  # of an access to a register
_MANY = 64
_POLL_CYCLES = 128  # of an access that only repeats others: two microseconds
_MOST_INSTRUCTIONS = 48_000  # between two looks at the outside: a millisecond
_NEVER = 1 << 62
_UNITS: dict[int, tuple[str, type[Peripheral]]] = {
    0x4000_0000: ("CLOCK/POWER", ClockPower),
    0x4000_2000: ("UARTE0", Uart),
    0x4000_3000: ("TWI0", Twi),
    0x4000_4000: ("TWI1", Twi),
    0x4000_8000: ("TIMER0", Timer),
    0x4000_9000: ("TIMER1", Timer),
    0x4000_A000: ("TIMER2", Timer),
    0x4000_B000: ("RTC0", Rtc),
    0x4000_D000: ("RNG", RandomNumbers),
    0x4001_0000: ("WDT", Watchdog),
    0x4001_1000: ("RTC1", Rtc),
    0x4001_A000: ("TIMER3", Timer),
    0x4001_B000: ("TIMER4", Timer),
    0x4001_C000: ("PWM0", Pwm),
    0x4001_D000: ("PDM", Pdm),
    0x4001_E000: ("NVMC", FlashController),
    0x4002_1000: ("PWM1", Pwm),
    0x4002_2000: ("PWM2", Pwm),
    0x4002_4000: ("RTC2", Rtc),
    0x4002_7000: ("USBD", UsbDevice),
    0x4002_8000: ("UARTE1", Uart),
    0x4002_D000: ("PWM3", Pwm),
    0x5000_0000: ("GPIO", Gpio),
}


_time = itemgetter(1)


class Chip:
    """One nRF52840.

    Args:
        board: what it is soldered to.

    Attributes:
        now: cycles since power came.
        slept: cycles of these in which the processor slept.
        failed: why it cannot go on; empty while it can.
    """

    HZ = 64_000_000

    def __init__(self, board: Surface) -> None:
        self.board = board
        self.now = 0
        self.slept = 0
        self.failed = ""
        self._due: dict[Timed, int] = {}
        self._asleep = False
        self._had_event = False
        self._reset_reason = 0
        self.exceptions = self.interrupts = Exceptions(self)
        self.cpu = Cpu(self._read, self._write, self._program, lambda: bool(self._deliverable()))
        self.memory: Memory = self.cpu.memory
        self._pages = {base: unit(self, name, base) for base, (name, unit) in _UNITS.items()}
        self._others: dict[int, int] = {}  # registers of units that are not modelled
        self._page = self._page_accesses = 0  # accesses in a row to one unit
        self._polled = self._polled_value = self._polls = 0  # loads in a row of one register with one value

    @property
    def clock_power(self) -> ClockPower:
        unit = self._pages[0x4000_0000]
        assert isinstance(unit, ClockPower)
        return unit

    @property
    def usb(self) -> UsbDevice:
        unit = self._pages[0x4002_7000]
        assert isinstance(unit, UsbDevice)
        return unit

    @property
    def uart(self) -> Uart:
        unit = self._pages[0x4000_2000]
        assert isinstance(unit, Uart)
        return unit

    @property
    def flash_controller(self) -> FlashController:
        unit = self._pages[0x4001_E000]
        assert isinstance(unit, FlashController)
        return unit

    @property
    def gpio(self) -> Gpio:
        unit = self._pages[0x5000_0000]
        assert isinstance(unit, Gpio)
        return unit

    @property
    def watchdog(self) -> Watchdog:
        unit = self._pages[0x4001_0000]
        assert isinstance(unit, Watchdog)
        return unit

    @property
    def pwms(self) -> list[Pwm]:
        return [unit for unit in self._pages.values() if isinstance(unit, Pwm)]

    def cycles(self, us: float) -> int:
        """Cycles of so many microseconds."""
        return round(us * self.HZ / 1_000_000)

    @property
    def now_s(self) -> float:
        """Seconds since power came."""
        return self.now / self.HZ

    def wake_at(self, unit: Timed, at: int | None) -> None:
        """Calls the `advance` of a unit at a time; None: not at all."""
        if at is None:
            self._due.pop(unit, None)
        else:
            self._due[unit] = at

    def start(self, vector_table: int = APPLICATION) -> None:
        """Starts a program."""
        self.exceptions.vector_table = vector_table
        self.cpu.reset(vector_table)
        self._asleep = self._had_event = False

    def usb_enabled(self) -> None:
        """The program has switched USBD on: its regulator follows."""
        self.clock_power.power_usb()

    def request_reset(self) -> None:
        """The program asks for a soft reset."""
        self._reset_reason = SREQ
        self.cpu.request_stop()

    def watchdog_bites(self) -> None:
        """The watchdog was not fed."""
        self._reset_reason = DOG

    def run(self, until: int) -> None:
        """Runs to a time, or until it has failed."""
        while self.now < until and not self.failed:
            next_due = self._advance()
            if self._reset_reason:
                self._reset()
                continue
            self._take_exception()
            if self._asleep:
                if not self.exceptions.candidate():
                    woken_at = min(next_due, until)
                    self.slept += max(0, woken_at - self.now)
                    self.now = max(self.now, woken_at)
                    continue
                self._asleep = False
            self._execute(min(next_due, until))

    def _advance(self) -> int:
        """Tells units whose time has come; returns the next time."""
        while True:
            if not self._due:
                return _NEVER
            unit, at = min(self._due.items(), key=_time)
            if at > self.now:
                return at
            del self._due[unit]
            unit.advance()

    def _execute(self, until: int) -> None:
        budget = max(1, min(_MOST_INSTRUCTIONS, (until - self.now) * 3 // _CYCLES_OF_3))
        try:
            stop = self.cpu.run(budget)
            if stop is Stop.COUNT:
                self.now += budget * _CYCLES_OF_3 // 3
                return
            if stop is Stop.POLL:  # nothing changes before something happens
                self.now = max(self.now, until)
                return
            self.now += min(_EARLY_STOP, budget)
            self._follow(stop)
        except ProgramError as error:
            self.failed = f"the program failed at {self.cpu.pc:#x}: {error}"

    def _follow(self, stop: Stop) -> None:
        if stop is Stop.RETURN:
            self.exceptions.leave()
            self.cpu.leave()
            self._had_event = True
        elif stop is Stop.SVC:
            self._enter(exceptions.SVC)
        elif stop is Stop.SLEEP:
            self._asleep = True
        elif stop is Stop.EVENT_SLEEP:
            self._asleep, self._had_event = not self._had_event, False
        elif stop is Stop.FAULT:
            if exceptions.HARD_FAULT in self.exceptions.active:
                self.failed = f"a fault within the fault handler at {self.cpu.pc:#x}: {self.cpu.fault}"
            else:
                self.board.uart_sent(f"[hard fault at {self.cpu.pc:#x}: {self.cpu.fault}]\n".encode())
                self._enter(exceptions.HARD_FAULT)

    def _deliverable(self) -> int:
        """The exception that interrupts now; 0 is none."""
        number = self.exceptions.candidate()
        return number if number and not self.cpu.is_masked(self.exceptions.priority(number)) else 0

    def _take_exception(self) -> None:
        if number := self._deliverable():
            self._asleep = False
            self._enter(number)

    def _enter(self, number: int) -> None:
        active = self.exceptions.active[-1] if self.exceptions.active else 0
        self.cpu.enter(number, self.exceptions.vector_table, active)
        self.exceptions.enter(number)
        self._had_event = True

    def _reset(self) -> None:
        reason, self._reset_reason = self._reset_reason, 0
        if reason == DOG:
            self.watchdog.power_cycle()
        power = self.clock_power.registers
        power[RESETREAS] = power.get(RESETREAS, 0) | reason
        kept = self._due.get(self.watchdog)
        self._due.clear()
        self.wake_at(self.watchdog, kept)
        self.exceptions.reset()
        for unit in self._pages.values():
            unit.reset()
        self._others.clear()
        self.board.chip_reset(reason)

    def _program(self, address: int, data: bytes) -> bool:
        if not self.flash_controller.is_writing:
            return False
        self.memory.program(address, data)
        return True

    def _access(self, page: int) -> None:
        """An access takes time; a program that does nothing else is not watched cycle by cycle."""
        if page != self._page:
            self._page, self._page_accesses = page, 0
        self._page_accesses += 1
        self.now += _BUS_CYCLES if self._page_accesses < _MANY else _POLL_CYCLES

    def _read(self, address: int, size: int) -> int:
        page = address & ~0xFFF
        self._access(page)
        unit = self._pages.get(page)
        if unit is not None:
            value = unit.read(address & 0xFFC) >> 8 * (address & 3) & (1 << 8 * size) - 1
        elif address >= 0xE000_0000:
            value = self.exceptions.read(address, size)
        else:
            value = self._others.get(address, 0)
        if address != self._polled or value != self._polled_value:
            self._polled, self._polled_value, self._polls = address, value, 0
        elif self._polls > _MANY:
            self._polls = 0
            self.cpu.stop_polling()
        else:
            self._polls += 1
        return value

    def _write(self, address: int, size: int, value: int) -> None:
        page = address & ~0xFFF
        self._access(page)
        self._polls = 0
        unit = self._pages.get(page)
        if unit is not None:
            unit.write(address & 0xFFC, value)
        elif address >= 0xE000_0000:
            self.exceptions.write(address, size, value)
        else:
            self._others[address] = value
        if self.exceptions.pending and self._deliverable():
            self.cpu.request_stop()
