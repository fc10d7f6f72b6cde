"""What boards and long recordings tell: `drift`, `bench`, `profile` and `evaluate-stream`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tinyml_cli.manifest_sections import RecognizerSettings
from tinyml_cli.outcomes.base import Count, Interval, Outcome, Sha256, Share, Whole
from tinyml_cli.outcomes.evaluations import Parity
from tinyml_cli.outcomes.stages import ProgramSymbol


class Shift(Outcome):
    """The shift of one quantity."""

    name: str
    n: Count = Field(description="values in the log")
    n_reference: Count
    psi: float = Field(
        description="population stability index over ten bins; by convention, 0.1 or more is watched, and "
        "0.25 or more is acted upon"
    )
    ks: Share = Field(description="largest difference of the cumulative distributions")
    drifted: bool = Field(description="one exceeds its limit, and what chance gives with so many values")
    watch: bool = Field(description="not drifted, but the PSI is high enough to watch")


class Drifted(Outcome):
    """A board's log against the reference. Exit code 1: drift."""

    run: str = Field(description="path")
    log: str = Field(description="path")
    reference: str = Field(description="its origin")
    drift: bool
    why: str
    psi: float = Field(description="mean")
    ks: float = Field(description="mean")
    columns: list[Shift] = Field(description="the largest shift first")
    missing: list[str] = Field(description="in the reference, not in the log")
    picture: str


class Top1(Outcome):
    """Right answers; for anomaly scores only `auc`."""

    top1: Share | None = None
    correct: Count | None = None
    ci95: Interval | None = None
    auc: Share | None = Field(
        description="of class 1 of two, of the anomaly score, or the mean over classes; null if one has no "
        "example"
    )


class TimeSpread(Outcome):
    """Of the runs."""

    median: float
    min: Count
    max: Count


class Performance(Outcome):
    """How long an inference takes."""

    inputs: Count
    runs: Count
    inference_us: TimeSpread = Field(description="by the device's clock")
    instructions: TimeSpread | None = Field(description="null if nothing counts them")


class Benchmarked(Outcome):
    """A benchmark on a board."""

    benchmark: str
    board: str
    engine: str
    model: str = Field(description="first 12 digits of the model's SHA-256")
    mode: Literal["accuracy", "performance"]
    level: str = Field(description="host, emulated or on the board")
    n: Count
    accuracy: Top1 | None = Field(default=None, description="in that mode")
    performance: Performance | None = Field(default=None, description="in that mode")


class Served(Outcome):
    """With --serve."""

    port: str
    usb: str
    benchmark: str


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
    time_ms: float | None
    share: Share | None = Field(description="of the inference's cycles")
    instructions_per_mac: float | None
    flash_reads: Count | None
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
    flash_reads: Count | None
    energy_uj: float | None
    energy_source: str | None
    on_board: TimedOnBoard | None = Field(description="with --port")
    outside: dict[str, Count] | None = Field(description="between the operators")
    functions: list[FunctionCost] = Field(description="the largest")
    symbols: list[ProgramSymbol] = Field(description="the largest")


class Profiled(ProfileFigures):
    """Where an inference's time goes; null where something is not known. Exit code 1: over budget."""

    budget: list[BudgetLine]
    picture: str | None
    cascade: CascadeSaving | None = Field(default=None, description="with --with")


class AcceptRate(Outcome):
    """Events where none should be."""

    n: Count
    per_hour: float
    ci95: tuple[float, float] = Field(description="of the rate, the exact Poisson interval")
    upper95: float = Field(description="of the rate, one-sided")


class Rejects(Outcome):
    """Words that were missed."""

    n: Count
    of: Count
    rate: Share | None
    ci95: Interval | None


class RejectsInBand(Rejects):
    """Words so far above the background."""

    from_: float | None = Field(alias="from", description="dB; null: no limit")
    to: float | None = Field(description="dB; null: no limit")


class Latency(Outcome):
    """From the end of a word to its report."""

    median: float
    p95: float


class StreamCounts(Outcome):
    """What a recogniser heard in hours of audio."""

    false_accepts: AcceptRate
    false_rejects: Rejects
    repeats: Count
    latency_ms: Latency | None


class RuleWindow(Outcome):
    """Twenty minutes."""

    stream: Count
    start_s: float
    targets: Count
    false_positives: Count
    misses: Count
    passed: bool | None = Field(description="null with too few words")


class StreamRule(Outcome):
    """MLPerf Tiny's rule for streaming wake words, on tinyml's own streams."""

    rule: str
    windows: list[RuleWindow]
    passed: Count
    of: Count


class Allowance(Outcome):
    """Whether the rate is at most what --max-fa-per-hour allows."""

    max_fa_per_hour: float
    met: bool = Field(description="as counted")
    shown: bool = Field(description="with 95 % confidence")
    upper95: float
    hours_needed: float = Field(description="without any false accept")
    hours_needed_as_is: float = Field(description="without a further one")


class TunedSettings(Outcome):
    """What was chosen of the recogniser."""

    threshold: Share
    average_window_ms: Count
    suppression_ms: Count
    minimum_count: Count


class StreamErrors(Outcome):
    """Errors on validation streams."""

    targets: Count
    misses: Count
    repeats: Count
    false_accepts: Count
    fa_per_hour: float


class StreamTuning(Outcome):
    """The choice of --max-fa-per-hour."""

    before: TunedSettings
    after: TunedSettings
    hours: float
    tried: Count
    validation_before: StreamErrors
    validation: StreamErrors
    allowance: Allowance


class DetPoint(Outcome):
    """Errors at one threshold."""

    threshold: Share
    false_accepts: Count
    fa_per_hour: float
    misses: Count
    frr: Share | None


class FalseAccept(Outcome):
    """One report where nobody said the word."""

    stream: str
    t_s: float
    label: str
    score: float


class StreamFigures(StreamCounts):
    """Over all streams, by word, by scene and by level above the background."""

    hours: float
    words: dict[str, StreamCounts] = Field(description="by word")
    scenes: dict[str, Rejects] = Field(description="by name")
    snr_db: list[RejectsInBand]


class EvaluatedStream(StreamFigures):
    """Hours of audio, heard as the firmware hears them."""

    run: str = Field(description="path")
    source: Literal["built", "recordings"]
    note: str
    streams: list[str] = Field(description="names")
    recognizer: Whole[RecognizerSettings]
    mlperf_rule: StreamRule
    allowance: Allowance | None
    tuning: StreamTuning | None
    tflm: Parity
    det: list[DetPoint]
    false_accept_list: list[FalseAccept]
    triggers: list[str] | None = Field(default=None, description="files, with --save-triggers")
