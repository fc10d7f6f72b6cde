"""How scores are shown: bars, spans of alarm and drift on a time axis, and what is said of a calibration."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli.link.protocol import Anomaly, Calibrated
from tinyml_cli.tasks.anomaly.view import History, calibration_text


def window(t_ms: int, score: int, alarm: bool = False, drifting: bool = False) -> Anomaly:
    return Anomaly(t_ms=t_ms, score=score, threshold=100, level=40, alarm=alarm, drifting=drifting)


def history(*events: Anomaly) -> History:
    filled = History()
    filled.events.extend(events)
    return filled


def test_upper_half_of_the_bars_is_at_the_threshold_or_above() -> None:
    bars = history(*(window(index, score) for index, score in enumerate((0, 99, 100, 199, 10_000)))).spark()
    assert bars == "▁▄▅██"
    assert history(*(window(index, 0) for index in range(500))).spark() == "▁" * 60
    assert History().spark() == ""


def test_streams_follow_each_other_in_time(tmp_path: Path) -> None:
    filled = history(
        *(window(t * 500, 50, alarm=t in (2, 3)) for t in range(1, 5)),
        *(window(t * 500, 150, alarm=True, drifting=t == 3) for t in range(1, 4)),
    )
    seconds, restarts = filled._times()
    assert seconds == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5] and restarts == [2.0]
    assert filled._spans("alarm") == [(1, 3), (4, 6)]
    filled.png(tmp_path / "scores.png", "two streams")
    History().png(tmp_path / "empty.png", "nothing came")
    assert (tmp_path / "scores.png").stat().st_size > 5000 < (tmp_path / "empty.png").stat().st_size


def test_a_calibration_that_doubles_the_threshold_is_questioned() -> None:
    def said(threshold: int, stored: bool = True, done: bool = True) -> str:
        return calibration_text(
            Calibrated(
                done=done,
                t_ms=1,
                windows=120,
                needed=100,
                threshold=threshold,
                previous=1000,
                stored=stored,
            )
        )

    assert said(1500) == "Calibrated on 120 windows: threshold 1000 -> 1500, kept at power-off."
    assert "5.0-fold: was this normal running?" in said(5000)
    assert "lost at power-off" in said(900, stored=False)
    assert "the threshold is unchanged" in said(1000, done=False)
