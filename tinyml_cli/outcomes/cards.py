"""What `card` writes and prints."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tinyml_cli.manifest_sections import Data, Model, RecognizerSettings
from tinyml_cli.outcomes.attacks import Attacked
from tinyml_cli.outcomes.base import Count, Interval, Outcome, Sha256, Share, Whole


class CardData(Data):
    """Section `data` of the manifest; `path` is the name of the folder alone."""

    licence_files: list[str] = Field(description="files of the folder that may state a licence")


class FirmwareSize(Outcome):
    """What a build for a board takes."""

    engine: str | None
    flash_bytes: Count | None
    ram_bytes: Count | None
    arena_bytes: Count | None


class CardSize(Outcome):
    """How large model and firmware are."""

    int8_bytes: Count
    arena_bytes: dict[str, Count] = Field(description="by engine")
    firmware: dict[str, FirmwareSize] = Field(description="by board")
    level: Literal["linked"]


class CardLatency(Outcome):
    """What `profile` measured of this very model."""

    board: str | None
    engine: str | None
    chip: str | None
    instructions: Count | None
    time_ms: float | None
    energy_uj: float | None
    evidence: dict[str, str] | None = Field(description="figure -> emulated, estimated, host or on the board")


class Carbon(Outcome):
    """Energy and emission of the training."""

    seconds: float
    watts: float = Field(description="mean of what the processor counted, or assumed")
    grams_per_kwh: float = Field(description="assumed")
    energy_kwh: float
    grams_co2e: float
    level: Literal["estimated", "measured"] = Field(description="of the energy")


class MembershipInference(Outcome):
    """How well the loss of the int8 model tells what it was trained on: 0.5 is a guess."""

    auc: float
    ci95: Interval
    advantage: Share = Field(description="largest gap between hits and false alarms of any threshold")
    measure: str
    mean_trained: float
    mean_held_out: float
    n_trained: Count
    n_held_out: Count
    level: Literal["host"]


class CardLeaves(Outcome):
    """What a device sends."""

    event: str
    when: str = Field(description="always, or the mode of `trace` that a host has to ask for")
    holds: str
    is_signal: bool = Field(description="whether it carries what the sensor measured")


class CardSecurity(Outcome):
    """What a model and its device reveal, and how it stands attacks."""

    membership: MembershipInference | None
    not_measured: str | None = Field(description="why there is no `membership`")
    leaves: list[CardLeaves]
    attack: Attacked | None = Field(description="what `attack` found on this very model")


class CardFacts(Outcome):
    """Every figure of a card; null where the run does not know it."""

    tinyml_card: int = Field(description="version of these keys")
    name: str
    tinyml_version: str
    task: str
    items: dict[str, str] = Field(description="the task's nouns for what it judges and where data come from")
    labels: list[str]
    seed: Count
    model: Whole[Model] | None
    data: Whole[CardData] | None
    features: dict[str, int | float] | None = Field(description="section `features` of the manifest")
    recognizer: Whole[RecognizerSettings]
    training: dict[str, Any] | None = Field(description="`metrics.train` of the manifest")
    quality: dict[str, Any] | None = Field(
        description="keys of what `evaluate` prints; null unless it judged these models"
    )
    security: CardSecurity
    size: CardSize
    latency: CardLatency | None
    carbon: Carbon | None
    hashes: dict[str, Sha256] = Field(description="by file")


class CardDocument(CardFacts):
    """What the JSON file holds."""

    questions: dict[str, str] = Field(description="by name")
    answers: dict[str, str | None] = Field(description="by name; null where nobody has answered")


class Card(Outcome):
    """A model card."""

    markdown: str = Field(description="path")
    json_: str = Field(alias="json", description="path")
    open: list[str] = Field(description="unanswered questions")
    card: CardDocument
