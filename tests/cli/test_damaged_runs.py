"""A finished run with one field damaged: every command that reads it works or refuses it in a paragraph."""

from __future__ import annotations

import copy
import hashlib
import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import pattern_task
from tests.conftest import Tinyml
from tinyml_cli.errors import EXIT_DEFECT
from tinyml_cli.run import MANIFEST, RECIPE

STATE = "logs/checkpoint/state.json"
REMOVED = object()
VALUES: tuple[Any, ...] = (
    None, -1, 0, 10**18, 2**63 - 1, 1e300, -1e-300, "", "x" * 500, "NaN", [], ["a"], [[1]], {}, {"a": 1},
    True, "../../x", json.loads("[" * 35 + "]" * 35), float("nan"),
)  # fmt: skip
COMMANDS = (
    ("card", "RUN"),
    ("inspect", "RUN"),
    ("compare", "RUN", "--no-profile"),
    ("export-c-array", "RUN"),
    ("export-library", "RUN"),
    ("evaluate", "RUN", "--no-noise"),
    ("runs",),
    ("runs", "show", "RUN"),
    ("drift", "RUN", "RUN/log"),
    ("explain", "RUN", "RUN/log"),
    ("fairness", "RUN"),
    ("bench", "RUN", "--data", "RUN"),
    ("monitor", "RUN", "--board", "nano33ble", "--port", "nowhere"),
)


@pytest.fixture
def run(tmp_path: Path, patterns_task: None) -> Path:
    folder = Path(shutil.copytree(pattern_task.converted(), tmp_path / "runs" / "a"))
    (folder / "log").write_text('{"event":"x"}\n')
    (folder / STATE).parent.mkdir(parents=True, exist_ok=True)
    (folder / STATE).write_text(
        '{"fingerprint": "x", "epochs": 3, "epochs_done": 3, "history": [{"loss": 1.0}]}'
    )
    return folder


def _places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, value in document.items() if isinstance(document, dict) else enumerate(document[:1]):
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from _places(value, (*path, key))


def _damaged(document: Any, rng: random.Random) -> tuple[Any, str]:
    damaged, path = copy.deepcopy(document), rng.choice(list(_places(document)))
    value, node = rng.choice((REMOVED, *VALUES)), damaged
    for key in path[:-1]:
        node = node[key]
    if value is REMOVED:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return damaged, f"{path}: {value!r}"


def _damage(run: Path, name: str, rng: random.Random) -> str:
    """Damages a file, and has the manifest agree with it: its hash alone must not be what refuses it."""
    path = run / name
    read, write = (yaml.safe_load, yaml.safe_dump) if name == RECIPE else (json.loads, json.dumps)
    damaged, what = _damaged(read(path.read_text()), rng)
    path.write_text(write(damaged))
    if name == RECIPE:
        manifest = json.loads((run / MANIFEST).read_text())
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        for entry in manifest["artifacts"].values():
            entry["made_from"] |= {RECIPE: digest} if RECIPE in entry["made_from"] else {}
        if RECIPE in manifest["artifacts"]:
            manifest["artifacts"][RECIPE]["sha256"] = digest
        (run / MANIFEST).write_text(json.dumps(manifest))
    return f"{name} {what}"


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_field_never_reaches_the_net(tinyml: Tinyml, run: Path, seed: int) -> None:
    rng = random.Random(seed)
    whole = {name: (run / name).read_bytes() for name in (MANIFEST, RECIPE, STATE)}
    for _ in range(5):
        what = _damage(run, rng.choice((MANIFEST, MANIFEST, RECIPE, STATE)), rng)
        command = rng.choice(COMMANDS)
        arguments = [part.replace("RUN", str(run)) for part in command]
        answer = tinyml(*arguments, cwd=run.parent.parent, code=None)
        assert answer.code != EXIT_DEFECT and "Traceback" not in answer.err, (what, command, answer.err)
        for name, content in whole.items():
            (run / name).write_bytes(content)
