"""Plays bossac against a simulated board: its options, its output, its failures. Standard library only."""

from __future__ import annotations

import argparse
import os
import select
import sys
import termios
import time
import tty
from pathlib import Path

_BAR = 30


def _answer(port: int, timeout_s: float) -> bytes:
    received = b""
    deadline = time.monotonic() + timeout_s
    while b"\n" not in received and (left_s := deadline - time.monotonic()) > 0:
        if select.select([port], [], [], left_s)[0]:
            received += os.read(port, 100)
    return received


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
    except OSError:
        port = -1
    if port >= 0:
        os.write(port, b"%d\n" % len(data))
    if port < 0 or _answer(port, 1.0) != b"go\n":
        print(f"No device found on {options.port}", file=sys.stderr)
        return 1
    print("Erase flash\n\nDone in 0.001 seconds")
    print(f"Write {len(data)} bytes to flash ({len(data) // 4096 + 1} pages)")
    pages = [data[start : start + 4096] for start in range(0, len(data), 4096)]
    try:
        for number, page in enumerate(pages, 1):
            while page:
                page = page[os.write(port, page) :]
            ticks = number * _BAR // len(pages)
            bar = "=" * ticks + " " * (_BAR - ticks)
            print(
                f"\r[{bar}] {number * 100 // len(pages)}% ({number}/{len(pages)} pages)", end="", flush=True
            )
            if select.select([port], [], [], 0)[0]:
                break
        if _answer(port, 5.0) != b"ok\n":
            raise OSError
    except (OSError, termios.error):
        print("\nSAM-BA operation failed", file=sys.stderr)
        return 1
    print("\nDone in 0.100 seconds")
    os.close(port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
