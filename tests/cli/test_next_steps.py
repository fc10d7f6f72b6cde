"""What tinyml tells people to type works when it is pasted: the command, its options, and any path."""

from __future__ import annotations

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Tinyml
from tests.sources import trees
from tinyml_cli import main, next_step, registry
from tinyml_cli.errors import TinymlError
from tinyml_cli.next_step import command_line

NASTY = ["my run", "$HOME", "`id`", "a;b", "it's", 'say "yes"', "-x", "はい", "a&b", "#1", "~", "x\ny", "*"]
# How long drawing takes says nothing: the machine may be busy with something else.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
COMMANDS = {path.split()[0] for path in main.command_paths()}


def parse(words: list[str]) -> Any:
    """The context that the real command line makes of the words after `tinyml`; nothing is run."""
    command: Any = typer.main.get_command(main.app)
    context = command.make_context("tinyml", list(words))
    while hasattr(command, "list_commands"):
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(name, rest, parent=context)
    return context


def documentation(tree: ast.Module) -> set[ast.expr]:
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef)
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, owners)]
    return {body[0].value for body in bodies if body and isinstance(body[0], ast.Expr)}


def test_every_step_is_understood_by_the_command_line() -> None:
    seen = 0
    for path, tree in trees(r"next_step\(|on_this_run\("):
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                continue
            if call.func.id not in ("next_step", "on_this_run") or path.name == "next_step.py":
                continue
            words = [each.value if isinstance(each, ast.Constant) else "kws" for each in call.args]
            if any(isinstance(each, ast.Starred) for each in call.args) or "kws" in words[:1]:
                continue
            try:
                parse([str(word) for word in words])
            except TinymlError as error:  # such as: there is no file `DATA`
                assert "No command" not in error.what, f"{path}:{call.lineno}: {error}"
            except Exception as error:
                pytest.fail(f"{path}:{call.lineno}: tinyml {shlex.join(map(str, words))}: {error}")
            seen += 1
    assert seen > 40


def test_no_step_is_put_together_by_hand() -> None:
    """A value in a command line is quoted by next_step alone, and nothing is left out with an ellipsis."""
    for path, tree in trees(r"tinyml [a-z-]+[^\n{}]* \{|Next: tinyml"):
        for text in ast.walk(tree):
            if not isinstance(text, ast.JoinedStr):
                continue
            for part, after in zip(text.values, [*text.values[1:], None], strict=True):
                if not isinstance(part, ast.Constant):
                    continue
                step = re.search(r"tinyml ([a-z-]+)(?: [\w./=-]+)* $", part.value)
                by_hand = step and step[1] in COMMANDS and isinstance(after, ast.FormattedValue)
                assert not by_hand, f"{path}:{text.lineno}: {part.value}"
                # Such a step would not name the run.
                assert "Next: tinyml" not in part.value, f"{path}:{text.lineno}: {part.value}"


def test_every_command_that_a_message_names_exists() -> None:
    for path, tree in trees("tinyml [a-z]"):
        documents = documentation(tree)
        for text in ast.walk(tree):
            if not isinstance(text, ast.Constant) or not isinstance(text.value, str) or text in documents:
                continue
            for step in re.findall(r"tinyml ([a-z][a-z-]+(?: [^`;:)\n]*)?)", text.value):
                words = re.split(r"[,.]? ", step.strip(" .,"))
                if words[0] not in COMMANDS:
                    continue
                assert "…" not in step, f"{path}:{text.lineno}: {step}"
                assert_options_exist(words, f"{path}:{text.lineno}: {step}")


def assert_options_exist(words: list[str], where: str) -> None:
    command: Any = typer.main.get_command(main.app)
    while hasattr(command, "list_commands") and words and words[0] in command.list_commands(None):
        command = command.get_command(None, words.pop(0))
    known = {name for parameter in command.params for name in [*parameter.opts, *parameter.secondary_opts]}
    options = {word.partition("=")[0].strip(".,`") for word in words if word.startswith("--")}
    # A group's options are those of its members, which the sentence may leave open.
    if not hasattr(command, "list_commands"):
        assert options <= known | {"--help"}, where


