"""Words taught in a few takes: heard when said again, refused where they cannot be told apart, forgotten."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Tinyml
from tests.engines.many_networks import build
from tests.teaching import sounds
from tests.teaching.sounds import RATE_HZ, WORDS
from tinyml_cli.data.audio_file import read_audio
from tinyml_cli.data.clip_files import wav_bytes
from tinyml_cli.data.recordings import list_own
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.audio_frontend import quantize_features
from tinyml_cli.manifest import Manifest
from tinyml_cli.run import MANIFEST, MODEL_FLOAT32, MODEL_INT8, Run
from tinyml_cli.tasks.kws.lead_in import settled
from tinyml_cli.teaching import lesson, takes, teach
from tinyml_cli.tflite import interpret
from tinyml_cli.tflite.graph import parse
from tinyml_cli.word_embedding import embedding, head, prototypes


@pytest.fixture(scope="session")
def spoken() -> dict[str, np.ndarray]:
    return sounds.spoken()


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    return sounds.take_files(tmp_path_factory.mktemp("takes"))


@pytest.fixture(scope="session")
def first(tmp_path_factory: pytest.TempPathFactory, files: dict[str, list[Path]]) -> Path:
    """A run that knows two words; not to be changed."""
    path = tmp_path_factory.mktemp("runs") / "home"
    for word in WORDS[:2]:
        teach.teach(str(path), word, files[word])
    return path


@pytest.fixture
def taught(first: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(first, tmp_path / "runs" / "home"))


def state(run: Path) -> dict[str, str]:
    """Name -> digest of every file of a run but its locks."""
    return {
        str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(run.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def scores(run: Path, clips: np.ndarray) -> np.ndarray:
    return interpret.run_int8((run / MODEL_INT8).read_bytes(), _codes(clips), interpret.reference_runtime())


def test_a_word_is_heard_when_said_again_and_other_words_are_not(
    taught: Path, spoken: dict[str, np.ndarray]
) -> None:
    labels = Manifest.load(taught / MANIFEST).labels
    assert labels == ["silence", "unknown", *WORDS[:2]]
    for word in WORDS[:2]:
        heard = scores(taught, spoken[word][5:]).argmax(axis=1)
        assert (heard == labels.index(word)).sum() >= 4
    assert (scores(taught, spoken["telephone"]).argmax(axis=1) == labels.index("unknown")).sum() >= 9


def test_teaching_and_forgetting_leaves_the_run_as_it_was(taught: Path, files: dict[str, list[Path]]) -> None:
    before = state(taught)
    added = teach.teach(str(taught), "telephone", files["telephone"])
    assert [each.word for each in added.words] == list(WORDS)
    assert state(taught) != before
    teach.forget(str(taught), "telephone")
    assert state(taught) == before


def test_the_order_of_other_words_changes_no_word(
    tmp_path: Path, taught: Path, files: dict[str, list[Path]]
) -> None:
    other = tmp_path / "other"
    for word in reversed(WORDS[:2]):
        teach.teach(str(other), word, files[word])
    words = [Manifest.load(run / MANIFEST).taught.words for run in (taught, other)]
    assert words[0] == words[1]


@pytest.mark.parametrize("name", [MODEL_FLOAT32, MODEL_INT8, MANIFEST])
def test_an_error_at_any_write_leaves_the_run_as_it_was(
    taught: Path, files: dict[str, list[Path]], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(taught)
    original = teach.write_atomic

    def fails(path: Path, content: bytes) -> None:
        if path.name == name and failing.pop():
            raise OSError("no space")
        original(path, content)

    failing = [True]
    if name == MANIFEST:
        monkeypatch.setattr(Run, "save", lambda self, manifest: fails(self.file(MANIFEST), b""))
    monkeypatch.setattr(
        teach,
        "write_atomic",
        lambda path, content: fails(path, content) if failing else original(path, content),
    )
    with pytest.raises(OSError, match="no space"):
        teach.teach(str(taught), "telephone", files["telephone"])
    after = state(taught)
    assert {name: after[name] for name in before} == before


def test_models_of_a_killed_command_are_replaced_by_those_of_the_manifest(
    taught: Path, files: dict[str, list[Path]], tmp_path: Path
) -> None:
    before = state(taught)
    killed = Path(shutil.copytree(taught, tmp_path / "killed"))
    teach.teach(str(killed), "telephone", files["telephone"])
    for name in (MODEL_FLOAT32, MODEL_INT8):
        shutil.copy(killed / name, taught / name)
    assert [each.word for each in teach.words_of(str(taught)).words] == list(WORDS[:2])
    assert state(taught) == before


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("evaluate",), "was taught, not trained"),
        (("convert",), "was taught, not trained"),
        (("quantize",), "nothing was trained"),
        (("evaluate-stream", "--hours", "0.1"), "nothing was trained"),
    ],
)
def test_what_needs_a_training_says_so(
    tinyml: Tinyml, taught: Path, command: tuple[str, ...], words: str
) -> None:
    answer = tinyml(command[0], taught, *command[1:], cwd=taught.parent, code=2)
    assert words in answer.err and "--data FOLDER" in answer.err


def test_a_run_without_words_says_so(tinyml: Tinyml, taught: Path) -> None:
    for word in WORDS[:2]:
        teach.forget(str(taught), word)
    assert "knows no word" in tinyml("export-c-array", taught, cwd=taught.parent, code=2).err


def test_takes_train_the_next_model(taught: Path) -> None:
    listed = list_own(taught / teach.FOLDER, ["lumos"])
    assert sorted({(each.label, each.group) for each in listed}) == [("lumos", "me"), ("unknown", "me")]


def test_one_recording_may_hold_all_takes(files: dict[str, list[Path]], tmp_path: Path) -> None:
    long = tmp_path / "long.wav"
    long.write_bytes(wav_bytes(np.concatenate([read_audio(p, RATE_HZ) for p in files["banana"]]), RATE_HZ))
    assert len(takes.read([long])) == 5


def test_too_few_takes_are_refused(tinyml: Tinyml, tmp_path: Path, files: dict[str, list[Path]]) -> None:
    answer = tinyml("teach", "home", "--word", "lumos", *files["lumos"][:2], cwd=tmp_path, code=2)
    assert "2 takes" in answer.err and "3 to 10" in answer.err
    assert not (tmp_path / "runs").exists()


def test_a_take_of_another_word_is_named(files: dict[str, list[Path]], tmp_path: Path) -> None:
    mixed = [*files["lumos"][:3], files["telephone"][0]]
    with pytest.raises(TinymlError, match="does not sound like the others") as refused:
        teach.teach(str(tmp_path / "run"), "lumos", mixed)
    assert refused.value.where == str(mixed[-1])


@pytest.mark.parametrize(
    ("sound", "words"),
    [
        (np.zeros(2 * RATE_HZ, np.int16), "no word is louder"),
        (np.full(0, 0, np.int16), "Cannot read|it is empty"),
    ],
)
def test_a_take_without_a_word_is_named(
    files: dict[str, list[Path]], tmp_path: Path, sound: np.ndarray, words: str
) -> None:
    silent = tmp_path / "silent.wav"
    silent.write_bytes(wav_bytes(sound, RATE_HZ))
    with pytest.raises(TinymlError, match=words) as refused:
        takes.read([*files["lumos"][:3], silent])
    assert refused.value.where == str(silent)


def test_a_copied_take_is_named(files: dict[str, list[Path]], tmp_path: Path) -> None:
    copy = Path(shutil.copy(files["lumos"][0], tmp_path / "copy.wav"))
    with pytest.raises(TinymlError, match="same recording"):
        takes.read([*files["lumos"][:3], copy])


def test_a_word_that_sounds_like_one_of_the_run_is_refused(
    taught: Path, files: dict[str, list[Path]]
) -> None:
    before = state(taught)
    with pytest.raises(TinymlError, match=r"`loomos` is too near to `lumos`.*cosine"):
        teach.teach(str(taught), "loomos", files["lumos"])
    assert state(taught) == before


def test_a_known_word_and_an_unknown_one_are_named(taught: Path, files: dict[str, list[Path]]) -> None:
    with pytest.raises(TinymlError, match="knows `lumos` already"):
        teach.teach(str(taught), "lumos", files["lumos"])
    with pytest.raises(TinymlError, match="does not know `nox`"):
        teach.forget(str(taught), "nox")


def test_a_trained_run_says_what_to_do(tinyml: Tinyml, tmp_path: Path, files: dict[str, list[Path]]) -> None:
    (tmp_path / "run").mkdir()
    Manifest(task="kws", seed=1, labels=["silence", "unknown", "yes"]).save(tmp_path / "run" / MANIFEST)
    answer = tinyml("teach", "./run", "--word", "lumos", *files["lumos"], cwd=tmp_path, code=2)
    assert "was trained" in answer.err and "--words yes,WORD" in answer.err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--word", "a", "--list"),
        ("--word", "a"),
        ("--list", "x.wav"),
        ("--word", "silence", "--microphone"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    tinyml: Tinyml, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    tinyml("teach", "home", *arguments, cwd=tmp_path, code=2)
    assert not list(tmp_path.iterdir())


def test_prototypes_are_unit_vectors_in_whole_numbers() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        units = rng.integers(-90, 91, (int(rng.integers(1, 30)), 64)).astype(np.int8)
        total = units.astype(np.float64).sum(axis=0)
        wanted = 128 * total / max(np.linalg.norm(total), 1e-9)
        assert np.abs(prototypes.prototype(units) - wanted).max() <= 1
    assert not prototypes.prototype(np.zeros((3, 64), np.int8)).any()


def _codes(clips: np.ndarray) -> np.ndarray:
    source, _ = interpret.io_quantization(parse(embedding.body()))
    return quantize_features(settled(clips, embedding.settings()), source.scale, source.zero_point)


def test_a_score_above_one_half_is_a_positive_logit(taught: Path, spoken: dict[str, np.ndarray]) -> None:
    clips = np.concatenate([spoken[word] for word in WORDS])
    model = head.normalised(embedding.body())
    units = interpret.run_int8(model, _codes(clips), interpret.reference_runtime())
    rows = [lesson.kept_row(word) for word in Manifest.load(taught / MANIFEST).taught.words.values()]
    logits = np.stack([units.astype(int) @ weights.astype(int) + bias for weights, bias in rows], axis=1)
    outputs = scores(taught, clips)
    for place in range(len(rows)):
        logit, other = logits[:, place] * head.BIAS_SCALE, logits[:, 1 - place] * head.BIAS_SCALE
        clear = (other < -5) & (np.abs(logit) > 0.2)
        assert clear.sum() > 10
        assert ((outputs[:, 2 + place] > 0) == (logit > 0))[clear].all()


def test_the_compiled_network_gives_the_bytes_of_the_reference(
    taught: Path, spoken: dict[str, np.ndarray], tmp_path: Path
) -> None:
    (network,) = build([(taught / MODEL_INT8).read_bytes()], tmp_path / "native")
    clips = np.concatenate([spoken[word][4:] for word in WORDS])
    answers = [network.run([code[None, ..., None]])[0].reshape(-1) for code in _codes(clips)]
    np.testing.assert_array_equal(answers, scores(taught, clips))


def test_the_shipped_network_is_that_of_its_card() -> None:
    assert hashlib.sha256(embedding.body()).hexdigest() == embedding.card().sha256
    assert len(embedding.other_sound()) == len(embedding.card().other_words)
    assert len(embedding.body()) <= 100_000


@pytest.mark.slow
def test_sim_gives_the_bytes_of_the_reference(
    tinyml: Tinyml, taught: Path, spoken: dict[str, np.ndarray], tmp_path: Path
) -> None:
    for word in WORDS:
        folder = tmp_path / "data" / word
        folder.mkdir(parents=True)
        for number, clip in enumerate(spoken[word][5:8]):
            (folder / f"p{number}_nohash_0.wav").write_bytes(wav_bytes(clip, RATE_HZ))
    tinyml("export-c-array", taught, cwd=tmp_path)
    answer = tinyml("evaluate", taught, "--data", "data", "--on", "sim", "--json", cwd=tmp_path)
    device = answer.json["device"]
    assert (device["board"], device["mismatches"]) == ("sim", 0)
