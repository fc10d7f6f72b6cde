"""What a tracked command keeps, whatever happens to it."""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from pathlib import Path

import pytest

from tests import outcomes
from tests.conftest import Tinyml
from tests.tracking.conftest import Kept
from tinyml_cli import processes
from tinyml_cli.errors import TinymlError
from tinyml_cli.run import Run
from tinyml_cli.tracking import delivery, journal, mlflow_store, seam, sender, target
from tinyml_cli.tracking.journal import Journal, JournalWriter, Sent
from tinyml_cli.tracking.target import TrackingTarget


def _begun(tmp_path: Path) -> JournalWriter:
    return JournalWriter(
        tmp_path / "spool", "a1", TrackingTarget("http://localhost:1", "e"), {"title": "t", "parent": ""}
    )


def test_a_stage_leaves_parameters_figures_hashes_and_files(
    tinyml: Tinyml, tmp_path: Path, unsent: Kept, trained_run: Run
) -> None:
    said = tinyml("quantize", trained_run.path, "--samples", "20", "--no-pictures", "--track", cwd=tmp_path)
    assert "could not be sent" not in said.err  # nothing was to be sent
    (events,) = unsent()
    assert [events[0]["event"], events[-1]["event"]] == ["begin", "end"]
    assert events[0]["uri"] == f"sqlite:///{(tmp_path / 'mlflow.db').as_posix()}"
    assert events[-1]["status"] == journal.FINISHED
    params = {key: value for event in events for key, value in event.get("params", {}).items()}
    assert params["option.samples"] == "20" and "task" in params and "option.track" not in params
    figures = {key: value for event in events for key, value in event.get("metrics", {}).items()}
    assert figures["quantize/calibration_samples"] == 20
    tags = {key: value for event in events for key, value in event.get("tags", {}).items()}
    manifest = trained_run.manifest()
    assert tags["tinyml.sha256.calibration.npz"] == manifest.artifacts["calibration.npz"].sha256
    sent = {event["name"] for event in events if event["event"] == "artifact"}
    assert sent == {"manifest.json", "recipe.yaml"}  # no samples of the data leave the computer


def test_without_the_option_nothing_is_kept(
    tinyml: Tinyml, tmp_path: Path, unsent: Kept, trained_run: Run
) -> None:
    tinyml("quantize", trained_run.path, "--samples", "20", "--no-pictures", cwd=tmp_path)
    assert unsent() == [] and not journal.spool_dir().exists()


def test_a_command_that_fails_says_so(tinyml: Tinyml, tmp_path: Path, unsent: Kept, trained_run: Run) -> None:
    trained_run.file("model.keras").write_bytes(b"damaged")
    tinyml("quantize", trained_run.path, "--track", cwd=tmp_path, code=2)
    assert [events[-1].get("status") for events in unsent()] == [journal.FAILED]


