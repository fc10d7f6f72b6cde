"""The registry under several processes at once, and under processes that are killed."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.model_registry.conftest import MakeRun
from tinyml_cli.model_registry import listing
from tinyml_cli.model_registry.promote import promote
from tinyml_cli.model_registry.store import Store
from tinyml_cli.model_registry.versions import add

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")]


def _start(home: Path, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tinyml_cli", "registry", *words]
    return subprocess.Popen(command, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def test_promotions_at_once_all_take_effect(tmp_path: Path, store: Store, make_run: MakeRun) -> None:
    numbers = [add(store, make_run(f"run{n}"), "lamp").number for n in range(4)]
    running = [_start(tmp_path, "promote", f"lamp@{number}") for number in numbers]
    for process in running:
        _, said = process.communicate()
        assert process.returncode == 0, said
    assert sorted(store.index("lamp").champions) == numbers and listing.verify(store).ok


def test_the_loser_of_two_promotions_at_once_is_judged_against_the_winner(
    tmp_path: Path, store: Store, make_run: MakeRun
) -> None:
    """Of two challengers, right about 39 and 30 of 40 items, the worse one never ends as the champion."""
    add(store, make_run("first", right=[True] * 20 + [False] * 20), "lamp")
    promote(store, "lamp")
    good = add(store, make_run("good", right=[True] * 39 + [False]), "lamp").number
    fair = add(store, make_run("fair", right=[True] * 30 + [False] * 10), "lamp").number
    running = {number: _start(tmp_path, "promote", f"lamp@{number}") for number in (good, fair)}
    said = {number: process.communicate()[1] for number, process in running.items()}
    index = store.index("lamp")
    assert running[good].returncode == 0 and index.champion == good, said
    assert running[fair].returncode == (0 if fair in index.champions else 1), said
    judged_against = [change.champion_before for change in index.history if change.action == "promote"]
    assert judged_against == [None, *index.champions[:-1]] and listing.verify(store).ok


def test_additions_at_once_all_get_a_number(tmp_path: Path, store: Store, make_run: MakeRun) -> None:
    paths = [str(make_run(f"run{n}").path) for n in range(4)]
    running = [_start(tmp_path, "add", path, "--name", "lamp") for path in paths]
    assert [process.wait() for process in running] == [0] * 4
    assert list(store.index("lamp").versions) == [1, 2, 3, 4] and listing.verify(store).ok


def test_a_killed_promotion_promotes_wholly_or_not_at_all(
    tmp_path: Path, store: Store, make_run: MakeRun
) -> None:
    rng = random.Random(1)
    add(store, make_run("first"), "lamp")
    promote(store, "lamp")
    started = time.monotonic()
    _start(tmp_path, "promote", "lamp@1").wait()
    length_s = time.monotonic() - started
    for n in range(12):
        before = store.index("lamp")
        add_it = _start(tmp_path, "add", str(make_run(f"run{n}").path), "--name", "lamp")
        time.sleep(rng.uniform(0.3, 1.1) * length_s)
        add_it.kill()
        add_it.wait()
        promotion = _start(tmp_path, "promote", "lamp")
        time.sleep(rng.uniform(0.3, 1.1) * length_s)
        promotion.kill()
        promotion.wait()
        after = store.index("lamp")
        assert listing.verify(store).ok
        assert after.champions in (before.champions, [*before.champions, max(after.versions)])
    assert promote(store, f"lamp@{add(store, make_run('last'), 'lamp').number}").promoted
