"""What every event of a device is, and the kinds of values that events hold."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

MAX_SEQ = 65_535


def _unhex(value: object) -> object:
    return bytes.fromhex(value) if isinstance(value, str) else value


HexBytes = Annotated[
    bytes, BeforeValidator(_unhex), PlainSerializer(lambda data: data.hex(), return_type=str)
]


def _unbase64(value: object) -> object:
    return base64.b64decode(value, validate=True) if isinstance(value, str) else value


Base64Bytes = Annotated[
    bytes,
    BeforeValidator(_unbase64),
    PlainSerializer(lambda data: base64.b64encode(data).decode(), return_type=str),
]
Seq = Annotated[int, Field(ge=0, le=MAX_SEQ)]
Count = Annotated[int, Field(ge=0, lt=1 << 63)]
Byte = Annotated[int, Field(ge=0, le=255)]
Acceleration = Annotated[int, Field(ge=-(1 << 31), lt=1 << 31)]
Int8 = Annotated[int, Field(ge=-128, le=127)]


class Event(BaseModel):
    """One line of the device. Fields that this version does not know are kept."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True, allow_inf_nan=False)

    event: str

    def as_dict(self) -> dict[str, Any]:
        """The event as a JSON-ready object."""
        return self.model_dump(mode="json")
