"""The verbs that a run goes through, from its training to a board."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tinyml_cli.manifest_sections import LayerError, Op
from tinyml_cli.outcomes.base import (
    Count,
    File,
    LeftOut,
    Outcome,
    Sha256,
    Share,
)
from tinyml_cli.outcomes.streams import OperatingPoint


class Epoch(Outcome):
    """One epoch of a training."""

    loss: float
    accuracy: float | None = None
    validation_loss: float | None = None
    validation_accuracy: float | None = None


class Trained(Outcome):
    """A training that ran to its end."""

    run: str = Field(description="path")
    seconds: float
    n_train: Count = Field(description="examples of an epoch")
    n_validation: Count
    n_test: Count = Field(description="kept aside")
    metrics: dict[str, Any] = Field(
        description="`metrics.train` of the manifest: `validation_accuracy` (`validation_right` of "
        "`validation_n`, interval `validation_ci95`), `validation_balanced_accuracy` (mean of the labels' "
        "recalls), `chance`, `better_than_chance`, `epochs`; another task's own"
    )
    history: list[Epoch] = Field(description="by epoch; empty where the training has none")
    notes: list[str] | None = Field(default=None, description="how files were read; imbalance")
    left_out: LeftOut | None = None


class ChosenScheme(Outcome):
    """How int8 is chosen; see the options of `quantize`."""

    ranges: str | None = None
    per_channel: bool | None = None
    bias_correction: bool | None = None
    equalise: bool | None = None
    fixed: dict[str, tuple[float, float]] | None = Field(default=None, description="trained ranges by layer")


class Quantized(Outcome):
    """A calibration set and its trial, or a model for comparison."""

    run: str = Field(description="path")
    method: str
    split: str = Field(description="where the samples come from")
    calibration_samples: Count
    seed: Count
    scheme: ChosenScheme = Field(description="how int8 is chosen; empty for the converter's own way")
    layers: list[LayerError]
    pictures: list[str] = Field(description="paths")
    path: str | None = Field(default=None, description="of a dynamic, float16 or int16x8 model")
    bytes: Count | None = Field(default=None, description="of that model")
    int8: File | None = Field(default=None, description="with --as")


class StreamingModel(Outcome):
    """The form of the model that a board runs frame by frame."""

    bytes: Count
    sha256: Sha256
    hop_frames: Count
    macs: Count = Field(description="per inference")
    compared: Count = Field(description="windows, all equal")


class CalibrationOrigin(Outcome):
    """What a model trained elsewhere was calibrated on."""

    origin: str
    samples: Count


class Threshold(Outcome):
    """The threshold of anomaly scores, set on normal data that training did not see."""

    score: Count
    level: Count = Field(description="mean score of that data")
    share_ppm: Count = Field(description="of normal windows above it")
    target: str = Field(description="what was asked for")
    windows: Count
    hours: float
    exceeded: Count = Field(description="windows (alarms, for a rate per hour) above it")
    rate: float = Field(description="share of windows, or alarms per hour")
    rate_upper: float = Field(description="its upper limit at the confidence")
    confidence: Share
    float_score: float = Field(description="the same of the float model")


class AfterConversion(Outcome):
    """What a task makes of a new int8 model."""

    stream: StreamingModel | None = Field(default=None, description="of a streaming model")
    operating_point: OperatingPoint | None = Field(
        default=None, description="of keyword spotting, where the recipe gives hours to choose it on"
    )
    threshold: Threshold | None = Field(default=None, description="of anomaly detection")


class Converted(AfterConversion):
    """The float32 and int8 models, and whether the runtimes agree on them."""

    run: str = Field(description="path")
    float32: File
    int8: File
    ops: list[Op]
    compared: Count = Field(description="inputs")
    max_abs_error_float: float = Field(description="any output value, Keras against LiteRT")
    agreement_int8_float: Share | None = Field(
        description="inputs that both put into the same class; null for outputs of one value"
    )
    sqnr_db: list[float] = Field(description="per output")
    oracle: Literal["tflm", "litert"] = Field("tflm", description="whose bytes firmware is held to")
    mismatches: Count | None = Field(
        description="output bytes of LiteRT and TensorFlow Lite Micro that differ; null without its wheel"
    )
    max_difference: Count | None = Field(description="of such bytes, in int8 steps")
    layers: list[LayerError] | None = Field(default=None, description="of a model trained elsewhere")
    calibration: CalibrationOrigin | None = Field(default=None, description="of a model trained elsewhere")


class PlannedOperator(Outcome):
    """One operator of the plan, in order."""

    index: Count
    name: str


BufferRole = Literal["input", "output", "tensor", "state", "scratch"]


class PlannedBuffer(Outcome):
    """A buffer in the arena."""

    name: str
    role: BufferRole
    tensor: str = Field(description="empty for scratch")
    shape: list[int] = Field(description="empty for scratch")
    bytes: Count
    offset: int
    first: int = Field(description="operator that writes it; -1: the caller")
    last: int = Field(description="operator that reads it last; one more than the last: it stays")
    life: str
    in_place_of: list[str] = Field(description="buffers whose bytes it takes over")


class PlannedStripes(Outcome):
    """Operators that run in stripes of rows, one after another."""

    first: Count = Field(description="operator")
    last: Count = Field(description="operator")
    stripes: Count
    rows: Count = Field(description="of the last operator's output, in a stripe; the last may have fewer")
    extra_macs: Count = Field(description="multiply-accumulates that are made twice")
    extra_share: float = Field(description="of the model's multiply-accumulates")


class MemoryPlan(Outcome):
    """Where the engine aot lays its buffers."""

    arena_bytes: Count
    lower_bound_bytes: Count
    sum_of_buffers_bytes: Count
    io: str = Field(description="where inputs and outputs lie: arena or caller")
    operators: list[PlannedOperator]
    buffers: list[PlannedBuffer]
    stripes: PlannedStripes | None = Field(default=None, description="with --ram-limit, where it needs them")


class Exported(Outcome):
    """C sources of the model."""

    engine: str
    files: list[str] = Field(description="in the run")
    arena_bytes: dict[str, Count] = Field(description="by engine")
    ops: list[Op]
    model_bytes: Count
    plan: MemoryPlan | None = Field(default=None, description="with the engine aot")


class ProgramSymbol(Outcome):
    """One of the largest of a program."""

    name: str
    bytes: Count
    memory: Literal["flash", "ram"]


class ProgramPart(Outcome):
    """What one origin of code and data takes; what the linker fills in and reserves is nobody's."""

    part: str = Field(
        description="model, kernels (of aot), firmware, libraries or core (Arduino, C library, start-up)"
    )
    flash_bytes: Count
    ram_bytes: Count


