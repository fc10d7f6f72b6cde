"""A phone as the recorder: a certificate made on the spot, and a link that is good once, as a QR code."""

from __future__ import annotations

import datetime
import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

from pydantic import Field

from tinyml_cli.errors import TinymlError
from tinyml_cli.http_api.endpoints import Asked, Endpoint, Told
from tinyml_cli.studio.access import TICKET_S
from tinyml_cli.studio.catalog import DataKindName
from tinyml_cli.studio.studio import Studio

_DAYS = 30
_MOST_LABELS = 100


class PhoneAsked(Asked):
    """What the phone is to record."""

    kind: DataKindName
    folder: str = Field(min_length=1, max_length=120)
    labels: Annotated[list[str], Field(min_length=1, max_length=_MOST_LABELS)]
    person: str = Field(default="", max_length=120)


class PhoneTold(Told):
    """How a phone gets to the recorder."""

    url: str = Field(description="good once, with its ticket behind #")
    qr: str = Field(description="the same as a picture, a data address of SVG")
    fingerprint: str = Field(description="SHA-256 of the certificate that the phone is shown")
    seconds: float = Field(description="for which the link is good")


@dataclass(frozen=True)
class PhoneAddress:
    """Where phones find the studio.

    Attributes:
        host: address in the local network.
        certificate, key: files in PEM.
        fingerprint: SHA-256 of the certificate, as browsers show it.
    """

    host: str
    certificate: Path
    key: Path
    fingerprint: str


def local_address() -> str:
    """This computer's address in its network; nothing is sent.

    Raises:
        TinymlError: it is in none.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1 of RFC 5737: only the route is looked up
            found: str = probe.getsockname()[0]
        except OSError as error:
            raise TinymlError(
                "This computer is in no network that a phone could reach",
                "--share",
                "Connect it to the phone's Wi-Fi, or omit --share.",
            ) from error
    return found


def make_certificate(host: str, folder: Path) -> PhoneAddress:
    """Makes a key and a certificate for an address, signed by itself (ECDSA on P-256, 30 days).

    Raises:
        TinymlError: the package `cryptography` is missing.
    """
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
    except ImportError as error:
        raise needs_extra(error) from error
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tinyml studio")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))  # a phone's clock may be behind
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    made = PhoneAddress(
        host,
        folder / "certificate.pem",
        folder / "key.pem",
        ":".join(f"{byte:02X}" for byte in certificate.fingerprint(hashes.SHA256())),
    )
    made.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    made.key.touch(mode=0o600)
    made.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return made


def needs_extra(error: ImportError) -> TinymlError:
    """What to do where a package of the extra is missing."""
    return TinymlError(
        f"Phones need the extra `studio` ({error})", "--share", "Run: pip install 'tinyml-cli[studio]'"
    )


def _phone(studio: Studio, asked: PhoneAsked) -> PhoneTold:
    if not studio.phone_origin:
        raise TinymlError(
            "This studio serves this computer alone", "--share", "Start it with: tinyml studio --share"
        )
    try:
        import segno
    except ImportError as error:
        raise needs_extra(error) from error
    query = {
        "kind": asked.kind,
        "folder": asked.folder,
        "labels": ",".join(asked.labels),
        "person": asked.person,
    }
    address = f"{studio.phone_origin}/record?{urlencode(query)}#{studio.access.ticket()}"
    try:
        code = segno.make_qr(address, error="l")
    except segno.DataOverflowError as error:
        raise TinymlError(
            "The link is too long for a QR code", "labels", "Choose fewer labels for this phone."
        ) from error
    return PhoneTold(
        url=address,
        qr=code.svg_data_uri(scale=4, border=4, dark="#000", light="#fff"),
        fingerprint=studio.fingerprint,
        seconds=TICKET_S,
    )


ENDPOINTS = (Endpoint("POST", "/api/phone", _phone, "A link for a phone", takes=PhoneAsked, gives=PhoneTold),)
