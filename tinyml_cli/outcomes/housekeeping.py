"""Runs, recipes, boards, completion, the doctor, and the schemas themselves."""

from __future__ import annotations

from pydantic import Field

from tinyml_cli.manifest_sections import Artifact, Data, Epochs, Model
from tinyml_cli.outcomes.base import Count, Outcome, Share, Whole


class RunEntry(Outcome):
    """One run."""

    name: str
    path: str
    latest: bool = Field(description="whether commands take it where none is named")
    task: str
    labels: list[str]
    state: str = Field(
        description="trained, quantized, converted, exported or built; stopped at epoch …, not trained, "
        "empty, damaged, not a run"
    )
    complete: bool = Field(description="whether its training ran to the end")
    problem: str = Field(description="why it cannot be used; empty where it can")
    accuracy: Share | None
    measure: str = Field(description="accuracy, AUC or validation accuracy; empty where it is not known")
    n: Count | None = Field(description="examples that it was measured on")
    model_bytes: Count | None = Field(description="of the int8 model")
    bytes: Count = Field(description="of the folder")
    age_s: float
    in_use_by: str | None = Field(description="the process that writes to it")


class RunList(Outcome):
    """The runs folder."""

    folder: str
    runs: list[RunEntry] = Field(description="the newest first")


class RunShown(RunEntry):
    """One run in full; the keys from `seed` on are those of a run with a manifest."""

    variants: list[str]
    seed: Count | None = None
    tinyml_version: str | None = None
    epochs: Whole[Epochs] | None = None
    model: Whole[Model] | None = None
    data: Whole[Data] | None = None
    quantization: str | None = Field(default=None, description="the method")
    firmware: list[str] | None = Field(default=None, description="boards")
    artifacts: dict[str, Whole[Artifact]] | None = None


class RunRenamed(Outcome):
    """A run under its new name."""

    renamed: str = Field(description="the old name")
    run: str = Field(description="the new name")
    latest: str | None = Field(description="null: none")


class RunsRemoved(Outcome):
    """What is gone."""

    removed: list[str] = Field(description="names")
    bytes: Count = Field(description="freed")
    latest: str | None = Field(description="null: none")


class Recipe(Outcome):
    """A packaged recipe, or the defaults of a task of another package."""

    name: str
    task: str
    summary: str
    path: str | None = Field(description="null for defaults, which lie in no file")


class RecipeList(Outcome):
    """Packaged recipes, and the defaults of other packages' tasks."""

    recipes: list[Recipe]


class RecipeShown(Outcome):
    """A recipe's text."""

    name: str
    path: str | None = Field(description="null for the defaults of a task of another package")
    text: str = Field(description="YAML")


class RecipeCopied(Outcome):
    """A copy to edit."""

    copy_: str = Field(alias="copy", description="path")
    task: str


class UsbIdentity(Outcome):
    """An identity of a board on USB."""

    id: str = Field(description="vendor:product, hexadecimal")
    role: str = Field(description="what answers under it: sketch or bootloader")


class PowerDraw(Outcome):
    """What the processor draws."""

    supply_v: float
    active_ma: float
    sleep_ma: float
    source: str


class BoardDescription(Outcome):
    """A board; null where something is unknown or unlimited."""

    name: str
    description: str
    kind: str = Field(description="virtual, process or usb")
    hal: str
    pio_platform: str
    pio_board: str
    default_engine: str
    engines: list[str]
    clock_hz: Count | None
    flash_bytes: Count | None = Field(description="what a program may use")
    ram_bytes: Count | None = Field(description="what a program may use")
    sensors: list[str]
    hosts: list[str] = Field(description="systems that can build for it; empty: all")
    usb_ids: list[UsbIdentity]
    power: PowerDraw | None


class BoardList(Outcome):
    """All known boards."""

    boards: list[BoardDescription]


class CompletionScript(Outcome):
    """Without --install."""

    shell: str
    script: str = Field(description="the script itself")


class CompletionInstalled(Outcome):
    """With --install."""

    shell: str
    script: str = Field(description="path")
    start_file: str | None = Field(description="the file that loads it; null: the shell finds it by itself")


class Finding(Outcome):
    """One thing that was looked for."""

    name: str
    purpose: str = Field(description="what needs it")
    found: str = Field(description="its version or state; empty when it is missing or wrong")
    remedy: str
    required: bool = Field(description="whether nothing useful works without it")


class Diagnosis(Outcome):
    """Exit code 1: something required is missing."""

    checks: list[Finding]


class SchemaList(Outcome):
    """Without an argument; with one, the JSON Schema itself is printed."""

    commands: list[str]


class StudioOpened(Outcome):
    """A studio that has begun; it serves until it is ended."""

    url: str = Field(description="its address, with the token behind #")
    folder: str
    port: Count
    phone_origin: str | None = Field(description="where phones reach it; null without --share")
    fingerprint: str | None = Field(description="SHA-256 of the certificate that phones are shown")
