"""When firmware needs a new export, and when somebody's changes must not be lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines import zoo
from tests.engines.test_export import make_run
from tests.tasks.wand import waved_run
from tinyml_cli.build.inputs import gather
from tinyml_cli.build.target import build_target
from tinyml_cli.engines.export import export
from tinyml_cli.engines.freshness import Placement, exported_placement, needs_export
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.gesture_settings import GestureInput
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = make_run(tmp_path / "run", zoo.model("one_channel_depthwise"))
    assert needs_export(run, run.manifest(), "aot")
    export(run, "aot")
    return run


def test_an_export_is_current(run: Run) -> None:
    assert not needs_export(run, run.manifest(), "aot")
    assert needs_export(run, run.manifest(), "tflm")


def test_other_labels_and_thresholds_need_an_export(run: Run) -> None:
    manifest = run.manifest()
    manifest.recognizer.threshold = 0.5
    run.save(manifest)
    assert needs_export(run, manifest, "aot")
    gather(run, build_target("sim"))
    assert not needs_export(run, run.manifest(), "aot")
    assert "500" in run.file("export/aot/model_settings.h").read_text()


def test_a_gesture_threshold_needs_an_export(tmp_path: Path) -> None:
    run = waved_run.make(tmp_path / "run", waved_run.line_model(), GestureInput(threshold=0.9))
    manifest = run.manifest()
    assert not needs_export(run, manifest, "aot")
    manifest.gesture = GestureInput(threshold=0.5)
    assert needs_export(run, manifest, "aot")


def test_what_no_header_says_needs_no_export(run: Run) -> None:
    manifest = run.manifest()
    manifest.metrics["train"] = {"accuracy": 0.5}
    manifest.seed += 1
    assert not needs_export(run, manifest, "aot")


def test_where_inputs_and_outputs_lie_is_kept(run: Run) -> None:
    export(run, "aot", Placement("caller"))
    assert not needs_export(run, run.manifest(), "aot")
    run.file("export/aot/network.c").unlink()
    gather(run, build_target("sim"))
    assert "NETWORK_IO_CALLER 1" in run.file("export/aot/network.h").read_text()
    export(run, "aot")
    assert "NETWORK_IO_CALLER 0" in run.file("export/aot/network.h").read_text()


@pytest.mark.parametrize("placement", [Placement(), Placement("caller"), Placement("caller", 26_000)])
def test_what_an_export_was_asked_for_is_remembered(placement: Placement) -> None:
    manifest = Manifest.model_construct(exports={})
    manifest.exports["aot"] = f"{placement}:0123456789abcdef"
    assert exported_placement(manifest, "aot") == placement
    manifest.exports["aot"] = f"{placement},many:0123456789abcdef"
    assert exported_placement(manifest, "aot") == Placement()


def test_another_generator_needs_an_export(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyml_cli.engines.freshness._generator", lambda: "of tomorrow")
    assert needs_export(run, run.manifest(), "aot")


def test_a_missing_file_is_written_again(run: Run) -> None:
    run.file("export/aot/network.c").unlink()
    gather(run, build_target("sim"))
    assert run.file("export/aot/network.c").is_file()


def test_changes_by_hand_are_refused_and_kept(run: Run) -> None:
    run.file("export/aot/network.c").write_text("// mine\n")
    with pytest.raises(TinymlError, match=r"network\.c"):
        gather(run, build_target("sim"))
    assert run.file("export/aot/network.c").read_text() == "// mine\n"
