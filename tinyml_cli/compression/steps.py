"""One step of compression, as given on the command line and kept in the manifest."""

from __future__ import annotations

import contextlib
from dataclasses import asdict, dataclass, fields
from typing import Any

from tinyml_cli.errors import TinymlError
from tinyml_cli.manifest import Manifest
from tinyml_cli.variants import STEPS

_EXAMPLES = "prune=0.7, structured=0.5, cluster=16 or qat"


@dataclass(frozen=True)
class CompressionStep:
    """What to do to a network.

    Attributes:
        method: "prune", "cluster", "qat", or "control": the same training without a method.
        sparsity: of prune, share of the weights of each large layer that become zero, or go.
        structured: of prune, whether whole channels go.
        clusters: of cluster, how many values a layer's int8 weights may have.
    """

    method: str
    sparsity: float | None = None
    structured: bool = False
    clusters: int | None = None

    def check(self) -> None:
        """Refuses what cannot be meant.

        Raises:
            TinymlError: a value out of range.
        """
        if self.method == "prune" and not 0 < (self.sparsity or 0) < 0.99:
            raise TinymlError(
                f"A sparsity of {self.sparsity} is out of range", "--sparsity", "Use 0.1 to 0.95."
            )
        if self.method == "cluster" and not 3 <= (self.clusters or 0) <= 128:
            raise TinymlError(
                f"The number of clusters, {self.clusters}, is out of range", "--clusters", "Use 3 to 128."
            )

    @property
    def name(self) -> str:
        """What a variant made by it is called."""
        if self.method == "prune":
            return f"{'slim' if self.structured else 'pruned'}-{round(100 * (self.sparsity or 0))}"
        return f"clustered-{self.clusters}" if self.method == "cluster" else self.method

    def as_dict(self) -> dict[str, Any]:
        """For the manifest."""
        return {key: value for key, value in asdict(self).items() if value not in (None, False)}


def steps_of(manifest: Manifest) -> list[CompressionStep]:
    """What was done to a run's network already.

    Raises:
        TinymlError: an entry of the manifest that is no step.
    """
    entries = manifest.metrics.get(STEPS, [])
    names = {field.name for field in fields(CompressionStep)}
    try:
        return [
            CompressionStep(**{key: value for key, value in entry.items() if key in names})
            for entry in entries
        ]
    except (TypeError, AttributeError) as error:
        raise TinymlError(
            "The manifest lists an invalid compression step", f"metrics.{STEPS}", "Create the variant again."
        ) from error


def parse(text: str) -> CompressionStep:
    """A step of --then: "prune=0.7", "structured=0.5", "cluster=16", "qat".

    Raises:
        TinymlError: it is not one of these.
    """
    name, _, value = text.strip().partition("=")
    step = None
    with contextlib.suppress(ValueError):
        if name in ("prune", "structured"):
            step = CompressionStep("prune", float(value), structured=name == "structured")
        elif name == "cluster":
            step = CompressionStep("cluster", clusters=int(value))
        elif name == "qat" and not value:
            step = CompressionStep("qat")
    if step is None:
        raise TinymlError(f"`{text}` is not a compression step", "--then", f"Valid steps: {_EXAMPLES}.")
    step.check()
    return step


def check_order(steps: list[CompressionStep]) -> None:
    """Refuses orders in which a later step would undo an earlier one.

    Raises:
        TinymlError: which one undoes which.
    """
    methods = ["slim" if step.structured else step.method for step in steps]
    if "qat" in methods[:-1]:
        raise TinymlError(
            "qat must come last: later steps would change the weights it rounded",
            "--then",
            "Put qat at the end.",
        )
    for later in ("slim", "prune"):
        if "cluster" in methods and later in methods[methods.index("cluster") :]:
            raise TinymlError(
                "Clustering must come after pruning, because zeros are one of the clusters",
                "--then",
                "Prune first.",
            )
    if "prune" in methods and "slim" in methods[methods.index("prune") :]:
        raise TinymlError(
            "Structured pruning must come first: removing channels changes the share of zeros",
            "--then",
            "Put structured first.",
        )
