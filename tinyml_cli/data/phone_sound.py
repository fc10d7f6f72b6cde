"""The sound formats of phones, M4A, AAC, AMR and 3GP, by FFmpeg's decoders: the extra `phone`."""

from __future__ import annotations

import json
import sys
import threading
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.data.declared_size import id3_bytes
from tinyml_cli.data.phone import INSTALL_PHONE
from tinyml_cli.data.phone_worker import allowed_s
from tinyml_cli.installed import spec_of
from tinyml_cli.limits import decode_limit_bytes
from tinyml_cli.processes import DEVNULL, PIPE, Process

SUFFIXES = (".m4a", ".aac", ".amr", ".3gp", ".3gpp", ".3g2", ".mp4", ".m4b", ".mka", ".wma")

_ASF = bytes.fromhex("3026b2758e66cf11")
# The decoder limits its processor time itself where it can; on a busy computer that takes much longer.
_PATIENCE = 30


def kind_of(head: bytes) -> str | None:
    """FFmpeg's name of the container, by a file's first bytes; None for every other kind.

    The name is given to FFmpeg: left to guess, it would also open playlists, which name other files.
    """
    head = head[id3_bytes(head) :]
    if head[4:8] == b"ftyp":
        return "mov"
    if head.startswith(b"#!AMR"):
        return "amr"
    if head.startswith(_ASF):
        return "asf"
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return "matroska"
    # ADTS: twelve bits of synchronisation, layer 0 (ISO/IEC 13818-7); MP3 has another layer.
    is_adts = len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0
    return "aac" if is_adts else None


@cache
def is_installed() -> bool:
    """Whether the extra is there."""
    return spec_of("av") is not None


def read(path: Path, kind: str) -> tuple[NDArray[np.float32], int, str]:
    """Decodes the first sound of a file, in a child process.

    Args:
        path: the file.
        kind: as `kind_of` says.

    Returns:
        (float32 [samples, channels], its rate in Hz, what is damaged; empty where nothing is).

    Raises:
        ValueError: the extra is missing, no sound, damaged from the start, or over the limit of memory.
    """
    if not is_installed():
        raise ValueError(f"{path.suffix.lstrip('.').upper() or kind} needs an extra: {INSTALL_PHONE}")
    with _lock:
        return _decoder.ask(path, kind)


class _Decoder:
    """A running `phone_worker`, started on first use and again after a file has crashed it."""

    def __init__(self) -> None:
        self._child: Process | None = None
        self._limit_bytes = 0

    def ask(self, path: Path, kind: str) -> tuple[NDArray[np.float32], int, str]:
        """As `read`."""
        child = self._started()
        assert child.stdin and child.stdout
        timer = threading.Timer(_PATIENCE * allowed_s(path), child.kill)
        timer.start()
        try:
            child.stdin.write(json.dumps({"path": str(path.resolve()), "kind": kind}).encode() + b"\n")
            child.stdin.flush()
            answer = json.loads(child.stdout.readline())
            shape = (answer["samples"], answer["channels"])
            values = np.frombuffer(child.stdout.read(4 * shape[0] * shape[1]), "<f4").reshape(shape)
        except (OSError, ValueError) as error:
            self._child = None
            child.stop()
            raise ValueError("it is damaged: it crashed the decoder") from error
        finally:
            timer.cancel()
        if "error" in answer:
            raise ValueError(answer["error"])
        return values, answer["rate_hz"], answer["damage"]

    def _started(self) -> Process:
        limit_bytes = decode_limit_bytes()
        if self._child is not None and (self._child.poll() is not None or limit_bytes != self._limit_bytes):
            self._child.stop()
            self._child = None
        if self._child is None:
            # The worker's package is found however this process found it, installed or not.
            root = Path(__file__).resolve().parents[2]
            command = [sys.executable, "-m", "tinyml_cli.data.phone_worker", str(limit_bytes)]
            self._child = Process(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, cwd=root)
            self._limit_bytes = limit_bytes
        return self._child


_decoder = _Decoder()
_lock = threading.Lock()
