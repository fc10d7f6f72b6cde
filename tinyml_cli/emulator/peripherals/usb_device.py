"""USBD: the chip's full-speed USB device. 0x40027000.

Tasks   0x004 + 4n STARTEPIN[n], 0x028 + 4n STARTEPOUT[n]: move a packet between RAM and the endpoint's buffer
        0x04C EP0RCVOUT (ready for data of a control transfer), 0x050 EP0STATUS (its status stage), 0x054
            EP0STALL
Events  0x100 USBRESET, 0x104 STARTED, 0x108 + 4n ENDEPIN[n], 0x128 EP0DATADONE, 0x130 + 4n ENDEPOUT[n],
        0x154 SOF (every millisecond), 0x158 USBEVENT, 0x15C EP0SETUP, 0x160 EPDATA
SHORTS  bit 0 EP0DATADONE → STARTEPIN[0], 1 → STARTEPOUT[0], 2 → EP0STATUS, 3 ENDEPOUT[0] → EP0STATUS,
        4 ENDEPOUT[0] → EP0RCVOUT
0x400 EVENTCAUSE (bit 11 READY), 0x468 EPSTATUS, 0x46C EPDATASTATUS: cleared by writing 1; bit n EPIN, 16 +
n EPOUT 0x470 USBADDR, 0x480… the setup packet, a byte in each word, 0x4A0 + 4n SIZE.EPOUT[n] 0x500 ENABLE,
0x504 USBPULLUP, 0x510 EPINEN, 0x514 EPOUTEN, 0x518 EPSTALL, 0x520 FRAMECNTR 0x600 + 0x14n EPIN[n].PTR,
0x604 MAXCNT, 0x608 AMOUNT, 0x700 + 0x14n EPOUT[n] the same

SET_ADDRESS is answered by the chip, so the host here does not ask for it. Isochronous endpoints, suspend and
remote wake-up are not modelled.
"""

from __future__ import annotations

from typing import ClassVar

from tinyml_cli.emulator.peripherals.registers import Peripheral
from tinyml_cli.emulator.usb_host import SetupPacket, UsbHost

_STARTEPIN, _STARTEPOUT, _EP0RCVOUT, _EP0STATUS, _EP0STALL = 0x004, 0x028, 0x04C, 0x050, 0x054
_USBRESET, _STARTED, _ENDEPIN, _EP0DATADONE, _ENDEPOUT = 0x100, 0x104, 0x108, 0x128, 0x130
_SOF, _USBEVENT, _EP0SETUP, _EPDATA = 0x154, 0x158, 0x15C, 0x160
_EVENTCAUSE, _EPSTATUS, _EPDATASTATUS, _USBADDR, _SETUP, _SIZE = 0x400, 0x468, 0x46C, 0x470, 0x480, 0x4A0
_ENABLE, _USBPULLUP, _EPOUTEN, _EPSTALL, _FRAMECNTR = 0x500, 0x504, 0x514, 0x518, 0x520
_EPIN_DMA, _EPOUT_DMA, _DMA_STRIDE = 0x600, 0x700, 0x14
_ENDPOINTS = 8
_READY = 1 << 11
_SOF_BIT = 1 << (_SOF - 0x100 >> 2)
_ADDRESS = 5
_FRAME_US = 1000