class LinkedProgram(Outcome):
    """A program for a board, and its sizes."""

    board: str
    engine: str
    app: str
    flash_bytes: Count | None
    ram_bytes: Count | None
    arena_bytes: Count
    largest_symbols: list[ProgramSymbol]
    parts: list[ProgramPart] = Field(default=[], description="by origin; none where the linker wrote no map")


class Built(LinkedProgram):
    """Firmware."""

    elf: str = Field(description="path of the program")
    page: str | None = Field(default=None, description="the file to open in a browser, for the board browser")
    compiler: Literal["gcc", "clang", "zig"] = Field(
        default="gcc", description="zig: the one that pip installs"
    )
    seconds: float
    fresh: bool = Field(description="nothing had changed")


class ExportedLibrary(Outcome):
    """A model as a library for programs of others."""

    path: str = Field(description="folder or ZIP archive")
    kind: Literal["arduino", "platformio", "cmake"]
    name: str
    app: str = Field(description="application whose sensor and recognizer it holds")
    header: str = Field(description="what programs include")
    sketch: str = Field(description="example for a board")
    files: Count
    bytes: Count = Field(description="of all files, unpacked")


class Flashed(Outcome):
    """Firmware that answers on a board."""

    board: str
    engine: str
    model: str = Field(description="first 12 digits of the model's SHA-256")
    elf: str
    modelled: bool = Field(default=False, description="on a model of the board: `--emulated`")
    port: str | None = Field(default=None, description="of a real board, like the next three")
    serial_number: str | None = None
    bootloader_seconds: float | None = None
    upload_seconds: float | None = None
    banner: dict[str, Any] = Field(description="the board's event `ready`")


class Replayed(Outcome):
    """What a board made of held-out items: the event `summary` of `monitor`."""

    event: Literal["summary"]
    n: Count = Field(description="hits + misses + false_accepts + rejections")
    hits: Count
    misses: Count
    false_accepts: Count
    rejections: Count
    detections: Count
    seconds: float
    windows: Count | None = Field(default=None, description="of anomaly detection, like the next three")
    above: Count | None = None
    alarms: Count | None = None
    drifting: bool | None = None
