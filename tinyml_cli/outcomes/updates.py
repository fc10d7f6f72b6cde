"""What commands about signed updates print."""

from __future__ import annotations

from pydantic import Field

from tinyml_cli.outcomes.base import Count, Outcome


class Key(Outcome):
    """A key that signs updates."""

    file: str
    public: str = Field(description="the half that firmware holds, hexadecimal")


class ModelUpdated(Outcome):
    """A model that was sent to a board as a signed update, or written to a file."""

    board: str | None = Field(default=None, description="none where the update went to a file")
    port: str | None = None
    model: str = Field(description="first 12 digits of the model's SHA-256")
    release: Count
    previous_release: Count | None = Field(default=None, description="that the board ran before")
    slot: str | None = Field(default=None, description="a or b")
    update_bytes: Count
    sent_bytes: Count | None = Field(
        default=None, description="of the tables, in the form in which they went"
    )
    form: str | None = Field(
        default=None, description="whole, packed, or changes (of what the board ran): the smallest"
    )
    resumed_bytes: Count = Field(default=0, description="that an interrupted update had left there")
    file: str | None = None
    seconds: float
