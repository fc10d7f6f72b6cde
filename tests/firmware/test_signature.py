"""SHA-512 and Ed25519 signatures on the board: published vectors, hostile ones, and OpenSSL's answers."""

from __future__ import annotations

import hashlib
import random
import struct
from pathlib import Path

import pytest

from tests.firmware.native import compile_harness, run

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_NEUTRAL = bytes([1]) + bytes(31)

# RFC 8032 section 7.1, tests 1, 2, 3 and SHA(abc): key, message, signature.
_RFC8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        b"",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        b"\x72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        b"\xaf\x82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        hashlib.sha512(b"abc").digest(),
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
        "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
]


@pytest.fixture(scope="module")
def program() -> Path:
    return compile_harness("signature", "signature")


def _asked(program: Path, kind: str, cases: list[bytes]) -> list[str]:
    stream = b"".join(kind.encode() + struct.pack("<I", len(case)) + case for case in cases)
    return run(program, stdin=stream).decode().split()


def _verified(program: Path, cases: list[tuple[bytes, bytes, bytes]]) -> list[bool]:
    """Of (key, message, signature)."""
    answers = _asked(program, "v", [key + signature + message for key, message, signature in cases])
    return [answer == "1" for answer in answers]


def _number(value: int) -> bytes:
    return value.to_bytes(32, "little")


def _valid() -> tuple[bytes, bytes, bytes]:
    key, message, signature = _RFC8032[3]
    return bytes.fromhex(key), message, bytes.fromhex(signature)


def test_hashes_equal_hashlibs(program: Path) -> None:
    source = random.Random(0)
    cases = [source.randbytes(count) for count in (*range(260), 1000, 5000)]
    assert _asked(program, "h", cases) == [hashlib.sha512(case).hexdigest() for case in cases]


def test_rfc_8032(program: Path) -> None:
    cases = [(bytes.fromhex(key), message, bytes.fromhex(given)) for key, message, given in _RFC8032]
    assert all(_verified(program, cases))


@pytest.mark.slow  # test_numbers_at_the_edges_are_refused is quicker
def test_one_flipped_bit_is_refused(program: Path) -> None:
    key, message, signature = _valid()
    whole, cases = key + signature + message, []
    for bit in range(0, 8 * len(whole), 3):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        cases.append((bytes(changed[:32]), bytes(changed[96:]), bytes(changed[32:96])))
    assert not any(_verified(program, cases))


@pytest.mark.parametrize("multiple", [1, 2, 7, 14])
def test_a_second_form_of_s_is_refused(program: Path, multiple: int) -> None:
    key, message, signature = _valid()
    s = int.from_bytes(signature[32:], "little") + multiple * _ORDER
    assert _verified(program, [(key, message, signature[:32] + _number(s))]) == [False]


def test_numbers_at_the_edges_are_refused(program: Path) -> None:
    key, message, signature = _valid()
    edges = [0, 1, _ORDER - 1, _ORDER, _P - 1, _P, _P + 1, 2**255 - 1, 2**255, 2**256 - 1]
    cases = [(key, message, signature[:32] + _number(edge)) for edge in edges]
    cases += [(key, message, _number(edge) + signature[32:]) for edge in edges]
    cases += [(_number(edge), message, signature) for edge in edges]
    assert not any(_verified(program, cases))


def test_a_key_or_r_has_one_encoding(program: Path) -> None:
    # With the neutral element as key, every message has the signature R = neutral, S = 0.
    assert _verified(program, [(_NEUTRAL, b"any", _NEUTRAL + bytes(32))]) == [True]
    others = [_number(_P + 1), _number(1 | 1 << 255), _number(_P + 1 | 1 << 255)]
    cases = [(other, b"any", _NEUTRAL + bytes(32)) for other in others]
    cases += [(_NEUTRAL, b"any", other + bytes(32)) for other in others]
    assert not any(_verified(program, cases))


@pytest.mark.slow  # published vectors are quicker
def test_answers_equal_openssls(program: Path) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    source, cases = random.Random(1), []
    for count in range(60):
        private = Ed25519PrivateKey.from_private_bytes(source.randbytes(32))
        message = source.randbytes(count)
        signature = bytearray(private.sign(message))
        if count % 3 == 1:
            signature[source.randrange(64)] ^= 1 << source.randrange(8)
        cases.append((private.public_key().public_bytes_raw(), message, bytes(signature)))
    expected = []
    for key, message, signature_bytes in cases:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature_bytes, message)
            expected.append(True)
        except InvalidSignature:
            expected.append(False)
    assert _verified(program, cases) == expected
    assert 30 < sum(expected) < 60
