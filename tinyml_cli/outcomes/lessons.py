"""What the lessons of `tinyml learn` tell."""

from __future__ import annotations

from pydantic import Field

from tinyml_cli.outcomes.base import Count, Outcome, Share


class JudgedPoint(Outcome):
    """A point, and what the line makes of it."""

    x: float
    y: float
    prediction: float = Field(description="w x + b")
    error: float = Field(description="prediction - y")
    squared_error: float


class JudgedLine(Outcome):
    """The loss of a line."""

    w: float
    b: float
    points: list[JudgedPoint]
    loss: float = Field(description="mean of the squared errors")
    gradient_w: float = Field(description="slope of the loss along w")
    gradient_b: float
    best_w: float = Field(description="of the least squares")
    best_b: float
    best_loss: float
    picture: str


class DescentStep(Outcome):
    """A place on the way down."""

    step: Count
    w: float
    b: float
    loss: float


class Descended(Outcome):
    """Gradient descent on the loss of a line."""

    rate: float = Field(description="learning rate")
    largest_rate: float = Field(description="above it descent diverges, for these points")
    diverged: bool = Field(description="the rate is above that, and the best line is not reached")
    w: float = Field(description="the last")
    b: float
    loss: float
    best_w: float = Field(description="of the least squares")
    best_b: float
    best_loss: float
    steps: list[DescentStep] = Field(description="0 is the start")
    picture: str


class NeuronSnapshot(Outcome):
    """The network after an epoch."""

    epoch: Count
    loss: float
    prediction: float = Field(description="for x")


class Neurons(Outcome):
    """A neuron, or a few, that learned points."""

    hidden: Count = Field(description="neurons before the last one")
    parameters: Count
    rate: float = Field(description="learning rate")
    epochs: Count = Field(description="that went well")
    diverged: bool
    loss: float = Field(description="mean squared error")
    snapshots: list[NeuronSnapshot]
    weights: list[list[list[float]]] = Field(description="of each layer, [inputs, neurons]")
    biases: list[list[float]]
    x: float
    prediction: float = Field(description="for x")
    by_hand: list[str] = Field(description="how it comes about, a line for each neuron")
    picture: str


class LearnedEpoch(Outcome):
    """A network after an epoch."""

    epoch: Count
    train_loss: float = Field(description="mean cross-entropy")
    train_accuracy: Share
    test_loss: float
    test_accuracy: Share


class DigitLayer(Outcome):
    """A dense layer."""

    name: str
    formula: str = Field(description="inputs x neurons + biases")
    parameters: Count


class AnsweredDigit(Outcome):
    """A test digit."""

    item: Count = Field(description="its number among the test digits")
    label: Count
    answer: Count
    outputs: list[Share] = Field(description="softmax, for 0 to 9")


class LearnedDigits(Outcome):
    """A network that learned handwritten digits."""

    layers: list[DigitLayer]
    parameters: Count
    float32_bytes: Count
    int8_bytes: Count
    normalised: bool
    optimiser: str = Field(description="sgd or adam")
    rate: float = Field(description="learning rate")
    epochs: list[LearnedEpoch]
    stopped_early: bool
    diverged: bool
    test_accuracy: Share
    test_items: Count
    item: AnsweredDigit
    picture: str


class OverfittedNetwork(Outcome):
    """A network of the comparison."""

    name: str
    parameters: Count
    remedy: str = Field(description="none, dropout or augmentation")
    train_accuracy: Share = Field(description="after the last epoch")
    test_accuracy: Share
    gap: float = Field(description="train_accuracy - test_accuracy")
    best_epoch: Count = Field(description="of the smallest test loss")
    epochs: list[LearnedEpoch]


class Overfitted(Outcome):
    """Networks that learned few digits, with and without remedies."""

    samples: Count
    test_items: Count
    dropout: Share
    shift: Count = Field(description="pixels that augmentation moves a digit at most")
    networks: list[OverfittedNetwork]
    picture: str


class FilterExample(Outcome):
    """Where a kernel answers most."""

    row: Count = Field(description="of the upper left pixel under it")
    column: Count
    pixels: list[list[Count]] = Field(description="under it")
    value: float = Field(description="sum of pixels times weights")


class FilteredPicture(Outcome):
    """What a kernel made of the picture."""

    kernel: str
    weights: list[list[float]]
    rows: Count
    columns: Count
    pooled_rows: Count
    pooled_columns: Count
    multiplications: Count
    below_0: Share = Field(description="of the values; shown as 0")
    above_255: Share = Field(description="of the values; shown as 255")
    strongest: FilterExample


class Filtering(Outcome):
    """A picture under kernels."""

    image: str | None = Field(description="null: a drawing of the tool's own")
    rows: Count
    columns: Count
    pool: Count = Field(description="side of the blocks; 1: no pooling")
    pooling: str = Field(description="max or mean")
    absolute: bool = Field(description="signs were dropped")
    results: list[FilteredPicture]
    picture: str


class QuantizedBits(Outcome):
    """A matrix in whole numbers of so many bits."""

    bits: Count
    scale: float
    zero_point: int
    distinct: Count = Field(description="values that are left")
    largest_error: float
    rms_error: float
    sqnr_db: float | None = Field(description="signal to error; null without error or signal")
    bytes: Count


class QuantizedMatrix(Outcome):
    """A matrix in whole numbers."""

    rows: Count
    columns: Count
    symmetric: bool
    smallest: float
    largest: float
    distinct_before: Count
    chosen: QuantizedBits
    by_bits: list[QuantizedBits]
    picture: str


class CourseLab(Outcome):
    """One lab of the course."""

    chapter: str
    lab: str = Field(description="its number, or the chapter's where it has none")
    title: str
    commands: list[str]
    yours: list[str] = Field(description="files and folders that its commands take from you")
    shows: str = Field(description="the picture or result")
    missing: str | None = Field(description="what tinyml cannot do of it yet")


class CourseMap(Outcome):
    """What of the course is done by which command."""

    labs: list[CourseLab]
