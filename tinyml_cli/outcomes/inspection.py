"""What `inspect`, `explain`, `drift` and `card` tell of a model."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tinyml_cli.outcomes.base import Count, LayerDeviation, OperatorCount, Outcome, Sha256, Share

Pair = tuple[int, int]


class Scale(Outcome):
    """value = scale * (q - zero_point); one of each per channel, or one for all."""

    scales: list[float]
    zero_points: list[int]
    per_channel: bool
    axis: int | None


class Interface(Outcome):
    """An input or output."""

    index: Count = Field(description="of the tensor")
    name: str
    shape: list[int]
    dtype: str
    quantization: Scale | None


class Statistics(Outcome):
    """Of a constant, in real units."""

    min: float
    max: float
    mean: float
    std: float
    zeros_share: Share
    distinct: Count
    grid_share: Share | None = None
    not_finite: Count


class TensorEntry(Interface):
    """A tensor."""

    bytes: Count
    constant: bool
    statistics: Statistics | None


class OperatorEntry(Outcome):
    """An operator, in order."""

    index: Count
    name: str
    version: Count
    inputs: list[int]
    outputs: list[int]
    options: dict[str, Any]
    macs: Count


class Metadata(Outcome):
    """A metadata buffer."""

    name: str
    bytes: Count
    text: str | None


class Attached(Outcome):
    """A file in a zip appended to the flatbuffer."""

    name: str
    bytes: Count


class Subgraph(Outcome):
    """A further subgraph."""

    operators: Count
    tensors: Count


class Support(Outcome):
    """Whether an engine runs the model."""

    supported: bool
    arena_bytes: Count | None
    reason: str = Field(description="why not")


class WeightError(Outcome):
    """Weights before and after quantisation."""

    name: str
    tensor: Count
    sqnr_db: float


class Signature(Outcome):
    """A named way to call the model: arguments and results by tensor."""

    key: str
    inputs: dict[str, int]
    outputs: dict[str, int]


class Inspected(Outcome):
    """What a model file holds."""

    model: str = Field(description="path")
    run: str | None = Field(description="null for a file without a run")
    bytes: Count
    gzip_bytes: Count
    sha256: Sha256
    kind: str
    description: str
    subgraphs: Count
    inputs: list[Interface]
    outputs: list[Interface]
    signatures: list[Signature]
    metadata: list[Metadata]
    labels: list[str] | None
    attached: list[Attached]
    macs: Count
    ops: list[OperatorCount]
    operators: list[OperatorEntry]
    tensors: list[TensorEntry]
    functions: list[Subgraph]
    engines: dict[str, Support] = Field(description="by name")
    layers: list[LayerDeviation]
    weights: list[WeightError]
    pictures: list[str]
    notes: list[str]


class Difference(Outcome):
    """With --diff; pairs are [old, new]."""

    old: str
    new: str
    bytes: Pair
    gzip_bytes: Pair
    same_bytes: bool
    same_computation: bool
    operators: list[dict[str, Any]] = Field(description="kinds whose number differs")
    operators_changed: list[dict[str, Any]] = Field(description="pairs of what differs, by operator")
    tensors: list[dict[str, Any]] = Field(
        description="`index`, `name`, pairs of `shape`, `dtype`, `quantization`, `renamed`; "
        "`max_abs_difference`, `changed_share`"
    )
    only_old: list[Any]
    only_new: list[Any]
    about: dict[str, Any] = Field(description="pairs of description, metadata, signatures that differ")


class Size(Outcome):
    """Of a file."""

    bytes: Count
    gzip_bytes: Count


class Edited(Outcome):
    """With --edit; pairs are [before, after]."""

    model: str
    out: str
    bytes: Pair
    gzip_bytes: Pair
    rewritten: Size = Field(description="of the model written again without a change")
    rounding: dict[str, Any] | None = Field(
        description="`tensors`, `values`, `changed`, `distinct`, `zeros_share`, `max_abs_difference`"
    )


class Word(Outcome):
    """A detection."""

    label: str
    score: Share
    t_ms: int = Field(description="from the start of the recording")


class Inference(Outcome):
    """One inference."""

    t_ms: int
    scores: list[float]
    averages: list[float]
    reason: str


class ExplainedClip(Outcome):
    """Keyword spotting: why a recording was heard, or not."""

    clip: str
    run: str
    labels: list[str]
    threshold: Share
    heard: str | None = Field(description="null: nothing detected")
    why: str
    detections: list[Word]
    inferences: list[Inference]
    picture: str


class ExplainedInput(Outcome):
    """An input far from normal."""

    input: str
    share: Share = Field(description="of the squared error")


class ScoredWindow(Outcome):
    """One window."""

    t_ms: float
    score: Count


class ExplainedRecording(Outcome):
    """Anomaly detection: what is furthest from normal."""

    clip: str
    run: str
    threshold: Count
    score: Count = Field(description="the highest")
    t_ms: float = Field(description="end of its window")
    windows: Count
    above: Count
    why: str
    top: list[ExplainedInput] = Field(description="the ten furthest")
    by_row: dict[str, Share] = Field(description="channels or bands")
    by_column: dict[str, Share] = Field(description="bands or times")
    scores: list[ScoredWindow]
    picture: str


class Card(Outcome):
    """A model card."""

    markdown: str = Field(description="path")
    json_: str = Field(alias="json", description="path")
    open: list[str] = Field(description="unanswered questions")
    card: dict[str, Any] = Field(description="what the JSON file holds")
