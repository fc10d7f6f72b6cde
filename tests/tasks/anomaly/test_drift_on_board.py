"""The application `anomaly` looks for drift by itself: what the host computes of the same windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="extra `train` is not installed")

from tests.conftest import Tinyml
from tests.firmware.board_tools import require_tools
from tests.tasks.anomaly import runs
from tests.tasks.anomaly.device import AnomalyDevice
from tinyml_cli.build import build
from tinyml_cli.build.target import build_target
from tinyml_cli.console import console
from tinyml_cli.drift import page_test
from tinyml_cli.features.drift_settings import DriftWatch, PageLimits, PageSettings
from tinyml_cli.tasks.anomaly import held_out as anomaly_held_out
from tinyml_cli.tasks.anomaly.alarm import AlarmState
from tinyml_cli.tasks.anomaly.evaluate import score_windows
from tinyml_cli.tasks.anomaly.model import AnomalyModel

pytestmark = pytest.mark.slow


def test_the_board_tells_what_the_host_computes(tmp_path: Path, tinyml: Tinyml) -> None:
    """Outside alarms alone, by the score and the input of each window."""
    require_tools("native")
    console.quiet = True
    run = runs.train(tmp_path / "run", training__epochs=3)
    assert "200 are needed" in tinyml("watch-drift", run.path, cwd=tmp_path, code=2).err
    manifest = run.manifest()
    model = AnomalyModel(run, manifest)
    sessions = anomaly_held_out.load(run)
    limits = PageLimits(delta=50, threshold=1500)
    tests = PageSettings(reference=2000, sudden=limits, slow=limits)
    manifest.drift_watch = DriftWatch(
        block_inferences=3, score=tests, input=tests.model_copy(update={"reference": 0}),
        inferences_per_day=1e5, false_alarms_per_day=1, blocks=9, of="a test",
    )  # fmt: skip
    run.save(manifest)
    device = AnomalyDevice("native", Path(build.build(run, build_target("native")).elf))
    device.is_imu = True
    device.wait("ready")
    told, scores, inputs = [], [], []
    device.ask("trace", "features")
    for session in sessions:
        device.ask("reset")
        start = len(device.heard)
        device.feed(session.samples, session.samples.shape[1])
        heard = device.heard[start:]
        told += [event for event in heard if event["event"] == "drift"]
        windows = [bytes.fromhex(event["data"]) for event in heard if event["event"] == "features"]
        state = AlarmState(model.settings.alarm)
        judged = score_windows(model, [session]).scores.tolist()
        for score, window in zip(judged, windows, strict=True):
            state.push(score, model.threshold())
            if not state.on:
                scores.append(score)
                inputs.append(np.frombuffer(window, np.int8))
    device.process.kill()
    expected = page_test.told(
        manifest.drift_watch,
        page_test.of_anomaly(np.array(scores), model.threshold()),
        page_test.of_inputs(np.stack(inputs)),
    )
    assert len(expected) >= 2
    assert [(e["signal"], e["drifting"], e["inferences"], e["mean"]) for e in told] == [
        (e.signal, e.drifting, e.inferences, e.mean) for e in expected
    ]
