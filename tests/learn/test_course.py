"""The course's pages: every command of them runs, and the table and `tinyml course` say the same."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.cli.test_next_steps import parse
from tests.conftest import Tinyml
from tests.outcomes import check as check_outcome
from tests.store import kept, package
from tinyml_cli.learn import course
from tinyml_cli.learn.course import Chapter

CHAPTERS = {chapter.number: chapter for chapter in course.chapters()}
NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
# What makes a command quick: options after a command that begins with these words.
_ONE_EPOCH = "--set training.epochs=1"
_FEW_CLIPS = (
    "--set synthesis.clips_per_word=200 --set synthesis.unknown_clips=200 --set augmentation.copies=1 "
    "--set streams.hours=0 --set operating_point.hours=0"
)
_FEW_STROKES = "--set stroke.generated_per_label=40 --set training.epoch_examples=320"
_SMALL_MACHINE = f"{_ONE_EPOCH} --set simulation.normal_sessions=16 --set simulation.session_s=20 --fpr 0.05"
QUICK = {
    "learn digits": "--units 4 --epochs 1",
    "learn overfit": "--samples 10 --epochs 1",
    "data synth": "--clips 100 --unknown 100",
    "train kws": f"{_ONE_EPOCH} {_FEW_CLIPS}",
    "pipeline kws": f"{_ONE_EPOCH} {_FEW_CLIPS} --no-gate",
    "tune kws": f"--trials 1 {_ONE_EPOCH} {_FEW_CLIPS}",
    "train vww": _ONE_EPOCH,
    "pipeline vww": f"{_ONE_EPOCH} --no-gate",
    "train mask": _ONE_EPOCH,
    "pipeline images": f"{_ONE_EPOCH} --no-gate",
    "train anomaly": _SMALL_MACHINE,
    "pipeline anomaly": f"{_SMALL_MACHINE} --no-gate",
    "pipeline wand": f"{_ONE_EPOCH} {_FEW_STROKES} --no-gate",
    "monitor": "--duration 1",
    "attack": "--items 2 --steps 2 --epochs 1",
    "prune": "--epochs 1",
    "cluster": "--epochs 1",
}
# Read in a second, on a run that nobody trained for it.
_OF_OTHER_RUNS = ("--pictures", "--groups", "variants", "narrow", "--activations", "--on")
_WRITES = ("--out", "--log", "--png", "--to", "--write-groups")
AT_ONCE = ("inspect", "export-c-array", "card", "runs", "evaluate", "schema", "boards", "recipes", "course")


def commands(chapter: Chapter) -> list[str]:
    return [command for lab in chapter.labs for command in lab.commands]


def needs_hardware(command: str) -> bool:
    return "nano33ble" in command


def quick(command: str) -> list[str]:
    """The words after `tinyml`, with what makes it quick."""
    line = command.removeprefix("tinyml ")
    more = next((options for start, options in QUICK.items() if line.startswith(start)), "")
    return shlex.split(f"{line} {more}")


@pytest.mark.parametrize("number", CHAPTERS)
def test_every_command_is_understood(number: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = ("speech", "clips", "voices", "runs/anomaly-kmeans/replay")
    for folder in ("photos", "faces", "leaves", "rps", "recordings", *made):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("yes.wav", "marvin.wav", "groups.tsv", "today.jsonl", "data-snapshot.json"):
        (tmp_path / file).touch()
    for command in commands(CHAPTERS[number]):
        parse(shlex.split(command)[1:])


@pytest.mark.parametrize("number", CHAPTERS)
def test_a_page_is_whole(number: str) -> None:
    chapter = CHAPTERS[number]
    assert chapter.text.startswith(f"# {number} {chapter.title}\n") and chapter.labs
    for lab in chapter.labs:
        assert lab.lab.startswith(number) and lab.title and (lab.commands or lab.missing), lab
    questions = chapter.text.partition("## Questions\n")[2]
    asked = re.findall(r"^\d\. \*\*(.+?)\*\* .", questions, re.MULTILINE)
    assert len(asked) == 3 and all("?" in question for question in asked)
    fences = re.findall(r"^```.*$", chapter.text, re.MULTILINE)
    assert set(fences) <= {"```sh", "```"}, "a block that no test runs"


@pytest.mark.parametrize("number", CHAPTERS)
def test_files_of_the_student_are_named(number: str) -> None:
    made: set[str] = set()
    for lab in CHAPTERS[number].labs:
        for command in lab.commands:
            words = shlex.split(command)
            named = {word for word in words if re.fullmatch(r"[\w-]+(/|/\S+\.\w+|\.(?!yaml$)[a-z]+)", word)}
            made |= {word for option, word in itertools.pairwise(words) if option in _WRITES}
            made |= {"recordings/"} if "data record" in command else set()
            made |= {f"{words[2]}/"} if words[1] == "init" else set()
            given = {re.match(r"[\w-]+(/|\.\w+)", word)[0] for word in named - made}  # type: ignore[index]
            assert given - made - {"runs/"} <= set(lab.yours), command


def test_the_table_is_that_of_the_pages(repository: Path) -> None:
    script = repository / "scripts" / "course_page.py"
    assert subprocess.run([sys.executable, script, "--check"]).returncode == 0, f"run {script.name}"


def test_the_notebooks_are_those_of_the_pages(repository: Path) -> None:
    script = repository / "scripts" / "notebooks.py"
    assert subprocess.run([sys.executable, script, "--check"]).returncode == 0
    cells = [cell for path in NOTEBOOKS for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]
    asked = [line[1:] for cell in cells for line in cell["source"] if line.startswith("!")]
    assert not re.search(r"[{}$]", "".join(asked)), "IPython would replace it"
    assert sorted(line.rstrip("\n") for line in asked) == sorted(
        command for chapter in CHAPTERS.values() for command in commands(chapter)
    )
    assert not any(cell.get("outputs") for cell in cells)


def test_what_is_missing_is_said() -> None:
    missing = {lab.lab: lab.missing for chapter in CHAPTERS.values() for lab in chapter.labs if lab.missing}
    assert missing["5.9.18"] == "Not there yet"
    told = "\n".join(chapter.text for chapter in CHAPTERS.values()).lower().count("not there yet")
    assert told == len(missing)


def test_the_command_shows_all_a_part_or_a_page(tinyml: Tinyml, tmp_path: Path) -> None:
    whole = tinyml("course", "--json", cwd=tmp_path).json
    check_outcome("course", whole)
    assert {lab["chapter"] for lab in whole["labs"]} == set(CHAPTERS)
    assert "not there yet" in tinyml("course", cwd=tmp_path).out
    part = tinyml("course", "4", "--json", cwd=tmp_path).json["labs"]
    assert {lab["chapter"][0] for lab in part} == {"4"}
    page = tinyml("course", "3.5", cwd=tmp_path).out
    assert "## Questions" in page and "```" not in page and "](" not in page
    prose = [line for line in page.splitlines() if not line.startswith("tinyml ")]
    assert max(map(len, prose)) <= 80
    assert tinyml("course", "3.5.13", cwd=tmp_path).out == page


@pytest.mark.parametrize("chapter", ["9", "3.5.99", "three", "3.", "../README"])
def test_no_such_chapter(tinyml: Tinyml, tmp_path: Path, chapter: str) -> None:
    error = tinyml("course", chapter, "--json", cwd=tmp_path, code=2).json["error"]
    assert "no chapter or lab" in error["what"] and "2.1" in error["next_step"]


def test_commands_that_read_a_run(tinyml: Tinyml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.doubles import sine_run

    monkeypatch.chdir(tmp_path)
    sine_run.make(Path("runs", "hello")).make_latest()
    lines = dict.fromkeys(line for chapter in CHAPTERS.values() for line in commands(chapter))
    done = [
        tinyml(*quick(line), cwd=tmp_path)
        for line in lines
        if line.split()[1] in AT_ONCE and not any(word in line for word in _OF_OTHER_RUNS)
    ]
    assert len(done) >= 8


def _hello(folder: Path) -> None:
    from tests.conftest import _in_this_process

    answer = _in_this_process(["pipeline", "hello", "--board", "native"], folder, {})
    assert answer.code == 0, answer.err


def _write_photos(folder: Path, *classes: str) -> None:
    """Noise of another brightness for each class: any network tells them apart."""
    from PIL import Image

    rng = np.random.default_rng(5)
    for brightness, name in zip((150, 0, 75), classes, strict=False):
        (folder / name).mkdir(parents=True)
        for number in range(60):
            pixels = rng.integers(brightness, brightness + 100, (48, 48, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")


def _prepare(home: Path, page: str) -> None:
    """What a page takes for granted: a run of an earlier page, photographs, a recording, groups."""
    if "hello" in page:
        shutil.copytree(
            kept("course-hello", [package(), Path(__file__)], _hello) / "runs", home / "runs", symlinks=True
        )
    if "photos/" in page:
        _write_photos(home / "photos", "person", "none")
    if "faces/" in page:
        _write_photos(home / "faces", "mask", "none")
    if "rps/" in page:
        _write_photos(home / "rps", "rock", "paper", "scissors")
    if "leaves/" in page:
        _write_photos(home / "leaves", "healthy", "rust", "spot")
    for name in ("marvin.wav", "yes.wav"):
        if name in page:
            rng = np.random.default_rng(6)
            takes = [(rng.normal(0, 3000, 8000), rng.normal(0, 20, 16000)) for _ in range(6)]
            sound = np.concatenate([part for take in takes for part in take]).astype("<i2")
            with wave.open(str(home / name), "wb") as file:
                file.setparams((1, 2, 16000, 0, "NONE", ""))
                file.writeframes(sound.tobytes())
    (home / "groups.tsv").write_text("speaker\tgroup\nflite\tone\n")


def _as_tested(cell: str) -> str:
    """The cell of a command with what makes it quick, and a check; `pass` where it needs a board."""
    command = cell.partition("\n")[0].removeprefix("!")
    if needs_hardware(command):
        return "pass"
    allowed = "(0, 1)" if command.startswith("tinyml drift") else "(0,)"
    line = shlex.join(["tinyml", *quick(command)])
    return f"!{line}\nassert _exit_code in {allowed}, {line!r}\nshow()"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_two_commands_of_a_notebook_fill_the_same_folder(path: Path) -> None:
    """Pages stand for themselves; in a notebook of several, the second would be refused."""
    lines = [line for cell in json.loads(path.read_text())["cells"] for line in cell["source"]]
    folders = [line.split("--out ")[1].split()[0] for line in lines if line.startswith("!tinyml data synth")]
    assert len(folders) == len(set(folders))


def _by_length() -> Iterator[object]:
    """The notebooks, those that train for minutes only at night."""
    for path in NOTEBOOKS:
        short = path.stem in ("deployment", "fundamentals")
        yield pytest.param(path, id=path.stem, marks=pytest.mark.slow if short else pytest.mark.nightly)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("path", _by_length())
def test_every_command_of_a_notebook_runs(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The notebooks hold every command of the pages, see above."""
    pytest.importorskip("tensorflow", reason="extra `train` is not installed")
    nbformat = pytest.importorskip("nbformat", reason="extra `dev` is not installed")
    nbclient = pytest.importorskip("nbclient", reason="extra `dev` is not installed")
    document = nbformat.read(path, as_version=4)
    _prepare(tmp_path, "\n".join(cell.source for cell in document.cells))
    for cell in document.cells:
        if cell.cell_type == "code" and cell.source.startswith("!"):
            cell.source = _as_tested(cell.source)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    folder = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(document, timeout=1200, kernel_name="python3", resources=folder).execute()
    assert any(
        "image/png" in output.get("data", {}) for cell in document.cells for output in cell.get("outputs", [])
    )
