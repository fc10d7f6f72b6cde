"""`tinyml export-c-array` on any model: the plan as table, JSON and picture; inputs of the caller."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.conftest import Tinyml
from tests.engines import test_memory, test_states_and_boundaries
from tinyml_cli.engines.aot import compiler, listing
from tinyml_cli.tflite import graph as tflite_graph

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "residual.tflite"
    path.write_bytes(test_memory.residual())
    return path


def only_run(tmp_path: Path) -> Path:
    (run,) = (path for path in (tmp_path / "runs").iterdir() if path.name.startswith("residual-"))
    return run


def test_a_bare_model_is_exported_with_its_plan(tinyml: Tinyml, model: Path, tmp_path: Path) -> None:
    answer = tinyml("export-c-array", model, "--engine", "aot", "--plan", "--json", cwd=tmp_path)
    run = only_run(tmp_path)
    outcome = answer.json
    assert outcome["arena_bytes"] == {"aot": 48} and outcome["plan"]["arena_bytes"] == 48
    assert set(outcome["files"]) == {
        "export/aot/network.h", "export/aot/network.c", "export/aot/model_settings.h",
        "report/memory_plan.png",
    }  # fmt: skip
    assert all((run / name).is_file() for name in outcome["files"])
    assert (run / "report/memory_plan.png").read_bytes().startswith(PNG)
    assert set(outcome["plan"]) == {
        "arena_bytes", "lower_bound_bytes", "sum_of_buffers_bytes", "io", "operators", "buffers", "stripes",
    }  # fmt: skip
    for row in outcome["plan"]["buffers"]:
        assert row["offset"] + row["bytes"] <= 48
    assert "Arena of 48 bytes" in answer.err and "LEAKY_RELU" in answer.err, "the table is for people"


def test_without_plan_no_table_and_no_picture(tinyml: Tinyml, model: Path, tmp_path: Path) -> None:
    answer = tinyml("export-c-array", model, "--engine", "aot", cwd=tmp_path)
    assert "Arena of" not in answer.out
    assert not (only_run(tmp_path) / "report").exists()


def test_inputs_and_outputs_of_the_caller(tinyml: Tinyml, model: Path, tmp_path: Path) -> None:
    outcome = tinyml(
        "export-c-array", model, "--engine", "aot", "--io", "caller", "--json", cwd=tmp_path
    ).json
    assert outcome["plan"]["io"] == "caller"
    header = (only_run(tmp_path) / "export/aot/network.h").read_text(encoding="utf-8")
    assert "NETWORK_IO_CALLER 1" in header and "network_invoke_io" in header
    assert not re.search(r"\bnetwork_(invoke|input|output)\(", header)


@pytest.mark.parametrize("option", [("--plan",), ("--io", "caller")])
def test_options_of_the_other_engine_are_refused(
    option: tuple[str, ...], tinyml: Tinyml, model: Path, tmp_path: Path
) -> None:
    answer = tinyml("export-c-array", model, "--engine", "tflm", *option, "--json", cwd=tmp_path, code=2)
    assert "aot" in json.loads(answer.out)["error"]["next_step"]


def test_an_unknown_place_is_refused(tinyml: Tinyml, model: Path, tmp_path: Path) -> None:
    answer = tinyml("export-c-array", model, "--engine", "aot", "--io", "moon", cwd=tmp_path, code=2)
    assert "moon" in answer.err and "caller" in answer.err
    assert not (tmp_path / "runs").exists()


def test_pictures_of_odd_plans_are_drawn_and_equal_plans_give_equal_files() -> None:
    from tinyml_cli.engines.aot.picture import memory_plan_png

    for make in (
        test_memory.output_is_the_input, test_memory.unused_input, test_memory.joined_twice,
        test_states_and_boundaries.two_states,
    ):  # fmt: skip
        for io in compiler.IO_MODES:
            plan = listing.document(compiler.compile_graph(tflite_graph.parse(make()), io=io))
            picture = memory_plan_png(plan, make.__name__)
            assert picture.startswith(PNG)
            assert picture == memory_plan_png(plan, make.__name__)


def test_the_table_names_tensors_as_the_generated_c_does() -> None:
    network = compiler.compile_graph(tflite_graph.parse(test_states_and_boundaries.two_states()))
    title, columns, lines = listing.table(listing.document(network))
    assert f"{network.arena_bytes:,} bytes" in title and columns[0] == "Tensor"
    assert {str(line[0]) for line in lines} == {
        buffer.name.removeprefix("TENSOR_") if buffer.name.startswith("TENSOR") else "scratch"
        for buffer in network.buffers
    }
    assert "state" in {line[4] for line in lines} and "end" in {line[5] for line in lines}
