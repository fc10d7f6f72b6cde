"""What a card says of security: whose data a model reveals, what leaves the device, and attacks."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Tinyml
from tests.doubles import sine_run
from tests.outcomes import check as check_outcome
from tinyml_cli import registry
from tinyml_cli.card.card import write_card
from tinyml_cli.evaluation.membership import Losses, revealed
from tinyml_cli.run import Run
from tinyml_cli.tasks.kws.task import TRAINING_SAMPLE


def test_losses_of_one_kind_are_a_guess_and_others_are_not() -> None:
    rng = np.random.default_rng(2)
    guess = revealed(Losses(rng.exponential(1, 900), rng.exponential(1, 700), "cross-entropy"))
    assert guess is not None and guess.ci95[0] < 0.5 < guess.ci95[1] and guess.advantage < 0.1
    sure = revealed(Losses(rng.uniform(0, 1, 90), rng.uniform(2, 3, 70), "cross-entropy"))
    assert sure is not None and (sure.auc, sure.advantage) == (1, 1)
    assert (sure.n_trained, sure.n_held_out) == (90, 70) and sure.mean_held_out > sure.mean_trained
    backwards = revealed(Losses(rng.uniform(2, 3, 90), rng.uniform(0, 1, 70), "cross-entropy"))
    assert backwards is not None and (backwards.auc, backwards.advantage) == (0, 0)
    assert revealed(Losses(np.empty(0), np.ones(5), "cross-entropy")) is None


def test_equal_losses_cannot_be_told_apart() -> None:
    found = revealed(Losses(np.zeros(40), np.zeros(30), "cross-entropy"))
    assert found is not None and (found.auc, found.advantage) == (0.5, 0)


# The sources of each application, from which its events can be read.
SOURCES = {
    "kws": ("kws", "listener", "session"),
    "vww": ("vww", "looker", "session"),
    "wand": ("wand", "session"),
    "anomaly": ("anomaly", "session"),
    "hello": ("hello", "session"),
    "cascade": ("kws", "listener", "looker", "gate", "session"),
}
# Answers of the host's own questions, and the state of the device.
ANSWERS = {"ack", "nak", "ready", "output", "sensors", "fault", "led"}


@pytest.mark.parametrize("application", SOURCES)
def test_every_event_of_the_firmware_is_disclosed(application: str, repository: Path) -> None:
    code = "".join(
        (repository / "firmware" / "src" / f"{name}.cpp").read_text() for name in SOURCES[application]
    )
    listed = {each.event: each.when for each in registry.task(application).monitor.sends}
    assert set(re.findall(r'begin\("(\w+)"\)', code)) - ANSWERS <= set(listed)
    gate = r'traces\(kTrace(\w+)\)\) \{\s*session_?(?:->|\.)event\(\)\s*\.begin\("(\w+)"'
    gated = re.findall(gate, code)
    assert gated or application == "hello"
    for mode, event in gated:
        assert listed[event] == mode.lower()
    asked_for = {name.lower() for name in re.findall(r"traces\(kTrace(\w+)\)", code)}
    assert {when for when in listed.values() if when != "always"} <= asked_for


def test_a_run_without_training_items_says_so(tmp_path: Path, tinyml: Tinyml) -> None:
    run = sine_run.make(tmp_path / "run")
    outcome = tinyml("card", run.path, "--json", cwd=tmp_path).json
    check_outcome("card", outcome)
    security = outcome["card"]["security"]
    assert security["membership"] is None and "keeps no items" in security["not_measured"]
    assert [row["event"] for row in security["leaves"]] == ["wave", "status"] and security["attack"] is None
    text = run.file("report/card.md").read_text()
    assert "run `tinyml attack`" in text and "Not measured: the task keeps no items" in text


def test_membership_and_what_leaves_a_keyword_spotter(whistle_run: Path, tmp_path: Path) -> None:
    import shutil

    run = Run(Path(shutil.copytree(whistle_run, tmp_path / "run")))
    security = write_card(run).card.security
    assert security.membership is not None and security.not_measured is None
    assert security.membership.n_trained > 20 and security.membership.n_held_out > 10
    assert 0 <= security.membership.ci95[0] <= security.membership.auc <= security.membership.ci95[1] <= 1
    signal = {row.event: row.when for row in security.leaves if row.is_signal}
    assert signal == {"features": "features", "audio": "audio"}, "by itself nothing of the sound leaves"
    text = run.file("report/card.md").read_text()
    assert f"**{security.membership.auc:.3f}**" in text and "`trace audio`" in text
    with np.load(run.file(TRAINING_SAMPLE)) as archive:
        kept = {name: archive[name] for name in archive if not name.startswith("plain")}
    np.savez(run.file(TRAINING_SAMPLE), **kept)
    manifest = run.manifest()
    run.record(manifest, TRAINING_SAMPLE, "tinyml train")
    run.save(manifest)
    assert "earlier version" in str(write_card(run).card.security.not_measured)
    facts = json.loads(run.file("report/card.json").read_text())
    assert facts["security"]["membership"] is None
