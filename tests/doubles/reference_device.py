"""A protocol test double: speaks version 1 over TCP, written apart from the firmware and the host.

It hears nothing by a model: it reports `yes` when the mean absolute amplitude of the last 20 ms passes
4,000, and its inference answers the sum of the input bytes. Faults can be scripted by `--fault`:
  crc:N      the first N bulk lines are taken as damaged
  mute:N     the first N commands get no answer (they are carried out)
  reboot:N   the device starts again instead of answering command N
  hangup:N   the device closes the connection at command N
  noise      random bytes before every line
  tilted     the accelerometer shows half a g
  deaf       the microphone gives nothing but zeros
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import random
import socket
import struct
import sys
import zlib
from typing import BinaryIO

LABELS = ["silence", "unknown", "yes", "no"]
INPUT_BYTES = 3000
OUTPUT_BYTES = 4


class HangupError(Exception):
    """The scripted end of the connection."""


class ReferenceDevice:
    def __init__(self, stream: BinaryIO | io.BufferedRWPair, faults: dict[str, int], model: str) -> None:
        self.stream = stream
        self.faults = faults
        self.model = model
        self.noise = random.Random(1)
        self.commands = 0
        self.executed: dict[str, int] = {}
        self.boot()

    def boot(self) -> None:
        self.samples = 0
        self.last_pcm_seq = 0
        self.quiet_until = 0
        self.traced: set[str] = set()
        self.input = bytearray(INPUT_BYTES)
        self.banner()

    def banner(self) -> None:
        self.emit(
            event="ready",
            protocol=1,
            tinyml="0.1.0",
            app="kws",
            board="reference",
            engine="none",
            model=self.model,
            arena_used=0,
            arena_bytes=0,
            input_bytes=INPUT_BYTES,
            output_bytes=OUTPUT_BYTES,
            sample_rate_hz=16000,
            labels=LABELS,
            sensors=["microphone", "lsm9ds1"],
        )

    def emit(self, **event: object) -> None:
        self.send(json.dumps(event, separators=(",", ":")).encode() + b"\n")

    def send(self, line: bytes) -> None:
        if "noise" in self.faults:
            line = self.noise.randbytes(self.noise.randrange(20)).replace(b"{", b"") + line
        self.stream.write(line)
        self.stream.flush()

    def serve(self) -> None:
        while line := self.stream.readline():
            if line.strip():
                self.handle(line.rstrip(b"\r\n"))

    def handle(self, line: bytes) -> None:
        self.commands += 1
        if self.faults.get("hangup") == self.commands:
            raise HangupError
        if self.faults.get("reboot") == self.commands:
            self.stream.write(b'{"event":"ac')
            self.boot()
            return
        seq, answer = self.execute(line)
        if self.commands > self.faults.get("mute", 0):
            self.emit(**answer, seq=seq)

    def execute(self, line: bytes) -> tuple[int, dict[str, object]]:
        try:
            verb, number, *arguments = line.decode("ascii").split(" ")
            seq = int(number)
        except ValueError:
            return 0, {"event": "nak", "reason": "format"}
        if verb in ("pcm", "in"):
            body, _, crc = line.rpartition(b" ")
            if self.faults.get("crc", 0) > 0 or crc != b"%08x" % zlib.crc32(body):
                self.faults["crc"] = self.faults.get("crc", 0) - 1
                return seq, {"event": "nak", "reason": "crc"}
        self.executed[verb] = self.executed.get(verb, 0) + 1
        if verb == "info":
            self.banner()
        elif verb == "reset":
            self.samples = self.quiet_until = 0
        elif verb == "pcm":
            self.take_pcm(seq, base64.b64decode(arguments[0]))
        elif verb == "in":
            offset, data = int(arguments[0]), base64.b64decode(arguments[1])
            if offset + len(data) > INPUT_BYTES:
                return seq, {"event": "nak", "reason": "range"}
            self.input[offset : offset + len(data)] = data
        elif verb == "run":
            total = struct.pack("<i", sum(struct.unpack(f"{INPUT_BYTES}b", self.input)))
            return seq, {"event": "output", "data": total.hex(), "instructions": 1234}
        elif verb == "sensors":
            rms = 0 if "deaf" in self.faults else 60
            az_mg = 500 if "tilted" in self.faults else 1010
            axes = {"ax_mg": 20, "ay_mg": -30, "az_mg": az_mg}
            return seq, {"event": "sensors", "microphone_rms": rms, "imu": "lsm9ds1", **axes}
        elif verb == "trace":
            self.traced = set(arguments[0].split(","))
            if "audio" in self.traced:
                self.hear()
        elif verb != "led":
            return seq, {"event": "nak", "reason": "command"}
        return seq, {"event": "ack"}

    def hear(self) -> None:
        """Its microphone hears a loud 1.2 s, rising by one from sample to sample."""
        for start in range(0, 19_200, 640):
            samples = [start + offset for offset in range(640)]
            data = struct.pack("<640h", *samples)
            self.emit(event="audio", sample=start, data=base64.b64encode(data).decode())
        self.emit(event="detection", label="yes", score=0.94, t_ms=1200)

    def take_pcm(self, seq: int, data: bytes) -> None:
        if seq and seq == self.last_pcm_seq:
            return
        self.last_pcm_seq = seq
        samples = struct.unpack(f"<{len(data) // 2}h", data)
        self.samples += len(samples)
        t_ms = self.samples * 1000 // 16000
        if sum(map(abs, samples)) / len(samples) > 4000 and t_ms >= self.quiet_until:
            self.quiet_until = t_ms + 1000
            self.send(b"Heard yes (94%%) @%dms\n" % t_ms)
            self.emit(event="detection", label="yes", score=0.94, t_ms=t_ms)
            self.emit(event="led", r=0, g=255, b=0, t_ms=t_ms)
        if "scores" in self.traced:
            self.emit(event="scores", t_ms=t_ms, q=[-128, -128, 127, -128])
        if "status" in self.traced:
            self.emit(event="status", uptime_ms=t_ms, inference_us=62_500, audio_rms=327, overruns=1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fault", action="append", default=[])
    parser.add_argument("--model", default="0123456789ab")
    parser.add_argument("--stdio", action="store_true", help="speak on standard input and output, not TCP")
    options = parser.parse_args()
    faults = {name: int(count or 1) for name, _, count in (fault.partition(":") for fault in options.fault)}
    if options.stdio:
        stream = io.BufferedRWPair(io.FileIO(0), io.FileIO(1, "w"))
        ReferenceDevice(stream, faults, options.model).serve()
        return
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        connection, _ = server.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, connection.makefile("rwb") as stream:
        try:
            ReferenceDevice(stream, faults, options.model).serve()
        except (HangupError, BrokenPipeError, ConnectionResetError):
            sys.exit(3)


if __name__ == "__main__":
    main()
