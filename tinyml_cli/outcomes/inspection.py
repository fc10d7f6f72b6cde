"""What `inspect` tells of a model."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tinyml_cli.manifest_sections import LayerError, Op
from tinyml_cli.outcomes.base import Count, Outcome, Sha256, Share

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
    version: int
    inputs: list[int]
    outputs: list[int]
    options: dict[str, Any] = Field(description="by name, as the schema of TensorFlow Lite has them")
    macs: int


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


class Anatomy(Outcome):
    """What a model file holds."""

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
    macs: int
    ops: list[Op]
    operators: list[OperatorEntry]
    tensors: list[TensorEntry]
    functions: list[Subgraph]


class Inspected(Anatomy):
    """What a model file holds, and what is known beside it."""

    model: str = Field(description="path")
    run: str | None = Field(description="null for a file without a run")
    engines: dict[str, Support] = Field(description="by name")
    layers: list[LayerError]
    weights: list[WeightError]
    pictures: list[str]
    notes: list[str]


class SeenLayer(Outcome):
    """What a layer of the float model makes of an item."""

    name: str
    op: str
    shape: list[Count]
    smallest: float
    largest: float
    mean: float
    zeros: Share = Field(description="values that are 0")


class SeenLayers(Outcome):
    """With --activations."""

    run: str
    item: str
    input_shape: list[Count]
    answer: dict[str, float] | None = Field(description="label -> output; null without labels")
    layers: list[SeenLayer]
    first_filters: list[Count] | None = Field(description="[filters, rows, columns, channels]; null without")
    grad_cam: str | None = Field(description="the layer whose maps it is made of; null where there is none")
    notes: list[str]
    picture: str


class ChangedCount(Outcome):
    """An operator kind whose number differs."""

    name: str
    version: int
    old: Count
    new: Count


class ChangedOperator(Outcome):
    """An operator of the same kind with other options, or another version."""

    index: Count
    name: str
    options: dict[str, tuple[Any, Any]]
    version: Pair | None = None


class ScaleShown(Outcome):
    """The first scale of so many."""

    scales: Count
    scale: float
    zero_point: int


class ChangedTensor(Outcome):
    """Two tensors that stand for each other; what is equal is missing."""

    index: Pair
    name: str
    shape: tuple[list[int], list[int]] | None = None
    dtype: tuple[str, str] | None = None
    quantization: tuple[ScaleShown | None, ScaleShown | None] | None = None
    constant: tuple[bool, bool] | None = None
    data: bool | None = Field(default=None, description="bytes without a numerical meaning differ")
    max_abs_difference: float | None = Field(default=None, description="in real units")
    changed_share: Share | None = Field(default=None, description="of the stored values")
    renamed: tuple[str, str] | None = None


class ChangedAbout(Outcome):
    """What differs of what the files say about themselves; what is equal is missing."""

    description: tuple[str, str] | None = None
    labels: tuple[list[str] | None, list[str] | None] | None = None
    metadata: tuple[list[str], list[str]] | None = Field(default=None, description="names of the buffers")
    signatures: tuple[list[str], list[str]] | None = Field(default=None, description="their keys")


class FileDifference(Outcome):
    """Of two model files; pairs are [old, new]."""

    bytes: Pair
    gzip_bytes: Pair
    same_bytes: bool
    same_computation: bool = Field(
        description="nothing but names, description, signatures and metadata differ"
    )
    operators: list[ChangedCount]
    operators_changed: list[ChangedOperator]
    tensors: list[ChangedTensor]
    only_old: list[str] = Field(description="names of tensors")
    only_new: list[str]
    about: ChangedAbout


class Difference(FileDifference):
    """With --diff; pairs are [old, new]."""

    old: str = Field(description="path")
    new: str = Field(description="path")


class RoundedWeights(Outcome):
    """What --round-weights did; pairs are [before, after]."""

    tensors: Count
    values: Count = Field(description="in them")
    changed: Count = Field(description="values whose stored code changed")
    distinct: tuple[float, float] = Field(description="stored values per tensor, on average")
    zeros_share: tuple[float, float]
    max_abs_difference: float = Field(description="in real units")


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
    rounding: RoundedWeights | None
