from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.conftest import REPOSITORY
from tests.pattern_task import LABELS, as_input, patterns
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.evaluate import evaluate
from tinyml_cli.evaluation.frame import METRICS, section
from tinyml_cli.evaluation.of_labels import CONFUSION
from tinyml_cli.features.image_settings import ImageInput
from tinyml_cli.run import MODEL_FLOAT32, MODEL_INT8, Run
from tinyml_cli.statistics.metrics import wilson_interval
from tinyml_cli.tflite import interpret


def test_figures_agree_with_a_plain_count(converted_run: Run) -> None:
    outcome = evaluate(converted_run)

    features, labels = patterns(120, 2000)
    outputs = interpret.run_float(converted_run.file(MODEL_FLOAT32).read_bytes(), as_input(features))
    hits = int((outputs.argmax(axis=1) == labels).sum())
    assert outcome.n == 120
    assert outcome.groups == 7
    assert outcome.labels == LABELS
    assert outcome.float32.accuracy == hits / 120
    assert outcome.float32.ci95 == wilson_interval(hits, 120)
    assert outcome.int8.accuracy > 0.9, "the task is easy; a lower figure means wrong inputs"
    assert outcome.agreement > 0.95
    confusion = np.array(outcome.int8.confusion)
    assert confusion.sum(axis=1).tolist() == np.bincount(labels, minlength=4).tolist()
    assert np.trace(confusion) / 120 == outcome.int8.accuracy
    if interpret.has_tflm():
        assert outcome.tflm.compared == 100
        assert outcome.tflm.max_difference <= 1


def test_the_report_holds_the_outcome(converted_run: Run) -> None:
    outcome = evaluate(converted_run)

    assert json.loads(converted_run.file(METRICS).read_text(encoding="utf-8")) == json.loads(
        json.dumps(outcome.as_dict())
    )
    with Image.open(converted_run.file(CONFUSION)) as picture:
        picture.verify()
        assert min(picture.size) > 500
    manifest = converted_run.manifest()
    assert manifest.metrics["evaluate"]["int8"]["confusion"] == outcome.int8.confusion
    for name in (METRICS, CONFUSION):
        converted_run.require(manifest, name)


def test_evaluating_again_gives_the_same_files(converted_run: Run) -> None:
    contents = []
    for _ in range(2):
        evaluate(converted_run)
        contents.append([converted_run.file(name).read_bytes() for name in (METRICS, CONFUSION)])
    assert contents[0] == contents[1]


def test_no_examples_is_an_error_with_a_next_step(converted_run: Run) -> None:
    with pytest.raises(TinymlError, match=r"No examples.*--data DIR"):
        evaluate(converted_run, split="all")
    assert not converted_run.file(METRICS).exists()


def test_a_missing_section_of_the_manifest_is_named(converted_run: Run) -> None:
    manifest = converted_run.manifest()
    manifest.image = ImageInput(size=32)
    assert section(converted_run, manifest.image, "image") == manifest.image
    with pytest.raises(TinymlError, match="lacks its section `gesture`") as caught:
        section(converted_run, manifest.gesture, "gesture")
    assert str(converted_run.path) in (caught.value.where, caught.value.next_step)


def test_an_unknown_split_is_refused(converted_run: Run) -> None:
    with pytest.raises(TinymlError, match=r"Unknown split `dev`.*test or all"):
        evaluate(converted_run, split="dev")


def test_a_changed_flatbuffer_is_refused(converted_run: Run) -> None:
    path = converted_run.file(MODEL_INT8)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(TinymlError, match="tinyml convert"):
        evaluate(converted_run)


def test_evaluation_works_without_tensorflow(converted_run: Run) -> None:
    code = (
        "import sys; sys.modules['tensorflow'] = sys.modules['keras'] = None\n"
        "from pathlib import Path\n"
        "from tinyml_cli import registry; registry._TRAINED['patterns'] = 'tests.pattern_task:TASK'\n"
        "from tinyml_cli.evaluation.evaluate import evaluate; from tinyml_cli.run import Run\n"
        "print(evaluate(Run(Path(sys.argv[1]))).n)"
    )
    process = subprocess.run(
        [sys.executable, "-c", code, str(converted_run.path)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.stdout.splitlines()[-1:] == ["120"], process.stderr


@pytest.mark.parametrize(
    "module",
    ["evaluation.evaluate", "stages.calibrate", "conversion.convert", "tflite.graph"],
)
def test_importing_loads_no_tensorflow(module: str) -> None:
    heavy = ("tensorflow", "keras", "matplotlib")
    code = f"import sys, tinyml_cli.{module}; print([m for m in {heavy} if m in sys.modules])"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"
