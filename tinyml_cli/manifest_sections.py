"""What the manifest is made of, apart from the settings of features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=0, lt=1 << 63)]


class ManifestSection(BaseModel):
    """A part of the manifest."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class Data(ManifestSection):
    """Where the training data came from and how it was split."""

    source: Literal["synthetic", "procedural", "folder", "none"]
    path: str | None = None
    snapshot: str | None = Field(default=None, description="digest of the folder's snapshot when it trained")
    recordings: str | None = Field(default=None, description="folder of own recordings mixed in")
    split_by: str
    counts: dict[str, dict[str, Count]] = Field(default_factory=dict, description="split -> label -> clips")
    groups: dict[str, Count] = Field(default_factory=dict, description="split -> number of speakers")
    notes: list[str] = Field(default_factory=list)
    languages: list[str] = Field(default_factory=list, description="codes of those that are spoken")
    pronounce: dict[str, str] = Field(
        default_factory=dict, description="word -> how it is spelt for synthetic voices"
    )
    left_out: dict[str, int] = Field(
        default_factory=dict, description="reason -> files of the folder that were not used"
    )
    units: dict[str, str] = Field(
        default_factory=dict,
        description="accel, gyro -> unit of the files of motion, for others that do not say",
    )


class Model(ManifestSection):
    """The network that was trained."""

    name: str
    parameters: Count
    macs: Count


class Epochs(ManifestSection):
    """How far a training came."""

    done: int = Field(ge=0)
    planned: int = Field(ge=0)

    def __str__(self) -> str:
        return f"{self.done} of {self.planned}"


class TensorQuantization(ManifestSection):
    """value = scale * (q - zero_point)."""

    scale: float = Field(gt=0)
    zero_point: int = Field(ge=-128, le=127)


class LayerError(ManifestSection):
    """How far int8 is from float in one layer."""

    name: str
    op: str
    scale: float
    zero_point: int
    sqnr_db: float = Field(description="signal to quantisation noise")
    cosine: float
    clipped_share: float = Field(description="of values outside the range")


class Quantization(ManifestSection):
    """How the int8 model was made."""

    method: str
    calibration_samples: Count
    calibration_split: str = Field(
        default="train", description="where samples came from: a split, `file` (the user's) or `random`"
    )
    input: TensorQuantization | None = None
    output: TensorQuantization | None = None
    layers: list[LayerError] = Field(default_factory=list)


class Op(ManifestSection):
    """One operator kind of a model file."""

    name: str
    version: Count
    count: Count


class RecognizerSettings(ManifestSection):
    """Smoothing of posteriors over time, as the firmware runs it."""

    inference_stride_frames: int = Field(default=5, ge=1, le=100)
    average_window_ms: int = Field(default=500, ge=20, le=5000)
    threshold: float = Field(default=0.7, gt=0, le=1, description="averaged posterior that counts as heard")
    suppression_ms: int = Field(default=1000, ge=0, le=60_000)
    minimum_count: int = Field(default=3, ge=1, le=100)
    longer_words: dict[str, list[str]] = Field(
        default_factory=dict, description="word -> other words that begin with it; found when trained"
    )
    prefix_wait_ms: int = Field(
        default=500, ge=0, le=5000, description="how long such a word waits for the longer ones; 0: never"
    )

    def longer_word_masks(self, labels: Sequence[str]) -> list[int]:
        """For each label: bit n is set where it waits for label n."""
        if self.prefix_wait_ms == 0:
            return [0] * len(labels)
        longer = [self.longer_words.get(label, []) for label in labels]
        return [sum(1 << labels.index(word) for word in words if word in labels) for words in longer]


class TaughtWord(ManifestSection):
    """A word that was taught in a few takes, as vectors of the shipped word embedding."""

    prototype: str = Field(pattern="^([0-9a-f]{2})+$", description="int8 unit vector in 1/128, as hex")
    weights: str = Field(pattern="^([0-9a-f]{2})+$", description="its row of the last layer, int8 in 1/16")
    bias: int = Field(ge=-(2**31), lt=2**31, description="of the row, in 1/2048")
    takes: list[str] = Field(description="recordings in the run")


class Taught(ManifestSection):
    """Words without training; the run's labels are silence, unknown and these, in their order."""

    embedding_sha256: str = Field(description="of the network that the vectors are of")
    words: dict[str, TaughtWord] = Field(default_factory=dict)


class Artifact(ManifestSection):
    """A file of the run: its bytes, and the hashes of what it was made from."""

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)
    made_by: str
    made_from: dict[str, str] = Field(
        default_factory=dict, description="artifact name -> sha256 when it was read"
    )
