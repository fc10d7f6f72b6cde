"""The Ed25519 key that signs updates, and the half of it that firmware holds; PEM files, as OpenSSL's."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from tinyml_cli import checks
from tinyml_cli.build.target import SlotOptions
from tinyml_cli.errors import TinymlError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_LARGEST_FILE_BYTES = 4096
_NEW = "Make one: tinyml keys new FILE"


class SigningKey:
    """A key that signs.

    Args:
        private: both halves.
    """

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private

    @property
    def public(self) -> bytes:
        """The half that verifies, 32 bytes."""
        return self._private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The signature of RFC 8032, 64 bytes."""
        return self._private.sign(message)


def new(path: Path) -> SigningKey:
    """Makes a key and writes it to a file that only its owner can read.

    Raises:
        TinymlError: something lies there, it is inside a run or a registry, or it cannot be written.
    """
    _require_package()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    checks.new_file(path, "FILE")
    for folder in path.absolute().parents:
        if (folder / "manifest.json").exists():
            raise TinymlError(
                "A run is copied and published; a key does not belong in it",
                str(path),
                "Choose a place outside the run.",
            )
    private = Ed25519PrivateKey.generate()
    data = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
    except OSError as error:
        raise TinymlError(
            f"Cannot write the key: {error.strerror}", str(path), "Choose another place."
        ) from error
    return SigningKey(private)


def load(path: Path) -> SigningKey:
    """Reads a key.

    Raises:
        TinymlError: no such file, one that others can read, or no Ed25519 key.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    data = _read(path)
    if b"PRIVATE" not in data:
        raise TinymlError("This is no key that signs", str(path), _NEW)
    if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise TinymlError("Others can read the key", str(path), f"Run: chmod 600 {path}")
    try:
        private = load_pem_private_key(data, password=None)
    except (ValueError, TypeError) as error:
        raise TinymlError("This is no key that signs", str(path), _NEW) from error
    if not isinstance(private, Ed25519PrivateKey):
        raise TinymlError("This is no Ed25519 key", str(path), _NEW)
    return SigningKey(private)


def public_half(path: Path) -> bytes:
    """The 32 bytes that firmware verifies with, of a file that holds either half of a key.

    Raises:
        TinymlError: no such file, or no Ed25519 key.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    data = _read(path)
    if b"PRIVATE" in data:
        return load(path).public
    try:
        public = load_pem_public_key(data)
    except (ValueError, TypeError) as error:
        raise TinymlError("This is no key", str(path), _NEW) from error
    if not isinstance(public, Ed25519PublicKey):
        raise TinymlError("This is no Ed25519 key", str(path), _NEW)
    return public.public_bytes_raw()


def slot_options(path: Path | None, release: int | None) -> SlotOptions | None:
    """What the options --update-key and --release ask of firmware; None: it takes no updates.

    Raises:
        TinymlError: no key in the file, or a number without a key.
    """
    if path is None:
        if release is not None:
            raise TinymlError(
                "--release is about firmware that takes updates", "--release", "Add --update-key."
            )
        return None
    return SlotOptions(public_half(path), release)


def public_pem(public: bytes) -> bytes:
    """The 32 bytes of a public half as a file."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(public).public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _read(path: Path) -> bytes:
    _require_package()
    if not path.exists():
        raise TinymlError("There is no such key", str(path), _NEW)
    checks.input_file(path, str(path))
    with path.open("rb") as file:
        return file.read(_LARGEST_FILE_BYTES)


def _require_package() -> None:
    checks.package("cryptography", "Signed updates", "Run: pip install 'tinyml-cli[updates]'")
