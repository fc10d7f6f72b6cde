"""Compression of a run that heard whistles: every outcome is a variant of it, and compare shows all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Tinyml
from tests.corpus import write_corpus
from tinyml_cli.errors import TinymlError
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.stages import common as stages

SMALL = [
    "model.options={stem_filters: 8, blocks: [[16, 2]]}",
    "training.epochs=2",
    "augmentation.copies=3",
    "training.learning_rate=0.004",
]


@pytest.fixture(scope="module")
def whistles(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """In one process: each one that loads TensorFlow costs seconds."""
    from tinyml_cli.conversion.convert import convert
    from tinyml_cli.stages.calibrate import quantize

    home = tmp_path_factory.mktemp("home")
    corpus = write_corpus(home / "whistles", speakers=16)
    run, recipe = stages.prepare(
        "kws", {"words": ["up", "down"]}, corpus, None, SMALL, home / "runs" / "w", 3
    )
    stages.train(run, recipe)
    quantize(run, n_samples=32)
    convert(run)
    return run


@pytest.fixture(scope="module")
def outcomes(whistles: Run) -> dict[str, Any]:
    from tinyml_cli.compression.distill import distill
    from tinyml_cli.compression.stage import compress
    from tinyml_cli.compression.steps import CompressionStep
    from tinyml_cli.stages.calibrate import quantize
    from tinyml_cli.stages.quantize import Choices, quantize_run
    from tinyml_cli.training import fine_tune, qat

    def few(run: Run, recipe: Any, n: int, seed: int) -> Any:
        """As many inputs as are made in a second."""
        return fine_tune.training_inputs(run, recipe, min(n, 128), seed)

    steps = [CompressionStep("prune", 0.5), CompressionStep("cluster", clusters=16)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(qat, "training_inputs", few)
        rounded = quantize_run(whistles, Choices("qat", epochs=1), variant="qat")
    made = {
        "prune": compress(whistles, steps, fine_tune.FineTuneSettings(1, samples=128), on_board=False),
        "distill": distill(whistles, [str(whistles.path)], on_board=False),
        "quantize": rounded,
        "dynamic": quantize(whistles, "dynamic"),
    }
    return {name: outcome.as_dict() for name, outcome in made.items()}


def test_every_outcome_is_a_variant(outcomes: dict[str, Any], whistles: Run) -> None:
    names = {"prune": "pruned-50-clustered-16", "distill": "distilled", "quantize": "qat"}
    for key, name in names.items():
        assert Path(outcomes[key]["run"]) == whistles.path / "variants" / name
        variant = Run(whistles.path / "variants" / name)
        variant.require(variant.manifest(), MODEL_INT8)
    assert [step["method"] for step in outcomes["prune"]["steps"]] == ["prune", "cluster"]
    assert outcomes["prune"]["before"]["n"] == outcomes["prune"]["after"]["n"] > 0


def test_compare_shows_all_of_a_run(tinyml: Tinyml, outcomes: dict[str, Any], whistles: Run) -> None:
    assert outcomes["dynamic"]["bytes"] > 0
    document = tinyml("compare", whistles.path, "--no-profile", "--json", cwd=whistles.path.parent).json
    names = [row["name"] for row in document["models"]]
    assert names[:3] == ["w float32", "w dynamic", "w int8"]
    for variant in ("qat", "distilled", "pruned-50-clustered-16"):
        assert f"w/{variant} int8" in names
    assert len(document["pairs"]) == len(names) * (len(names) - 1) // 2
    assert Path(document["picture"]).is_file()
    assert {row["n"] for row in document["models"]} == {document["models"][0]["n"]}


def test_distilling_needs_a_teacher(whistles: Run) -> None:
    from tinyml_cli.compression.distill import distill

    with pytest.raises(TinymlError, match="--teacher"):
        distill(whistles, [])
