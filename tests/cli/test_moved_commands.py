"""Commands that were split: the older spelling is answered with a command line that works when pasted."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import typer

from tests.cli.test_next_steps import parse
from tests.conftest import Tinyml
from tinyml_cli import main

RECORD = "data record"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"{RECORD} --words yes,no --speaker anna", f"{RECORD} words --words yes,no --speaker anna"),
        (f"{RECORD} --speaker='a b' -q --words=a", f"{RECORD} words --speaker='a b' -q --words=a"),
        (f"{RECORD} --json --camera --classes cup", f"{RECORD} images --json --classes cup"),
        (f"{RECORD} --words yes --camera --seconds 3", f"{RECORD} images"),
        (f"{RECORD} --count 3 --gesture '$x'", f"{RECORD} strokes --count 3 --gesture '$x'"),
        (f"{RECORD} --gesture wing --ble any -q", f"{RECORD} strokes --gesture wing --ble any -q"),
        ("evaluate --hours 3", "evaluate-stream --hours 3"),
        ("evaluate my-run --on sim --hours 3 --no-noise", "evaluate-stream my-run --hours 3"),
        ("evaluate --save-triggers o --stream=. a-run", "evaluate-stream --save-triggers o --stream=. a-run"),
        ("evaluate --max-fa-per-hour 0.5 --data .", "evaluate-stream --max-fa-per-hour 0.5 --data ."),
    ],
)  # fmt: skip
def test_an_older_spelling_is_answered_with_the_new_one(
    tinyml: Tinyml, tmp_path: Path, old: str, new: str
) -> None:
    answer = tinyml(*shlex.split(old), cwd=tmp_path, code=2)
    assert "Traceback" not in answer.err and len(answer.err.strip().splitlines()) <= 2
    program, *words = shlex.split(answer.err.partition("Run: ")[2])
    assert program == "tinyml" and words == shlex.split(new)
    assert parse(words)
    assert not list(tmp_path.iterdir())


def test_what_is_left_out_is_said(tinyml: Tinyml, tmp_path: Path) -> None:
    answer = tinyml("evaluate", "--hours", "3", "--on", "sim", "--json", cwd=tmp_path, code=2)
    assert answer.json["error"]["what"].endswith("which has no --on")
    assert answer.json["error"]["next_step"] == "Run: tinyml evaluate-stream --hours 3 --json"


@pytest.mark.parametrize("options", [("--json",), ("--speaker", "anna", "--json")])
def test_a_recording_of_nothing_is_answered_with_the_commands(
    tinyml: Tinyml, tmp_path: Path, options: tuple[str, ...]
) -> None:
    error = tinyml(*RECORD.split(), *options, cwd=tmp_path, code=2).json["error"]
    assert all(f"tinyml {RECORD} {kind}" in error["next_step"] for kind in ("words", "images", "strokes"))


def test_a_mistyped_option_is_not_taken_for_an_older_one(tinyml: Tinyml, tmp_path: Path) -> None:
    for command in (RECORD, "evaluate", "train kws"):
        error = tinyml(*command.split(), "--wrods", "yes", "--json", cwd=tmp_path, code=2).json["error"]
        assert error["what"] == "No option `--wrods`"


def test_every_option_of_the_former_command_has_a_place() -> None:
    former = {
        *(
            "--words",
            "--speaker",
            "--gesture",
            "--ble",
            "--classes",
            "--every",
            "--out",
            "--count",
            "--board",
        ),
        *("--port", "--run", "--from-wav", "--device", "--seconds", "--countdown", "--keep-good"),
        *("--sample-rate", "--clip-ms", "--json", "--quiet"),
    }
    group = typer.main.get_command(main.app)
    for word in RECORD.split():
        group = group.get_command(None, word)  # type: ignore[attr-defined]
    members = [group.get_command(None, name) for name in group.list_commands(None)]  # type: ignore[attr-defined]
    assert former <= {
        name for member in members for each in member.params for name in each.opts if name != "-q"
    }
