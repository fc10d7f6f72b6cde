"""Writes a program through a board's bootloader in the way of Arduino's bossac: its options, its commands.

Standard library only. It talks to any bootloader that speaks SAM-BA with Arduino's extensions.
"""

from __future__ import annotations

import argparse
import os
import select
import sys
import termios
import time
import tty
from pathlib import Path

_PAGE_BYTES = 4096
_BUFFER = 0x34  # where bossac puts what it copies to flash


class _Bootloader:
    def __init__(self, port: int) -> None:
        self._port = port

    def ask(self, command: bytes, end: bytes = b"\n\r", timeout_s: float = 5.0) -> bytes:
        self.send(command)
        received, deadline = b"", time.monotonic() + timeout_s
        while not received.endswith(end) and (left_s := deadline - time.monotonic()) > 0:
            if select.select([self._port], [], [], left_s)[0]:
                received += os.read(self._port, 4096)
        return received

    def send(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._port, data) :]


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", required=True)
    for option in ("--write", "--erase", "-U", "--reset"):
        parser.add_argument(option, action="store_true", required=True)
    parser.add_argument("image", type=Path)
    options = parser.parse_args()
    data = options.image.read_bytes()
    try:
        port = os.open(f"/dev/{options.port}", os.O_RDWR | os.O_NOCTTY)
        tty.setraw(port)
    except (OSError, termios.error):
        port = -1
    board = _Bootloader(port)
    if port < 0 or not board.ask(b"N#") or b"[Arduino:IKXYZ]" not in board.ask(b"V#"):
        print(f"No device found on {options.port}", file=sys.stderr)
        return 1
    answers = [board.ask(b"I#").startswith(b"nRF52840"), board.ask(b"X00000000#") == b"X\n\r"]
    for start in range(0, len(data), _PAGE_BYTES):
        page = data[start : start + _PAGE_BYTES].ljust(_PAGE_BYTES, b"\xff")
        board.send(b"S%08X,%08X#" % (_BUFFER, len(page)))
        board.send(page)
        answers.append(board.ask(b"Y%08X,0#" % _BUFFER) == b"Y\n\r")
        answers.append(board.ask(b"Y%08X,%08X#" % (start, len(page))) == b"Y\n\r")
        print(f"\r[=] {(start + len(page)) * 100 // (len(data) + _PAGE_BYTES)}% (1/1 pages)", end="")
    if not all(answers):
        print("\nSAM-BA operation failed", file=sys.stderr)
        return 1
    board.send(b"K#")
    termios.tcdrain(port)
    os.close(port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