class UsbDevice(Peripheral):
    """Endpoint buffers, and the host at the other end of the cable.

    Attributes:
        host: the computer's side; it outlives resets.
    """

    SHORTS: ClassVar = {
        0: (10, _STARTEPIN),
        1: (10, _STARTEPOUT),
        2: (10, _EP0STATUS),
        3: (12, _EP0STATUS),
        4: (12, _EP0RCVOUT),
    }
    host: UsbHost

    def reset(self) -> None:
        super().reset()
        self._incoming: dict[int, bytes] = {}  # endpoint -> the packet in its buffer
        self._accepting: set[int] = set()  # OUT endpoints whose buffer is free
        if hasattr(self, "host"):
            self.host.detach()

    def read(self, offset: int) -> int:
        if offset < _USBADDR:  # most often by far
            return super().read(offset)
        if offset == _USBADDR:
            return _ADDRESS
        if offset == _FRAMECNTR:
            return self.chip.now // self.chip.cycles(_FRAME_US) & 0x7FF
        return self.registers.get(offset, 0)

    def write(self, offset: int, value: int) -> None:
        old = self.registers.get(offset, 0)
        if offset in (_EVENTCAUSE, _EPSTATUS, _EPDATASTATUS):
            self.registers[offset] = old & ~value
        elif _SIZE <= offset < _SIZE + 4 * _ENDPOINTS:
            self._accept((offset - _SIZE) >> 2)
        else:
            super().write(offset, value)
            if offset == _ENABLE and value & ~old & 1:
                self.registers[_EVENTCAUSE] = self.registers.get(_EVENTCAUSE, 0) | _READY
                self.event(_USBEVENT)
                self.chip.usb_enabled()
            elif offset == _USBPULLUP and (value ^ old) & 1:
                (self.host.attach if value & 1 else self.host.detach)()
            elif offset == _EPSTALL and value & 0x100:
                self.registers[offset] = 0
            elif 0x300 <= offset <= 0x304 and self.inten & _SOF_BIT:
                self.chip.wake_at(self, self.chip.now + self.chip.cycles(_FRAME_US))

    def advance(self) -> None:
        """A new frame, for programs that want to know."""
        self.event(_SOF)
        if self.inten & _SOF_BIT:
            self.chip.wake_at(self, self.chip.now + self.chip.cycles(_FRAME_US))

    def task(self, offset: int) -> None:
        if _STARTEPIN <= offset < _STARTEPIN + 4 * _ENDPOINTS:
            self._send((offset - _STARTEPIN) >> 2)
        elif _STARTEPOUT <= offset < _STARTEPOUT + 4 * _ENDPOINTS:
            self._fetch((offset - _STARTEPOUT) >> 2)
        elif offset == _EP0RCVOUT:
            self.host.control_ready()
        elif offset == _EP0STATUS:
            self.host.control_done()
        elif offset == _EP0STALL:
            self.host.control_stalled()

    # What the host does: see `usb_host.Device`.

    def bus_reset(self) -> None:
        self.event(_USBRESET)

    def setup(self, packet: SetupPacket) -> None:
        for place, byte in enumerate(packet.to_bytes()):
            self.registers[_SETUP + 4 * place] = byte
        self.event(_EP0SETUP)

    def control_data(self, data: bytes) -> None:
        self._put(0, data)
        self.event(_EP0DATADONE)

    def control_taken(self) -> None:
        self.event(_EP0DATADONE)

    def taken(self, endpoint: int) -> None:
        self._data_event(1 << endpoint)

    def takes(self, endpoint: int) -> bool:
        return endpoint in self._accepting and bool(self.registers.get(_EPOUTEN, 0) >> endpoint & 1)

    def give(self, endpoint: int, data: bytes) -> None:
        self._accepting.discard(endpoint)
        self._put(endpoint, data)
        self._data_event(1 << 16 + endpoint)

    # Between RAM and buffers.

    def _put(self, endpoint: int, data: bytes) -> None:
        self._incoming[endpoint] = data
        self.registers[_SIZE + 4 * endpoint] = len(data)

    def _data_event(self, bit: int) -> None:
        self.registers[_EPDATASTATUS] = self.registers.get(_EPDATASTATUS, 0) | bit
        self.event(_EPDATA)

    def _dma(self, base: int, endpoint: int) -> tuple[int, int]:
        at = base + _DMA_STRIDE * endpoint
        return self.registers.get(at, 0), self.registers.get(at + 4, 0) & 0x7F

    def _send(self, endpoint: int) -> None:
        pointer, count = self._dma(_EPIN_DMA, endpoint)
        data = self.chip.memory.read(pointer, count)
        self.registers[_EPIN_DMA + _DMA_STRIDE * endpoint + 8] = count
        self.registers[_EPSTATUS] = self.registers.get(_EPSTATUS, 0) | 1 << endpoint
        self.event(_STARTED)
        self.event(_ENDEPIN + 4 * endpoint)
        self.host.packet(endpoint, data)

    def _fetch(self, endpoint: int) -> None:
        pointer, count = self._dma(_EPOUT_DMA, endpoint)
        data = self._incoming.pop(endpoint, b"")[:count]
        self.chip.memory.write(pointer, data)
        self.registers[_EPOUT_DMA + _DMA_STRIDE * endpoint + 8] = len(data)
        self.registers[_EPSTATUS] = self.registers.get(_EPSTATUS, 0) | 1 << 16 + endpoint
        self.event(_STARTED)
        self.event(_ENDEPOUT + 4 * endpoint)
        if endpoint:
            self._accept(endpoint)

    def _accept(self, endpoint: int) -> None:
        self._accepting.add(endpoint)
        self.host.wake()
