"""MLPerf Tiny's network, compiled for the virtual board, looks at TensorFlow Lite Micro's test pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Tinyml
from tests.doubles import looking_run
from tests.firmware.board_tools import require_tools
from tinyml_cli.console import console
from tinyml_cli.features.image_settings import ImageInput


def test_both_pictures_are_judged_right_by_the_board(shared: Path, tinyml: Tinyml, tmp_path: Path) -> None:
    model, pictures = shared / "models" / "vww_96_int8.tflite", shared / "data" / "person_fixtures"
    for path in (model, pictures):
        if not path.exists():
            pytest.skip(f"{path} is not there")
    require_tools("sim")
    console.quiet = True
    run = looking_run.make(tmp_path / "run", data=model.read_bytes(), image=ImageInput(colour="rgb"))
    for label, name in (("person", "person"), ("none", "no_person")):
        (tmp_path / "show" / label).mkdir(parents=True)
        stored = np.asarray(Image.open(pictures / f"tflm_{name}.bmp"))
        # These files hold the model's int8 inputs; a pixel is 128 more.
        Image.fromarray(stored ^ 0x80).save(tmp_path / "show" / label / f"{name}.png")
    tinyml("build", run.path, "--board", "sim", cwd=tmp_path)
    answer = tinyml(
        "monitor", run.path, "--board", "sim", "--replay", tmp_path / "show", "--json", cwd=tmp_path
    )
    summary = json.loads(answer.out.splitlines()[-1])
    assert summary["event"] == "summary"
    assert (summary["n"], summary["hits"], summary["rejections"]) == (2, 1, 1)