@pytest.mark.skipif(sys.platform == "win32", reason="asks as a POSIX shell reads")
@PATIENT
@given(st.lists(st.one_of(st.text(min_size=1), st.sampled_from(NASTY)), min_size=1))
def test_each_word_stays_one_word(words: list[str]) -> None:
    line = command_line(*words)
    assert line.isprintable()
    # A shell's own notation of control characters, which shlex does not know.
    plain = [word for word in words if word.isprintable()]
    assert shlex.split(command_line(*plain)) == plain


@pytest.mark.skipif(sys.platform == "win32", reason="asks a POSIX shell")
@pytest.mark.parametrize("name", [*NASTY, "a\x1b[31m'b\\n", "\xa0é\u202e", "\udc80"])
def test_a_shell_expands_nothing(name: str, tmp_path: Path) -> None:
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    line = command_line("printf", "%s", Path(name))
    answer = subprocess.run(["bash", "-c", line], capture_output=True, check=True, cwd=tmp_path).stdout
    assert Path(os.fsdecode(answer)) == Path(name) and not answer.startswith(b"-") and line.isprintable()


def test_windows_quotes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(next_step.os, "name", "nt")
    assert command_line("tinyml", "build", "a b", r"C:\runs\x") == r'tinyml build "a b" C:\runs\x'


@pytest.mark.parametrize("name", ["my run", "$x", "it's", "-x"])
def test_outcomes_name_the_run(name: str) -> None:
    from tinyml_cli.build.target import build_target
    from tinyml_cli.build.tenants import monitor_step
    from tinyml_cli.outcomes.base import File
    from tinyml_cli.outcomes.comparisons import TrialCounts, Tuned
    from tinyml_cli.outcomes.stages import Converted, Quantized, Trained
    from tinyml_cli.run import Run
    from tinyml_cli.stages import calibrate
    from tinyml_cli.stages import common as stages
    from tinyml_cli.stages import convert as convert_stage
    from tinyml_cli.tuning import outcome as tuning

    run = str(Path(name)) if name.startswith("-") else f"runs/{name}"
    counts = TrialCounts(complete=1, stopped_early=0, over_limits=0, taken_up_again=0, running=0)
    quantized = Quantized(
        run=run,
        method="ptq",
        split="train",
        calibration_samples=5,
        seed=1,
        scheme={},
        layers=[],
        pictures=[],
    )
    int8 = File(bytes=1, sha256="0" * 64)
    texts = [
        stages.train_text(
            Trained(run=run, seconds=1.0, n_train=1, n_validation=1, n_test=1, metrics={}, history=[])
        ),
        calibrate.sentence(quantized),
        calibrate.sentence(quantized.model_copy(update={"path": "x", "bytes": 5})),
        convert_stage.sentence(Converted.model_construct(run=run, mismatches=None, int8=int8)),
        tuning.sentence(Tuned(study="s", run=run, trials=[], picture="p", counts=counts)),
        f"Next: {monitor_step(Run(Path(run)), build_target('sim'))}",
    ]
    for text in texts:
        line = text.partition("Next: ")[2].splitlines()[0]
        program, *words = shlex.split(line)
        assert program == "tinyml" and parse(words)
        assert any(Path(word) == Path(run) for word in words), line


def test_an_error_names_the_run_that_was_meant(tinyml: Tinyml, tmp_path: Path) -> None:
    """Also where it arises far from the command, and where another run is the latest."""
    run = tmp_path / "runs" / "my run"
    run.mkdir(parents=True)
    manifest = '{"schema_version": 1, "task": "kws", "seed": 1, "labels": ["silence", "unknown", "yes"]}'
    (run / "manifest.json").write_text(manifest)
    (run / "recipe.yaml").write_text("task: kws\n")
    for arguments in (["convert"], ["build", "--board", "sim"], ["quantize"], ["evaluate"]):
        step = tinyml(arguments[0], "my run", *arguments[1:], "--json", cwd=tmp_path, code=2).json["error"]
        quoted = re.search(r"`(tinyml [^`]*)`|(tinyml .*)", step["next_step"])
        assert quoted, step
        words = shlex.split(quoted[1] or quoted[2])[1:]
        assert parse(words) and "runs/my run" in words, step


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["explain", "clip.wav", "kws-a"], "tinyml explain kws-a clip.wav"),
        (["drift", "log.jsonl", "runs/kws-a"], "tinyml drift runs/kws-a log.jsonl"),
        (["explain", "a", "b", "c"], "tinyml explain [RUN] CLIP"),
        (["tran"], "No command `tran`. Did you mean `train`?"),
        (["data", "chek"], "No command `data chek`. Did you mean `data check`?"),
        (["record"], "Did you mean `data record`?"),
        (["deploy"], "Commands for this: export-c-array, export-library, build, flash"),
        (
            ["train", "kws", "--wrods", "yes"],
            "No option `--wrods` [tinyml train kws]. Did you mean `--words`?",
        ),
        (["--json", "boards"], "tinyml COMMAND --json"),
        (["train", "kwz"], "Did you mean `kws`?"),
        (["build", "kws-a", "--board", "nano33"], "Did you mean `nano33ble` or `nano33ble_rev2`?"),
        (["recipes", "show", "kws_smal"], "Did you mean `kws_small`?"),
        (["train", "wand", "--config", "kws_small"], "for the task `kws`"),
    ],
)
def test_mistakes_are_answered_with_what_was_meant(
    tinyml: Tinyml, tmp_path: Path, arguments: list[str], says: str
) -> None:
    run = tmp_path / "runs" / "kws-a"
    run.mkdir(parents=True)
    (run / "manifest.json").write_text('{"schema_version": 1, "task": "kws", "seed": 1}')
    assert says in tinyml(*arguments, cwd=tmp_path, code=2).err


