"""The quantisation scheme of a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tinyml_cli.errors import TinymlError

METHODS = ("ptq", "qat")
COMPARISONS = ("dynamic", "float16", "int16x8")
"""Methods whose models no engine here runs: quantize makes them so that int8 can be judged against them."""

RANGES = ("min-max", "percentile", "mse", "entropy")


@dataclass(frozen=True)
class Scheme:
    """Choices of a full-int8 conversion; the default is what TensorFlow's converter does by itself.

    Attributes:
        ranges: how an activation's range follows from calibration samples, one of RANGES.
        per_channel: whether convolution weights have a scale per output channel; Dense weights have one.
        bias_correction: whether biases make up for the mean error of rounded weights.
        equalise: whether scales are moved between consecutive layers first.
        fixed: layer name -> range that a training chose; such a layer is not calibrated.
    """

    ranges: str = "min-max"
    per_channel: bool = True
    bias_correction: bool = False
    equalise: bool = False
    fixed: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def is_plain(self) -> bool:
        """Whether the converter needs no help."""
        return self == Scheme()

    def as_dict(self) -> dict[str, Any]:
        """For JSON; empty for the default."""
        if self.is_plain:
            return {}
        return asdict(self) | {"fixed": {name: list(limits) for name, limits in self.fixed.items()}}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Scheme:
        """The inverse of `as_dict`.

        Raises:
            TypeError, ValueError: a document that `as_dict` did not write.
        """
        fixed = {
            str(name): (float(low), float(high)) for name, (low, high) in document.get("fixed", {}).items()
        }
        return cls(**{**document, "fixed": fixed})


def checked(
    ranges: str = "min-max", per_channel: bool = True, bias_correction: bool = False, equalise: bool = False
) -> Scheme:
    """A scheme of a user's choices.

    Raises:
        TinymlError: there is no such way to choose ranges.
    """
    if ranges not in RANGES:
        raise TinymlError(f"Unknown range method `{ranges}`", "--ranges", f"Known: {', '.join(RANGES)}.")
    return Scheme(ranges, per_channel, bias_correction, equalise)


def refuse_float_layers(names: str) -> TinymlError:
    """Why layers cannot stay in float32 between int8 ones."""
    return TinymlError(
        f"`{names}` cannot stay in float32: the firmware has only int8 kernels, and a float layer would "
        "need four times the RAM for its inputs and outputs, plus conversions",
        "--keep-float",
        "Find the layer with the largest error in the table; try --ranges mse, --equalise, "
        "--bias-correction, --method qat.",
    )
