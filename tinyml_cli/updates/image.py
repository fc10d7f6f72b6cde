"""The bytes of an update: a signed header, and the tables of a network; see firmware/lib/model_slots."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass

from tinyml_cli.engines.model_tables import Lifted
from tinyml_cli.errors import TinymlError
from tinyml_cli.updates.keys import SigningKey

MAGIC = b"TMS1"
HEADER_BYTES = 192
LARGEST_RELEASE = (1 << 32) - 1
_HEAD = struct.Struct("<4sII32s20x64s")


@dataclass(frozen=True)
class UpdateHeader:
    """What a header says, apart from its signature.

    Attributes:
        release: grows with each model.
        tables_bytes: that follow the header.
        architecture: of the firmware that the tables fit, 32 bytes.
        tables_hash: SHA-512.
    """

    release: int
    tables_bytes: int
    architecture: bytes
    tables_hash: bytes


def make(lifted: Lifted, release: int, key: SigningKey) -> bytes:
    """A signed update.

    Raises:
        TinymlError: a release number that no update can have.
    """
    if not 0 < release <= LARGEST_RELEASE:
        raise TinymlError(
            f"A release is a number from 1 to {LARGEST_RELEASE}, not {release}", "--release", "Give another."
        )
    digest = hashlib.sha512(lifted.tables).digest()
    head = _HEAD.pack(MAGIC, release, len(lifted.tables), lifted.architecture, digest)
    return head + key.sign(head) + lifted.tables


def read_header(update: bytes, where: str) -> UpdateHeader:
    """The header of an update, whose length and hash fit what follows; the signature is the board's to check.

    Raises:
        TinymlError: no update, or a damaged one.
    """
    if len(update) >= HEADER_BYTES and update.startswith(MAGIC):
        _, release, size, architecture, digest = _HEAD.unpack_from(update)
        tables = update[HEADER_BYTES:]
        if size == len(tables) and hashlib.sha512(tables).digest() == digest:
            return UpdateHeader(release, size, architecture, digest)
    raise TinymlError(
        "This is no update, or a damaged one",
        where,
        "Make it again: tinyml keys sign RUN --key KEY --out FILE",
    )