def test_a_full_disk_ends_the_record_and_not_the_stage(
    unsent: Kept, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(self: JournalWriter, event: str, **fields: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    seam.want(dict)
    with seam.stage("train", None, title="t"):
        monkeypatch.setattr(JournalWriter, "write", full)
        seam.epoch(1, {"train/loss": 1.0})
        seam.epoch(2, {"train/loss": 0.5})
    assert capsys.readouterr().err.count("is not tracked any further") == 1
    seam.command_ended(0)


def test_a_line_that_was_not_finished_is_no_event(tmp_path: Path) -> None:
    writer = _begun(tmp_path)
    writer.write(journal.METRICS, metrics={"loss": 1.0}, step=1, at_ms=0)
    whole = writer.folder / "journal.jsonl"
    data = whole.read_bytes()
    for length in range(len(data)):
        whole.write_bytes(data[:length])
        events = list(Journal(writer.folder).events(0))
        assert len(events) == data[:length].count(b"\n")
        assert all(data[:offset].endswith(b"\n") for offset, _ in events)


def test_a_journal_is_open_as_long_as_its_command_lives(tmp_path: Path) -> None:
    writer = _begun(tmp_path)
    (found,) = journal.journals(tmp_path / "spool")
    assert found.is_open() and found.target() == TrackingTarget("http://localhost:1", "e")
    writer.close()
    assert not found.is_open()
    found.note(Sent(offset=3, run="r", error="no"))
    assert found.sent() == Sent(offset=3, run="r", error="no")
    (found.folder / "sent.json").write_text("[")
    assert found.sent() == Sent()


def test_a_file_is_kept_as_it_was(tmp_path: Path) -> None:
    writer = _begun(tmp_path)
    (tmp_path / "model").write_bytes(b"one")
    writer.add_file(tmp_path / "model", "export/model")
    (tmp_path / "model").write_bytes(b"two")
    writer.add_file(tmp_path / "model", "export/model")
    files = [event["file"] for _, event in Journal(writer.folder).events(0) if event["event"] == "artifact"]
    assert [(writer.folder / file).read_bytes() for file in files] == [b"one", b"two"]
    assert all(file.endswith("/export/model") for file in files)
    writer.close()


def test_a_journal_sends_its_own_files_alone_and_only_where_the_command_sends(tmp_path: Path) -> None:
    writer = _begun(tmp_path)
    writer.close()
    (found,) = journal.journals(tmp_path / "spool", "http://localhost:1")
    assert journal.journals(tmp_path / "spool", "http://elsewhere") == []
    for name in ("/etc/passwd", "../../secret", "files/../../x", "journal.jsonl"):
        with pytest.raises(ValueError):
            found.file(name)
    assert found.file("files/ab/model").name == "model"


_WHOLE = {"event": "begin", "id": "a", "uri": "sqlite:///x.db", "experiment": "e", "at_ms": 1, "title": "t"}


def test_a_damaged_beginning_is_listed_and_never_sent(tinyml: Tinyml, tmp_path: Path, unsent: Kept) -> None:
    spool = journal.spool_dir()
    bad = (None, -1, 10**17, [], {"a": []}, 0.5)
    kinds = [(key, value) for key in ("id", "uri", "experiment", "at_ms", "title", "tags") for value in bad]
    kinds += [(key, "") for key in ("event", "at_ms", "tags")]
    for number, (key, value) in enumerate(kinds):
        (spool / f"{number:02}").mkdir(parents=True)
        (spool / f"{number:02}/journal.jsonl").write_text(json.dumps({**_WHOLE, key: value}) + "\n")
    listed = tinyml("tracking", "--json", cwd=tmp_path).json["waiting"]
    assert [each["title"] for each in listed] == [f"{number:02}" for number in range(len(kinds))]
    assert not journal.journals(spool, "sqlite:///x.db")
    assert len(sender._send_each(journal.journals(spool))) == len(kinds)
    assert "damaged" in tinyml("tracking", cwd=tmp_path).out


def test_how_far_a_journal_was_sent_is_checked(tinyml: Tinyml, tmp_path: Path, waiting: Journal) -> None:
    for sent in ({"offset": "x"}, {"offset": -5}, {"error": 7}, {"at_ms": 10**17}, {"more": 1}, []):
        (waiting.folder / "sent.json").write_text(json.dumps(sent))
        assert waiting.sent() == Sent()
    waiting.note(Sent(offset=10**6))
    assert tinyml("tracking", "--json", cwd=tmp_path).json["waiting"][0]["sent_share"] == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_links_pipes_and_folders_are_no_journals(tmp_path: Path, waiting: Journal) -> None:
    spool = waiting.folder.parent
    elsewhere = tmp_path / "elsewhere"
    waiting.folder.rename(elsewhere)
    (spool / "1").symlink_to(elsewhere)
    for name in "234":
        (spool / name).mkdir()
    (spool / "2/journal.jsonl").symlink_to(elsewhere / "journal.jsonl")
    os.mkfifo(spool / "3/journal.jsonl")
    (spool / "4/journal.jsonl").mkdir()
    assert journal.journals(spool) == []


def test_a_server_that_does_not_answer_is_asked_once_for_all_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = pytest.importorskip("requests")
    for _ in range(3):
        _begun(tmp_path).close()
        time.sleep(0.002)
    asked = []

    def silent(each: Journal, sent: Sent, is_open: bool) -> None:
        asked.append(each)
        raise requests.exceptions.ConnectTimeout

    monkeypatch.setattr(mlflow_store, "send", silent)
    waiting = journal.journals(tmp_path / "spool")
    assert sender._send_each(waiting) == waiting and len(waiting) == 3 and len(asked) == 1
    assert {each.sent().error for each in waiting} == {"the server does not answer"}


def test_a_long_wait_for_the_server_is_explained_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _begun(tmp_path).close()
    sleeping = processes.Process([sys.executable, "-c", "import time; time.sleep(60)"])
    monkeypatch.setattr(delivery, "_sender", sleeping)
    monkeypatch.setattr(delivery, "_SILENT_S", 0.05)
    assert delivery.finish(tmp_path / "spool", patience_s=0.4)
    said = capsys.readouterr()
    assert (said.out + said.err).count("Waiting for MLflow") == 1 and sleeping.poll() is not None


def test_ctrl_c_ends_the_wait_and_not_the_command_that_is_done(
    unsent: Kept, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(spool: Path, uri: str) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(delivery, "finish", stopped)
    seam.want(dict)
    with seam.stage("quantize", Path("run"), title="run quantize") as ended:
        ended(None)
    seam.command_ended(0)
    assert "1 record could not be sent" in capsys.readouterr().err
    assert [events[-1]["status"] for events in unsent()] == [journal.FINISHED]


def test_what_waits_is_listed_and_dropped(tinyml: Tinyml, tmp_path: Path, waiting: Journal) -> None:
    waiting.note(Sent(error="the server does not answer"))
    listed = tinyml("tracking", "--json", cwd=tmp_path).json
    outcomes.check("tracking", listed)
    assert [each["title"] for each in listed["waiting"]] == ["run quantize"]
    assert "does not" in tinyml("tracking", cwd=tmp_path).out
    assert "--yes" in tinyml("tracking", "drop", cwd=tmp_path, code=2).err
    dropped = tinyml("tracking", "drop", "--yes", "--json", cwd=tmp_path).json
    assert dropped["dropped"] == 1 and dropped["waiting"] == []
    assert "Nothing waits" in tinyml("tracking", cwd=tmp_path).out


def test_epochs_are_steps_under_the_name_of_their_part(unsent: Kept) -> None:
    seam.want(dict)
    with seam.stage("tune", None, title="tune"), seam.child("trial 0", "c0", "p"):
        with seam.under("short"):
            seam.epoch(1, {"train/loss": 1.0})
        with seam.paused():
            seam.epoch(2, {"train/loss": 9.0})
        seam.epochs_before([{"train/loss": 0.5}])
    seam.command_ended(130)
    parent, trial = sorted(unsent(), key=lambda events: events[0]["title"], reverse=True)
    told = [(event["step"], event["metrics"]) for event in trial if event["event"] == "metrics"]
    assert told == [(1, {"short/train/loss": 1.0}), (1, {"train/loss": 0.5})]
    assert trial[0]["parent"] == "p" and trial[-1]["status"] == journal.FINISHED
    assert parent[-1]["status"] == journal.KILLED


@pytest.mark.parametrize("uri", ["file:///tmp/mlruns", "mlruns", "ftp://host", "/tmp/x", "databrick"])
def test_an_address_that_mlflow_cannot_write_to_is_refused(
    unsent: Kept, uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(target.URI, uri)
    with pytest.raises(TinymlError, match="MLFLOW_TRACKING_URI"):
        target.of_environment()


def test_a_password_is_not_shown(unsent: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(target.URI, "https://me:secret@host/mlflow/")
    found = target.of_environment()
    assert str(found) == "https://host/mlflow" and "secret" in found.uri


def test_without_mlflow_the_command_says_what_to_install(
    tinyml: Tinyml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyml_cli.checks.spec_of", lambda module: None)
    answer = tinyml("evaluate", "--track", cwd=tmp_path, code=2)
    assert "pip install 'tinyml-cli[mlflow]'" in answer.err
