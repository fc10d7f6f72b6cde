"""Anomaly detection by clients: the run is one as any other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests import outcomes as printed
from tests.conftest import Tinyml

SMALL = ("--set", "simulation.normal_sessions=14", "--set", "simulation.session_s=20")


@pytest.mark.slow
def test_a_federated_run_goes_on_to_its_report(tinyml: Tinyml, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="extra `train` is not installed")
    options = ("--clients", "4", "--rounds", "2", "--poisoned", "1", "--aggregate", "trimmed-mean", *SMALL)
    told = json.loads(tinyml("federate", "anomaly", *options, "--run", "r", "--json", cwd=tmp_path).out)
    printed.check("federate", told)
    found = told["federation"]
    assert found["measure"] == "auc" and len(found["rounds"]) == 2 and len(found["poisoned"]) == 1
    assert sum(client["members"] for client in found["clients"]) >= 4
    assert found["traffic"]["up_bytes"] < found["traffic"]["down_bytes"] / 3
    for command in (("quantize", "r"), ("convert", "r"), ("evaluate", "r")):
        tinyml(*command, cwd=tmp_path)
    report = (tmp_path / "r" / "report" / "report.html").read_text(encoding="utf-8")
    assert "Federated learning" in report and ", poisoned" in report
    assert (tmp_path / "r" / "report" / "federation.png").stat().st_size > 10_000
    manifest = json.loads((tmp_path / "r" / "manifest.json").read_text(encoding="utf-8"))
    assert "report/federation.html" in manifest["artifacts"]


def test_more_clients_than_speakers_are_refused_before_anything_is_read(
    tinyml: Tinyml, tmp_path: Path, corpus: Path
) -> None:
    done = tinyml(
        *("federate", "kws", "--words", "up,down", "--data", str(corpus), "--clients", "900"),
        cwd=tmp_path,
        code=2,
    )
    assert "900 clients need as many people" in done.err and "--non-iid" in done.err
    assert not (tmp_path / "runs").exists()