@pytest.mark.parametrize("group", [[], ["data"], ["train"], ["pipeline"]])
def test_a_group_alone_shows_its_help_whole(tinyml: Tinyml, tmp_path: Path, group: list[str]) -> None:
    text = tinyml(*group, cwd=tmp_path).out
    assert text.startswith("Usage: tinyml") and "…" not in text and "..." not in text.partition("\n")[2]
    assert all(len(line) <= 80 for line in text.splitlines())
    for path in main.command_paths():
        *parents, name = path.split()
        assert parents != group or re.search(rf"^  {re.escape(name)} ", text, re.MULTILINE), path


def test_recipes_are_listed_shown_and_copied(tinyml: Tinyml, tmp_path: Path) -> None:
    listed = tinyml("recipes", "--json", cwd=tmp_path).json["recipes"]
    assert {recipe["task"] for recipe in listed} == set(registry.built_in())
    assert all(recipe["summary"] for recipe in listed)
    whole = {recipe["name"]: recipe["summary"] for recipe in listed}
    assert whole["kws_stream"].endswith("for hours")  # its sentence goes on in a second line
    assert tinyml("recipes", cwd=tmp_path).out.count("kws_small") == 1
    shown = tinyml("recipes", "show", "wand", cwd=tmp_path).out
    assert shown == Path(listed[-1]["path"]).read_text()
    answer = tinyml("recipes", "copy", "wand", "my recipe.yaml", cwd=tmp_path)
    assert shlex.split(answer.out.partition("Next: ")[2])[-1] == "my recipe.yaml"
    (tmp_path / "my recipe.yaml").write_text("mine")
    assert "already" in tinyml("recipes", "copy", "wand", "my recipe.yaml", cwd=tmp_path, code=2).err
    assert (tmp_path / "my recipe.yaml").read_text() == "mine"
    tinyml("recipes", "copy", "wand", ".", cwd=tmp_path)
    assert (tmp_path / "wand.yaml").read_text() == shown


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_recipe_is_found_by_name_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tinyml_cli import recipes

    monkeypatch.chdir(tmp_path)
    assert (
        recipes.resolve("kws", Path("kws12"), [], {}).title
        == recipes.resolve("kws", Path("kws12.yaml"), [], {}).title
    )


def test_a_step_goes_on_accepting_what_was_accepted() -> None:
    for section in main.SECTIONS.values():
        for name in section:
            _, command, _ = (group := typer.main.get_command(main.app)).resolve_command(None, [name])  # type: ignore[attr-defined]
            has_option = any("--accept-partial" in parameter.opts for parameter in command.params)
            assert has_option == (name in next_step.TAKE_PARTIAL), (group, name)
    with next_step.one_command():
        assert next_step.next_step("convert", "a") == "tinyml convert a"
        parse(["quantize", "a", "--accept-partial"])
        assert next_step.next_step("convert", "a") == "tinyml convert a --accept-partial"
        assert next_step.next_step("runs", "show", "a") == "tinyml runs show a"
    with next_step.one_command():
        assert next_step.next_step("convert", "a") == "tinyml convert a"
