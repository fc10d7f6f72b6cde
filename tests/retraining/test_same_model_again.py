"""A snapshot is enough to make a model again: equal digest and recipe, the same int8 model bit for bit."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="extra `train` is not installed")

from tests.conftest import Tinyml
from tests.corpus import write_corpus
from tests.tasks.anomaly.runs import write_beats
from tests.tasks.vww.test_vww import put
from tests.tasks.wand.test_wand_command import QUICK, write_people
from tinyml_cli.run import MODEL_INT8, Run


def _images(folder: Path) -> None:
    for name in ("none", "person"):
        put(folder, name, 30)


def _quick(*values: str) -> list[str]:
    return [part for value in ("training.epochs=2", *values) for part in ("--set", value)]


_KWS = _quick("augmentation.copies=2", "model.options={stem_filters: 8, blocks: [[16, 2], [16, 1]]}")
_VWW = _quick("model.options={stem_filters: 8, blocks: [[16, 2]]}")
TASKS: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "kws": (lambda folder: write_corpus(folder, speakers=24), ["--words", "up,down", *_KWS]),
    "vww": (_images, ["--classes", "none,person", "--size", "16", "--model", "micro", *_VWW]),
    "wand": (write_people, ["--labels", "0,1", *QUICK]),
    "anomaly": (write_beats, ["--fpr", "0.05", *_quick()]),
}


@pytest.mark.nightly
@pytest.mark.parametrize("task", TASKS)
def test_the_data_of_a_snapshot_give_the_same_model_again(tinyml: Tinyml, tmp_path: Path, task: str) -> None:
    """Copied elsewhere in another order, with other times, and trained on by another process."""
    write, options = TASKS[task]
    write(tmp_path / "data")
    (tmp_path / "elsewhere").mkdir()
    for path in sorted((tmp_path / "data").rglob("*"), reverse=True):
        if path.is_file():
            copy = tmp_path / "elsewhere" / "copy" / path.relative_to(tmp_path / "data")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
            os.utime(copy, (1e9, 1e9))
    made = []
    for number, data in enumerate((tmp_path / "data", tmp_path / "elsewhere" / "copy")):
        run = tmp_path / "runs" / f"run{number}"
        words = ("train", task, "--data", data, *options, "--seed", "5", "--run", run)
        tinyml(*words, cwd=tmp_path, process=number == 1)
        tinyml("quantize", run, "--no-pictures", cwd=tmp_path)
        tinyml("convert", run, cwd=tmp_path)
        manifest = Run(run).manifest()
        assert manifest.data is not None
        made.append((manifest.data.snapshot, manifest.artifacts[MODEL_INT8].sha256))
    assert made[0] == made[1] and made[0][0] is not None
    said = tinyml(
        "data",
        "snapshot",
        tmp_path / "data",
        "--against",
        tmp_path / "elsewhere" / "copy",
        "--json",
        cwd=tmp_path,
    ).json
    assert said["digest"] == made[0][0]
    print(task, *made[0])
