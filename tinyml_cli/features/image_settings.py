"""The camera's frames and the model's input, as kept in recipe and manifest."""

from __future__ import annotations

from typing import Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

FrameFormat = Literal["grey", "rgb565"]
Colour = Literal["grey", "rgb"]

# The OV7675's QCIF frames.
CAMERA_WIDTH, CAMERA_HEIGHT = 176, 144


class PixelTransform(NamedTuple):
    """q = clamp((pixel * multiplier + offset) >> shift, -128, 127)."""

    multiplier: int
    offset: int
    shift: int


class ImageInput(BaseModel):
    """A camera's frame and the square that the model sees of it.

    Attributes:
        size: pixels along each side of the model's input.
        colour: whether the model sees grey or colours.
        low, high: what black and white are to the float model.
        frame_width, frame_height: of the camera's frame, in pixels.
    """

    model_config = ConfigDict(extra="forbid")

    size: int = Field(default=96, ge=16, le=256)
    colour: Colour = "grey"
    low: float = Field(default=0.0, ge=-255, le=255)
    high: float = Field(default=1.0, ge=-255, le=255)
    frame_width: int = Field(default=CAMERA_WIDTH, ge=16, le=320)
    frame_height: int = Field(default=CAMERA_HEIGHT, ge=16, le=240)

    @model_validator(mode="after")
    def _range_is_not_empty(self) -> Self:
        if self.high <= self.low:
            raise ValueError(f"high ({self.high:g}) must be greater than low ({self.low:g})")
        return self

    @property
    def channels(self) -> int:
        """Of the model's input."""
        return 1 if self.colour == "grey" else 3

    @property
    def frame_format(self) -> FrameFormat:
        """What the camera is asked for: no more than the model sees."""
        return "grey" if self.colour == "grey" else "rgb565"

    @property
    def frame_bytes(self) -> int:
        """Of one frame."""
        return self.frame_width * self.frame_height * (1 if self.colour == "grey" else 2)


class Presence(BaseModel):
    """When the firmware believes that somebody is there; see firmware/lib/image/presence.h."""

    model_config = ConfigDict(extra="forbid")

    threshold_on: float = Field(default=0.6, gt=0, le=1)
    threshold_off: float = Field(default=0.4, ge=0, le=1)
    frames_on: int = Field(default=2, ge=1, le=255)
    frames_off: int = Field(default=3, ge=1, le=255)

    @model_validator(mode="after")
    def _off_lies_below_on(self) -> Self:
        if self.threshold_off > self.threshold_on:
            raise ValueError("threshold_off must not be greater than threshold_on")
        return self


class GateRule(BaseModel):
    """On a board with a model that listens: when this one may look."""

    model_config = ConfigDict(extra="forbid")

    when: str | None = Field(default=None, description="the word; the listening model's first by default")
    hold_ms: int = Field(
        default=3000, ge=100, le=600_000, description="for how long after it, or until somebody is seen"
    )

    @field_validator("when", mode="before")
    @classmethod
    def _is_a_word(cls, when: object) -> object:
        if isinstance(when, bool):
            raise ValueError('YAML reads yes, no, on and off as true and false: quote the word, "yes"')
        return when
