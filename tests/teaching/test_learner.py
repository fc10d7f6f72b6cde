"""A board that is taught words: the bytes that the host gives, the scores of the run, and lost power."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.firmware.board_tools import require_tools
from tests.firmware.native import compile_harness, run
from tests.firmware.test_kws_app import Device
from tests.teaching.sounds import RATE_HZ, WORDS
from tests.teaching.test_teach import files, spoken
from tinyml_cli.build.build import build
from tinyml_cli.build.target import LEARNER, build_target
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.audio_frontend import extract, quantize_features
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.teaching import lesson, on_board, takes, teach
from tinyml_cli.teaching.firmware import learner
from tinyml_cli.teaching.row_training import RowTraining, practise
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse
from tinyml_cli.word_embedding import embedding

pytestmark = pytest.mark.slow
__all__ = ["files", "spoken"]

FIRST, SECOND, THIRD = WORDS


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, files: dict[str, list[Path]]) -> Run:
    path = tmp_path_factory.mktemp("learner") / "home"
    teach.teach(str(path), FIRST, files[FIRST])
    return Run.open(str(path))


@pytest.fixture(scope="module")
def native(home: Run) -> Path:
    return firmware(home, "native")


def firmware(home: Run, board: str) -> Path:
    require_tools(board)
    return Path(build(home, learner(home, build_target(board, app=LEARNER))).elf)


def teach_board(device: Device, word: str, paths: list[Path]) -> list[dict]:
    """Teaches by the sound that the host's own lesson hears; returns what the board said last."""
    assert device.command(f"learn 1 {len(paths)} {word}")["event"] == "ack"
    for take in takes.read(paths):
        device.command("reset 2")
        device.play(embedding.stream(take.clip))
    return device.events("learned") + device.events("not_learned")


def words(device: Device) -> dict[str, tuple[str, str, int]]:
    device.command("list 3")
    return {e["word"]: (e["prototype"], e["weights"], e["bias"]) for e in device.events("word")}


def of_host(word: str, paths: list[Path]) -> tuple[str, str, int]:
    found = lesson.learn(word, takes.read(paths))
    return found.prototype.tobytes().hex(), found.weights.tobytes().hex(), found.bias


def ended(device: Device) -> None:
    device.process.kill()
    device.process.wait()


@pytest.mark.parametrize("board", ["native", "sim"])
def test_a_board_learns_the_bytes_of_the_host_and_scores_as_the_run(
    board: str, home: Run, files: dict[str, list[Path]], spoken: dict[str, np.ndarray], tmp_path: Path
) -> None:
    device = Device(board, firmware(home, board))
    try:
        assert device.wait("ready")["app"] == LEARNER
        assert [event["event"] for event in teach_board(device, SECOND, files[SECOND][:3])] == ["learned"]
        assert words(device) == {
            FIRST: of_host(FIRST, files[FIRST]),
            SECOND: of_host(SECOND, files[SECOND][:3]),
        }
        both = tmp_path / "both"
        teach.teach(str(both), FIRST, files[FIRST])
        teach.teach(str(both), SECOND, files[SECOND][:3])
        sound = np.concatenate([spoken[SECOND][5], spoken[FIRST][6], spoken[SECOND][8]])
        device.command("reset 4")
        device.command("trace 5 scores")
        device.play(sound)
        scores = [event["q"] for event in device.events("scores")]
        assert np.array_equal(scores, of_run(Run.open(str(both)), sound))
        assert {event["label"] for event in device.events("detection")} == {FIRST, SECOND}
        assert device.command(f"forget 6 {SECOND}")["event"] == "ack"
        assert list(words(device)) == [FIRST]
        device.command("reset 7")
        device.play(sound)
        assert {event["label"] for event in device.events("detection")} == {FIRST}
    finally:
        ended(device)


def of_run(run: Run, sound: np.ndarray) -> np.ndarray:
    """The scores of the run's own model at the windows that a board judges."""
    model = (run.path / MODEL_INT8).read_bytes()
    source, _ = interpret.io_quantization(parse(model))
    settings, stride = embedding.settings(), run.manifest().recognizer.inference_stride_frames
    codes = quantize_features(extract(sound, settings), source.scale, source.zero_point)
    frames = settings.frames(RATE_HZ)
    windows = [codes[end - frames : end] for end in range(frames, len(codes) + 1, stride)]
    return interpret.run_int8(model, np.stack(windows), interpret.reference_runtime())


