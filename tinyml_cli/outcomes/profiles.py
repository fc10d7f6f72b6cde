"""What `profile` tells of an inference."""

from __future__ import annotations

from pydantic import Field

from tinyml_cli.outcomes.base import Count, Outcome, Sha256, Share
from tinyml_cli.outcomes.stages import ProgramSymbol


class OperatorCost(Outcome):
    """One operator, in order; null where nothing was counted."""

    index: Count
    name: str
    shape: list[int] = Field(description="of its first output")
    macs: Count
    weight_bytes: Count
    activation_bytes: Count = Field(description="of the tensors that it reads and writes")
    instructions: Count | None
    cycles: Count | None
    cycles_with_flash: Count | None = Field(description="with wait states of the nRF52840's flash")
    time_ms: float | None
    share: Share | None = Field(description="of the inference's cycles")
    instructions_per_mac: float | None
    flash_reads: Count | None
    cache_misses: Count | None = Field(description="lines of code that the nRF52840's cache lacks")
    components: dict[str, Count] = Field(
        description="cycles by multiply, arithmetic, load, store, branch, other"
    )


class FunctionCost(Outcome):
    """What a function executed itself."""

    name: str
    instructions: Count
    cycles: Count


class ProgramMemory(Outcome):
    """What the linked program takes."""

    flash_bytes: Count | None = Field(description="code_bytes + model_bytes")
    code_bytes: Count | None
    model_bytes: Count | None
    ram_bytes: Count | None
    arena_bytes: Count | None
    stack_bytes: Count | None = Field(description="the deepest since reset")
    stack_inference_bytes: Count | None = Field(description="the deepest during the inference")
    stack_reserved_bytes: Count | None
    board_flash_bytes: Count | None = Field(description="of the real board's firmware")
    board_ram_bytes: Count | None
    board_evidence: str | None = Field(description="built or estimated")


class TimedOnBoard(Outcome):
    """Inferences of a real board, by its own clock."""

    time_ms: float = Field(description="median")
    engine: str
    estimate_error: float | None = Field(description="how much longer the estimate is, as a share")


class BudgetLine(Outcome):
    """A limit of --budget."""

    name: str
    unit: str
    most: float
    value: float
    over: float = Field(description="by how much; 0 where it is kept")


class HourOfUse(Outcome):
    """Energy of an hour."""

    mj_per_hour: float
    parts: dict[str, float] = Field(description="listening, looking, asleep, camera -> mJ")
    busy_share: Share = Field(description="of the processor's time")


class CascadeScene(Outcome):
    """What the estimate supposes."""

    frames_per_s: float
    words_per_hour: float
    camera_ma: float | None = Field(description="null: not counted")
    gate: dict[str, str | int | None] = Field(description="section `gate` of the manifest")
    supply_v: float
    active_ma: float
    sleep_ma: float
    currents_source: str
    front_end_instructions: Count = Field(description="of a hop")
    listening_ms: float
    listening_stride_ms: float
    looking_ms: float


class CascadeSaving(Outcome):
    """What listening first saves."""

    evidence: str
    assumptions: CascadeScene
    with_first_stage: HourOfUse
    without_first_stage: HourOfUse
    ratio: float
    break_even_frames_per_s: float | None


class ProfileFigures(Outcome):
    """Where an inference's time goes; null where something is not known."""

    run: str = Field(description="name")
    model_sha256: Sha256
    board: str
    engine: str
    app: str
    chip: str | None = Field(description="whose clock and currents the estimates use")
    clock_hz: Count | None
    macs: Count
    time_ms: float
    operators: list[OperatorCost]
    memory: ProgramMemory
    evidence: dict[str, str] = Field(
        description="figure -> emulated, estimated, linked, host or on the board"
    )
    instructions: Count | None
    instructions_by_firmware: Count | None
    cycles: Count | None
    cycles_range: tuple[int, int] | None = Field(description="[lowest, highest]")
    time_ms_range: tuple[float, float] | None = Field(description="[lowest, highest]")
    cycles_with_flash: Count | None = Field(description="with wait states of the nRF52840's flash")
    time_ms_with_flash: float | None
    flash_reads: Count | None
    cache_misses: Count | None = Field(description="lines of code that the nRF52840's cache lacks")
    energy_uj: float | None
    energy_source: str | None
    on_board: TimedOnBoard | None = Field(description="with --port")
    outside: dict[str, Count] | None = Field(description="between the operators")
    functions: list[FunctionCost] = Field(description="the largest")
    symbols: list[ProgramSymbol] = Field(description="the largest")


class ComparedOperator(Outcome):
    """One operator by two engines."""

    index: Count
    name: str
    shape: list[int] = Field(description="of its first output")
    macs: Count
    instructions: tuple[int, int]
    cycles: tuple[int, int]
    ratio: float | None = Field(description="the second's instructions over the first's")


class EngineComparison(Outcome):
    """Two engines side by side: every pair is [first, second] of `engines`."""

    engines: tuple[str, str]
    instructions: tuple[int, int]
    cycles: tuple[int, int]
    cycles_with_flash: tuple[int, int]
    flash_bytes: tuple[int, int]
    arena_bytes: tuple[int, int] = Field(description="reserved")
    ratio: float | None = Field(description="the second's instructions over the first's")
    operators: list[ComparedOperator]


class Profiled(ProfileFigures):
    """Where an inference's time goes; null where something is not known. Exit code 1: over budget."""

    budget: list[BudgetLine]
    picture: str | None
    cascade: CascadeSaving | None = Field(default=None, description="with --with")
    comparison: EngineComparison | None = Field(default=None, description="with --compare")
