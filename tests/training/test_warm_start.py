"""Training that begins with the weights of an earlier one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tinyml_cli.errors import TinymlError
from tinyml_cli.recipes.anomaly import AnomalyRecipe

keras = pytest.importorskip("keras", reason="extra `train` is not installed")


def test_the_weights_are_those_of_the_earlier_model(tmp_path: Path) -> None:
    from tinyml_cli.models import curve
    from tinyml_cli.training.warm_start import built, starting_from

    earlier, path = curve.build([4, 4]), str(tmp_path / "a.keras")
    earlier.save(path)
    with starting_from(path):
        model = built(lambda: curve.build([4, 4]))
        with pytest.raises(TinymlError, match="not the one"):
            built(lambda: curve.build([4, 5]))
    for one, two in zip(earlier.get_weights(), model.get_weights(), strict=True):
        assert np.array_equal(one, two)
    other = built(lambda: curve.build([4, 4]))  # outside of it
    assert not np.array_equal(other.get_weights()[0], earlier.get_weights()[0])


def test_what_would_be_ignored_is_an_error(tmp_path: Path) -> None:
    from tinyml_cli.training.warm_start import starting_from

    (tmp_path / "a.keras").touch()
    with pytest.raises(TinymlError, match="trains no network"), starting_from(str(tmp_path / "a.keras")):
        pass
    with pytest.raises(TinymlError, match="does not exist"), starting_from(str(tmp_path / "b.keras")):
        pass
    with starting_from(None):
        pass


def test_clusters_have_no_weights() -> None:
    with pytest.raises(ValueError, match="kmeans"):
        AnomalyRecipe(method="kmeans", start_from="a.keras")