def test_what_cannot_be_taught_is_refused_with_its_reason(native: Path, files: dict[str, list[Path]]) -> None:
    device = Device("native", native)
    try:
        device.wait("ready")
        mixed = [*files[SECOND][:3], files[THIRD][0]]
        (refused,) = teach_board(device, SECOND, mixed)
        assert (refused["reason"], refused["take"]) == ("takes_disagree", 4)
        (near,) = teach_board(device, "other", files[FIRST][:4])
        assert (near["reason"], near["other"]) == ("too_near", FIRST)
        for asked in (
            f"learn 1 2 {SECOND}", f"learn 1 11 {SECOND}", f"learn 1 5 {FIRST}", "learn 1 5 " + "a" * 44,
            "forget 1 nobody", f"forget 1 {FIRST}",
        ):  # fmt: skip
            assert device.command(asked) == {"event": "nak", "seq": 1, "reason": "range"}
        for asked in ("learn 1 5", "learn 1 x word", "forget 1", "list 1 all", "learn 1 5 a\tb"):
            assert device.command(asked) == {"event": "nak", "seq": 1, "reason": "format"}
        assert device.command(f"learn 1 3 {SECOND}")["event"] == "ack"
        device.play(np.zeros(61 * RATE_HZ, np.int16))
        assert [event["reason"] for event in device.events("not_learned")] == ["no_take"]
        assert list(words(device)) == [FIRST]
    finally:
        ended(device)


def test_words_survive_power_lost_at_every_write(
    native: Path, files: dict[str, list[Path]], tmp_path: Path
) -> None:
    """Each of the flash's operations is the last one once: what was there before or after it is there."""
    learned = of_host(SECOND, files[SECOND][:3])
    steps: list[tuple[str, Callable[[Device], object], dict[str, object]]] = [
        ("learn", lambda device: teach_board(device, SECOND, files[SECOND][:3]), {SECOND: learned}),
        ("forget", lambda device: device.command(f"forget 1 {SECOND}"), {}),
    ]
    flash = tmp_path / "flash"
    before: dict[str, object] = {}
    for _, act, after in steps:
        start = flash.read_bytes() if flash.is_file() else None
        for operation in itertools.count(1):
            flash.unlink(missing_ok=True)
            if start is not None:
                flash.write_bytes(start)
            was_cut = not survives(native, flash, operation, act)
            assert on_flash(native, flash) in (before, after)
            if not was_cut:
                break
        assert operation > 1
        assert on_flash(native, flash) == after
        before = after


def survives(native: Path, flash: Path, operation: int, act: Callable[[Device], object]) -> bool:
    """Whether the board lived through an act, of whose operations one is cut."""
    device = started(native, flash, operation)
    try:
        device.wait("ready")
        act(device)
    except (AssertionError, BrokenPipeError):
        return False
    finally:
        ended(device)
    return True


