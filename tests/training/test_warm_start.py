"""Training that begins with the weights of an earlier one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.anomaly import AnomalyRecipe
from tinyml_cli.recipes.hello import HelloRecipe

keras = pytest.importorskip("keras", reason="extra `train` is not installed")


def _recipe(path: Path | None) -> HelloRecipe:
    return HelloRecipe(start_from=None if path is None else str(path))


def test_the_weights_are_those_of_the_earlier_model(tmp_path: Path) -> None:
    from tinyml_cli.models import curve
    from tinyml_cli.training.warm_start import started

    earlier = curve.build([4, 4])
    earlier.save(tmp_path / "a.keras")
    model = started(_recipe(tmp_path / "a.keras"), lambda: curve.build([4, 4]))()
    for one, two in zip(earlier.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(one, two)
    for build, path, says in (
        (lambda: curve.build([4, 5]), tmp_path / "a.keras", "--anew"),
        (lambda: curve.build([4, 4]), tmp_path / "none.keras", "does not exist"),
    ):
        with pytest.raises(TinymlError) as caught:
            started(_recipe(path), build)()
        assert says in str(caught.value)


def test_without_a_start_nothing_is_changed() -> None:
    from tinyml_cli.training.warm_start import started

    def build() -> None: ...

    assert started(_recipe(None), build) is build  # type: ignore[comparison-overlap, arg-type]


def test_clusters_have_no_weights() -> None:
    with pytest.raises(ValueError, match="kmeans"):
        AnomalyRecipe(method="kmeans", start_from="a.keras")
