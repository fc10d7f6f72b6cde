"""Labelled items of any kind, to judge a model by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tinyml_cli.errors import TinymlError
from tinyml_cli.run import Run


def kept(sample: Mapping[str, Any], run: Run, *names: str) -> list[NDArray[Any]]:
    """Arrays of a sample of the training split by their names.

    Raises:
        TinymlError: an earlier version kept no such.
    """
    if any(name not in sample for name in names):
        raise TinymlError(
            "The run was trained by an earlier version, which did not keep labelled training items",
            str(run.path),
            f"Train it again: {run.train_again()}",
        )
    return [sample[name] for name in names]


class Labelled(Protocol):
    """What sounds, images and gestures have in common."""

    @property
    def features(self) -> NDArray[Any]:
        """Integers [n, ...], what the firmware computes from the items."""

    @property
    def raw(self) -> NDArray[Any]:
        """The items as they were recorded, [n, ...]."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """int64 [n], index into the run's labels."""

    @property
    def words(self) -> NDArray[np.str_] | None:
        """str [n], what each is where that is finer than its label."""

    @property
    def groups(self) -> NDArray[np.str_]:
        """str [n], who or what each comes from."""

    @property
    def note(self) -> str:
        """One sentence: where they come from."""

    @property
    def left_out(self) -> Mapping[str, int]:
        """Reason -> how many files of the folder are not used."""