def started(native: Path, flash: Path, operation: int = 0) -> Device:
    device = Device.__new__(Device)
    surroundings = os.environ | {"TINYML_FLASH": str(flash), "TINYML_FLASH_CUT": str(operation)}
    device.process = subprocess.Popen(
        [str(native)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=surroundings
    )
    device.lines = []
    return device


def on_flash(native: Path, flash: Path) -> dict[str, object]:
    device = started(native, flash)
    try:
        device.wait("ready")
        return {word: values for word, values in words(device).items() if word != FIRST}
    finally:
        ended(device)


def test_a_full_page_makes_room_and_keeps_what_it_holds(tmp_path: Path) -> None:
    """In the store alone: hundreds of words come and go, with power lost anywhere; see the harness."""
    program = compile_harness("word_store", "teaching", "protocol", "hal")
    assert run(program) == b"ok\n"


def test_what_a_board_learned_becomes_part_of_the_run(
    home: Run, native: Path, files: dict[str, list[Path]], tmp_path: Path
) -> None:
    run = Run.open(shutil.copytree(home.path, tmp_path / "home"))
    target = build_target("native", app=LEARNER)
    with pytest.raises(TinymlError, match="learned no words"):
        on_board.collect(run, target)
    with pytest.raises(TinymlError, match=r"no microphone.*--replay"):
        on_board.learn(run, target, SECOND, on_board.Ears())
    with pytest.raises(TinymlError, match="too long for the board"):
        on_board.learn(run, target, "ä" * 22, on_board.Ears(folder(tmp_path / "a", files[SECOND])))
    mixed = folder(tmp_path / "mixed", [*files[SECOND][:3], files[THIRD][0]])
    with pytest.raises(TinymlError, match="Take 4 does not sound like the others"):
        on_board.learn(run, target, SECOND, on_board.Ears(mixed))
    learned = on_board.learn(run, target, SECOND, on_board.Ears(folder(tmp_path / "b", files[SECOND][:3])))
    assert learned.words == [FIRST, SECOND]
    assert all(run.file(name).is_file() for name in learned.takes)
    with pytest.raises(TinymlError, match="knows `banana` already"):
        on_board.learn(run, target, SECOND, on_board.Ears(tmp_path / "b"))
    found = on_board.collect(run, target)
    assert [(each.word, len(each.takes)) for each in found.words] == [(FIRST, 5), (SECOND, 3)]
    by_host = tmp_path / "host"
    teach.teach(str(by_host), FIRST, files[FIRST])
    teach.teach(str(by_host), SECOND, files[SECOND][:3])
    assert (by_host / MODEL_INT8).read_bytes() == run.file(MODEL_INT8).read_bytes()
    with pytest.raises(TinymlError, match=r"Stale firmware.*--app learner"):
        on_board.collect(run, target)


def folder(path: Path, takes_of_it: list[Path]) -> Path:
    path.mkdir()
    for number, each in enumerate(takes_of_it):
        shutil.copy(each, path / f"{number}.wav")
    return path


def test_firmware_that_learns_takes_a_run_that_was_taught(home: Run) -> None:
    with pytest.raises(TinymlError, match=r"takes a run that was taught.*tinyml teach"):
        build(home, build_target("native", app=LEARNER))


def trained_by_host(files: dict[str, list[Path]], played: list[Path]) -> dict[str, tuple[str, int]]:
    """Rows of FIRST and SECOND after training SECOND by other takes."""
    lessons = [
        lesson.learn(word, takes.read(files[word][:3] if word == SECOND else files[word]))
        for word in (FIRST, SECOND)
    ]
    training = RowTraining.of(
        np.stack([each.weights for each in lessons]), np.array([each.bias for each in lessons], np.int32)
    )
    windows = [embedding.heard(take.clip) for take in takes.read(played)]
    units = embedding.units(np.stack([each for each in windows if each is not None]))
    usable = ~np.array([SECOND in words for words in embedding.card().other_words])
    practise(training, units.reshape(-1, units.shape[-1]), 1, embedding.other_sound(), usable)
    return {
        word: (weights.tobytes().hex(), int(bias))
        for word, weights, bias in zip((FIRST, SECOND), *training.rows(), strict=True)
    }


def rows(device: Device) -> dict[str, tuple[str, int]]:
    return {word: (weights, bias) for word, (_, weights, bias) in words(device).items()}


def train_board(device: Device, word: str, paths: list[Path]) -> list[dict]:
    assert device.command(f"train 1 {len(paths)} {word}")["event"] == "ack"
    for take in takes.read(paths):
        device.command("reset 2")
        device.play(embedding.stream(take.clip))
    return device.events("trained") + device.events("not_learned")


@pytest.mark.parametrize("board", ["native", "sim"])
def test_a_board_trains_the_rows_of_numpy(board: str, home: Run, files: dict[str, list[Path]]) -> None:
    device = Device(board, firmware(home, board))
    try:
        device.wait("ready")
        teach_board(device, SECOND, files[SECOND][:3])
        for asked in (f"train 1 2 {SECOND}", f"train 1 11 {SECOND}", "train 1 5 nobody"):
            assert device.command(asked) == {"event": "nak", "seq": 1, "reason": "range"}
        before = rows(device)
        (told,) = train_board(device, SECOND, files[SECOND][2:5])
        assert (told["event"], told["word"], told["takes"]) == ("trained", SECOND, 3)
        after = rows(device)
        assert after == trained_by_host(files, files[SECOND][2:5])
        assert told["rows"] == sum(after[word] != before[word] for word in after) > 0
        assert device.command(f"forget 3 {FIRST}")["event"] == ("ack" if told["rows"] == 2 else "nak")
        assert rows(device)[FIRST] == before[FIRST]
    finally:
        ended(device)


def test_rows_survive_power_lost_at_every_write(
    native: Path, files: dict[str, list[Path]], tmp_path: Path
) -> None:
    """Each row is the one before or after."""
    flash = tmp_path / "flash"
    survives(native, flash, 0, lambda device: teach_board(device, SECOND, files[SECOND][:3]))
    start = flash.read_bytes()
    before, after = rows_on(native, flash), trained_by_host(files, files[SECOND][2:5])
    for operation in itertools.count(1):
        flash.write_bytes(start)
        was_cut = not survives(
            native, flash, operation, lambda device: train_board(device, SECOND, files[SECOND][2:5])
        )
        found = rows_on(native, flash)
        assert found.keys() == before.keys()
        assert all(found[word] in (before[word], after[word]) for word in found)
        if not was_cut:
            break
    assert operation > 3 and found == after


def rows_on(native: Path, flash: Path) -> dict[str, tuple[str, int]]:
    device = started(native, flash)
    try:
        device.wait("ready")
        return rows(device)
    finally:
        ended(device)


@pytest.mark.usefixtures("native")
def test_the_command_has_a_board_train(home: Run, files: dict[str, list[Path]], tmp_path: Path) -> None:
    run = Run.open(shutil.copytree(home.path, tmp_path / "home"))
    target = build_target("native", app=LEARNER)
    mixed = folder(tmp_path / "mixed", [*files[FIRST][:3], files[THIRD][0]])
    with pytest.raises(TinymlError, match=rf"does not know `nobody`; it knows {FIRST}.*--teach"):
        on_board.train(run, target, "nobody", on_board.Ears(mixed))
    with pytest.raises(TinymlError, match=r"Take 4 does not sound like the others.*--train"):
        on_board.train(run, target, FIRST, on_board.Ears(mixed))
    trained = on_board.train(run, target, FIRST, on_board.Ears(folder(tmp_path / "own", files[FIRST][2:5])))
    assert (trained.trained_rows, trained.erasures, trained.words) == (1, 1, [FIRST])
