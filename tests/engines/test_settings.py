"""model_settings.h and the other texts of C."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engines import zoo
from tinyml_cli.c_text import float_literal, string_literal
from tinyml_cli.engines import settings, settings_parts
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.settings import AudioFrontendSettings
from tinyml_cli.manifest import Manifest
from tinyml_cli.tflite import graph as tflite_graph

LABELS = ["silence", "unknown", 'say "hi" \\ ??/', "日本 naïve"]

PRINTER = r"""
#include <stdio.h>
#include "model_settings.h"
int main(void) {
  for (int i = 0; i < LABEL_COUNT; ++i) {
    printf("%s|%d %d %d|%d\n", kLabels[i], kLabelColors[i][0], kLabelColors[i][1], kLabelColors[i][2],
           DETECTION_THRESHOLD_PERMILLE[i]);
  }
  printf("%s %s %.9g %d %.9g %d\n", TINYML_TASK, TINYML_MODEL_SHA256, INPUT_SCALE, INPUT_ZERO_POINT,
         OUTPUT_SCALE, OUTPUT_ZERO_POINT);
  printf("%d %d %d %u\n", FEATURE_FRAMES, FEATURE_CHANNELS, TFLM_ARENA_BYTES, (unsigned)FEATURE_MULTIPLIER);
  return 0;
}
"""


def manifest(labels: list[str]) -> Manifest:
    # 49 frames of 40 channels fit the model `one_channel_depthwise`.
    return Manifest(task="kws", seed=1, labels=labels, features=AudioFrontendSettings())


@pytest.mark.parametrize("language", ["c11", "c++14"])
def test_both_languages_read_back_what_was_written(language: str, tmp_path: Path) -> None:
    compiler = shutil.which("g++" if "++" in language else "gcc")
    if compiler is None:
        pytest.skip("no compiler on this machine")
    graph = tflite_graph.parse(zoo.model("one_channel_depthwise"))
    text = settings.render(manifest(LABELS), graph, "0123456789ab" + "f" * 52, 12345)
    (tmp_path / "model_settings.h").write_text(text, encoding="utf-8")
    program = tmp_path / f"print.{'cpp' if '++' in language else 'c'}"
    program.write_text(PRINTER)
    options = [f"-std={language}", "-Wall", "-Wextra", "-Werror", "-trigraphs"]
    subprocess.run([compiler, *options, str(program), "-o", str(tmp_path / "print")], check=True)
    lines = subprocess.run([tmp_path / "print"], check=True, capture_output=True).stdout.decode().splitlines()
    assert [line.split("|")[0] for line in lines[:4]] == LABELS
    assert [line.split("|")[1] for line in lines[:2]] == ["0 0 0", "0 0 0"]
    assert {line.split("|")[2] for line in lines[:4]} == {"700"}
    source, target = graph.tensors[graph.inputs[0]].quantization, graph.tensors[graph.outputs[0]].quantization
    assert source is not None and target is not None
    task, sha256, *numbers = lines[4].split()
    assert (task, sha256) == ("kws", "0123456789ab")
    expected = [source.scales[0], source.zero_points[0], target.scales[0], target.zero_points[0]]
    assert [float(number) for number in numbers] == pytest.approx(
        [float(value) for value in expected], rel=1e-8
    )
    assert lines[5].split()[:3] == ["49", "40", "12345"]


def test_colors_are_distinct_and_dark_for_no_word() -> None:
    words = ["yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"]
    colors = settings_parts.label_colors(["silence", "unknown", *words])
    assert colors[:2] == [(0, 0, 0), (0, 0, 0)]
    assert colors[2] == (0, 255, 0)
    for one, other in itertools.combinations(colors[2:], 2):
        assert sum(abs(a - b) for a, b in zip(one, other, strict=True)) >= 100


@pytest.mark.parametrize("labels", [[], ["yes"], ["a", "b", "c", "d", "e"]])
def test_labels_that_do_not_fit_the_model(labels: list[str]) -> None:
    graph = tflite_graph.parse(zoo.model("one_channel_depthwise"))
    with pytest.raises(TinymlError, match="4 scores"):
        settings.render(manifest(labels), graph, "0" * 64)


def test_features_that_do_not_fit_the_model() -> None:
    graph = tflite_graph.parse(zoo.model("ds_cnn"))
    with pytest.raises(TinymlError, match="250 inputs"):
        settings.render(manifest(LABELS), graph, "0" * 64)


@given(text=st.text(max_size=20))
def test_string_literals_are_plain_ascii_without_trigraphs(text: str) -> None:
    literal = string_literal(text.encode("utf-8", "ignore").decode())
    assert literal.isascii() and literal.isprintable() and "?" not in literal
    inner = literal[1:-1].encode()
    assert inner.decode("unicode_escape").encode("latin-1") == text.encode("utf-8", "ignore")


@given(value=st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_float_literals_read_back(value: float) -> None:
    assert float_literal(value).endswith("f")
    assert float(float_literal(value)[:-1]) == pytest.approx(value, rel=1e-7, abs=1e-45)


def test_a_model_without_a_task_gives_what_any_model_has(tmp_path: Path) -> None:
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("no compiler on this machine")
    graph = tflite_graph.parse(zoo.model("ds_cnn"))
    text = settings.render(Manifest(task="model", seed=0), graph, "0123456789ab" + "f" * 52)
    assert "FEATURE" not in text and "kLabels" not in text and "ARENA" not in text
    (tmp_path / "model_settings.h").write_text(text, encoding="utf-8")
    (tmp_path / "print.c").write_text(
        '#include <stdio.h>\n#include "model_settings.h"\nint main(void) {\n'
        'printf("%s %s %s %d %d %.6g %d\\n", TINYML_TASK, INPUT_TYPE, OUTPUT_TYPE, INPUT_COUNT, OUTPUT_COUNT,'
        " OUTPUT_SCALE, OUTPUT_ZERO_POINT);\nreturn 0;\n}\n"
    )
    subprocess.run([compiler, "-Werror", "-Wall", tmp_path / "print.c", "-o", tmp_path / "p"], check=True)
    said = subprocess.run([tmp_path / "p"], check=True, capture_output=True, text=True).stdout
    assert said == "model int8 int8 1 1 0.00390625 -128\n"
