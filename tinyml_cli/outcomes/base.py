"""What the outcomes of several commands are made of."""

from __future__ import annotations

from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, PlainSerializer
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

P = TypeVar("P", bound=BaseModel)

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Interval = Annotated[tuple[float, float], Field(description="95 % interval, [low, high]")]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
LeftOut = Annotated[dict[str, Count], Field(description="reason -> files of the folder that were not used")]


class _EveryKey:
    """Says in the JSON Schema that no key is missing."""

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        found = handler(core_schema)
        section = handler.resolve_ref_schema(found)
        section["required"] = list(section["properties"])
        return found


Whole = Annotated[P, PlainSerializer(lambda part: part.model_dump()), _EveryKey()]
"""A section of the manifest, whose defaults are printed too."""


class Outcome(BaseModel):
    """An object, or a part of one, that a command prints with --json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def extending(cls, part: Outcome, **more: Any) -> Self:
        """What `part` holds, a model that this one extends, and what it lacks."""
        return cls(**{name: getattr(part, name) for name in part.model_fields_set}, **more)

    @classmethod
    def filled(cls, **fields: Any) -> Self:
        """With null for every field that is not given."""
        return cls(**dict.fromkeys(cls.model_fields) | fields)

    @classmethod
    def of_known(cls, **fields: Any) -> Self:
        """With the fields that are not None; the others are absent from the JSON."""
        return cls(**{name: value for name, value in fields.items() if value is not None})

    def as_dict(self) -> dict[str, Any]:
        """For JSON; a key that was not given is absent."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class Reason(Outcome):
    """An error as people read it, in three parts."""

    what: str = Field(description="what is wrong")
    where: str = Field(description="the file, option or place")
    next_step: str = Field(description="what to do")


class Failure(Outcome):
    """Instead of an outcome, of a command that ends with code 2, 70, 129, 130 or 143."""

    error: Reason


class File(Outcome):
    """A file of the run."""

    bytes: Count
    sha256: Sha256
