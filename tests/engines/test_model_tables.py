"""What a retraining changes as one struct: the same bytes out, and the same program for every training."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.engines.network_builds import NN, kernels
from tests.engines.retrained import retrained
from tinyml_cli import word_embedding
from tinyml_cli.engines import model_tables
from tinyml_cli.engines.aot import compiler, emit
from tinyml_cli.engines.model_tables import Lifted
from tinyml_cli.tflite import graph as tflite_graph
from tinyml_cli.tflite import interpret

_MODEL = Path(word_embedding.__file__).with_name("word_embedding.tflite")
_SETTINGS = """\
#include <stdint.h>
#define TINYML_VERSION "{version}"
#define TINYML_MODEL_SHA256 "{model}"
#define LABEL_COUNT 2
static const char* const kLabels[LABEL_COUNT] = {{
    "{label}", "no",
}};
#define OUTPUT_SCALE {scale}f
#define FRAME_WIDTH {width}
"""

# Selects tables from a file, then runs one inference on standard input.
_MAIN = """\
#include <stdio.h>
#include "model_settings.h"
#include "network.h"
static _Alignas(NETWORK_ARENA_ALIGNMENT) uint8_t arena[NETWORK_ARENA_BYTES];
static model_tables tables;
int main(int count, char** names) {
  FILE* file = count > 1 ? fopen(names[1], "rb") : NULL;
  if (file != NULL && fread(&tables, 1, sizeof(tables), file) != sizeof(tables)) return 1;
  model_tables_use(file != NULL ? &tables : &model_tables_built_in);
  network_reset(arena);
  if (fread(network_input_at(arena, 0), 1, NETWORK_INPUT_0_BYTES, stdin) != NETWORK_INPUT_0_BYTES) return 2;
  if (network_invoke(arena) != 0) return 3;
  fwrite(network_output_at(arena, 0), 1, NETWORK_OUTPUT_0_BYTES, stdout);
  fprintf(stderr, "%s %s", TINYML_MODEL_SHA256, kLabels[0]);
  return 0;
}
"""


def _lifted(model: bytes, name: str, **settings: object) -> Lifted:
    network = compiler.compile_graph(tflite_graph.parse(model), retrainable=True)
    given = {"version": "1", "model": name, "label": name, "scale": 0.5, "width": 96} | settings
    exports = {
        "network.h": emit.header(network, name.ljust(64, "0")),
        "network.c": emit.source(network, model_tables.may_share),
        "model_settings.h": _SETTINGS.format(**given),
    }
    return model_tables.lift(exports, (b"1", b"2"))


def test_a_retrained_model_fits_the_program_of_the_first(tmp_path: Path) -> None:
    if (cc := shutil.which("gcc")) is None:
        pytest.skip("no gcc here")
    first = _MODEL.read_bytes()
    second = retrained(first, seed=1)
    old, new = _lifted(first, "first"), _lifted(second, "second", version="2", scale=0.25)
    assert old.architecture == new.architecture
    assert old.tables != new.tables
    for name, text in old.texts.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "main.c").write_text(_MAIN)
    (tmp_path / "new.tables").write_bytes(new.tables)
    sources = [tmp_path / name for name in ("main.c", "network.c", "model_tables.c")]
    flags = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", f"-I{NN}", f"-I{tmp_path}"]
    program = tmp_path / "program"
    subprocess.run([cc, *flags, *sources, *kernels(cc, ("-O2",)), "-o", program, "-lm"], check=True)
    graph = tflite_graph.parse(first)
    shape = graph.tensors[graph.inputs[0]].shape
    values = np.random.default_rng(2).integers(-128, 128, (1, *shape[1:]), np.int8)
    for model, name, tables in ((first, "first", []), (second, "second", [tmp_path / "new.tables"])):
        process = subprocess.run([program, *tables], input=values.tobytes(), capture_output=True, check=True)
        expected = interpret.run(model, [values], interpret.reference_runtime())[0]
        assert process.stdout == expected.tobytes()
        assert process.stderr.decode() == f"{name} {name}"


def test_another_program_is_another_architecture() -> None:
    model = _MODEL.read_bytes()
    assert _lifted(model, "a").architecture != _lifted(model, "a", width=64).architecture
