"""`tinyml teach`: a run of the shipped word embedding and the words that it was taught.

The manifest is written last. Where a command is killed just before, the models are those of words that the
manifest does not know; the next one finds that and writes those of the manifest.
"""

from __future__ import annotations

import functools
import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinyml_cli import undo
from tinyml_cli.data.clip_files import wav_bytes
from tinyml_cli.data.clips import SILENCE, UNKNOWN
from tinyml_cli.data.speakers import MARK, speaker_id
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import atomic_folder, runs_dir, write_atomic
from tinyml_cli.link.protocol import KnownWord
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import (
    Data,
    Model,
    Quantization,
    RecognizerSettings,
    Taught,
    TaughtWord,
)
from tinyml_cli.next_step import next_step
from tinyml_cli.outcomes.base import File
from tinyml_cli.outcomes.teaching import TaughtWordFigures, WordsTaught
from tinyml_cli.recipes.kws import MAX_WORDS
from tinyml_cli.run import MANIFEST, MODEL_FLOAT32, MODEL_INT8, Run
from tinyml_cli.tasks.kws.checks import check_words
from tinyml_cli.teaching import lesson, takes
from tinyml_cli.tflite import opset
from tinyml_cli.tflite.graph import parse, total_macs
from tinyml_cli.tflite.interpret import tensor_quantization
from tinyml_cli.word_embedding import embedding, head
from tinyml_cli.word_embedding.prototypes import ONE, cosines

FOLDER = "taught"
"""Where a run keeps its takes, a folder per word: the layout that `--add-recordings` reads."""
_MADE_BY = "tinyml teach"
# An inference takes about 145 ms on the nRF52840 (`profile`), and a taught word scores high in few windows.
_RECOGNIZER = RecognizerSettings(
    inference_stride_frames=10, average_window_ms=400, threshold=0.5, minimum_count=2
)


def teach(given: str, word: str, paths: Sequence[Path], speaker: str = "me") -> WordsTaught:
    """Adds a word to a run, or makes the run.

    Args:
        given: the path or name of a run that was taught, or of a new one.
        word: that the takes say.
        paths: see `takes.read`.
        speaker: of the takes.

    Raises:
        TinymlError: unusable takes, see `takes.read` and `lesson.learn`; a word that the run knows or has one
            too near to; a run that was trained.
    """
    speaker = speaker_id(speaker)
    run, manifest, is_new = check(given, word)
    words = _taught(manifest, run).words
    read = takes.read(paths)
    found = lesson.learn(word, read)
    lesson.check_apart(word, found, words)
    with run.making() if is_new else run.writing():
        if not is_new:
            manifest = _manifest(run)
            _mend(run, manifest)
        names = _keep(run, word, speaker, read)
        _taught(manifest, run).words[word] = lesson.entry(found, names)
        _write(run, manifest)
    return _outcome(run, manifest, taught=word)


def adopt(given: str, learned: Sequence[tuple[KnownWord, Sequence[Path]]]) -> WordsTaught:
    """Adds words that a board learned, each with the takes that were kept; those that the run knows stay.

    Raises:
        TinymlError: the run was not taught, or has no room for them.
    """
    run = Run.open(given)
    with run.writing():
        manifest = _manifest(run)
        words = _taught(manifest, run).words
        new = [(word, paths) for word, paths in learned if word.word not in words]
        check_words([*words, *(word.word for word, _ in new)])
        if len(words) + len(new) > MAX_WORDS:
            raise TinymlError(
                f"The run would know more than {MAX_WORDS} words", str(run.path), "Forget some first."
            )
        _mend(run, manifest)
        for word, paths in new:
            read = takes.read(paths) if paths else []
            words[word.word] = TaughtWord(
                prototype=word.prototype.hex(),
                weights=word.weights.hex(),
                bias=word.bias,
                takes=_keep_as(run, word.word, paths, read),
            )
        _write(run, manifest)
    return _outcome(run, manifest)


def check(given: str, word: str) -> tuple[Run, Manifest, bool]:
    """The run, its manifest, and whether it is still to be made, where it can take the word.

    Raises:
        TinymlError: it cannot, or it is no word.
    """
    check_words([word])
    run, is_new = _place(given)
    manifest = _new_manifest() if is_new else _manifest(run)
    words = _taught(manifest, run).words
    if word in words:
        raise TinymlError(
            f"The run knows `{word}` already", str(run.path), f"To teach it anew: {_forget_step(run, word)}"
        )
    if len(words) == MAX_WORDS:
        raise TinymlError(
            f"The run knows {MAX_WORDS} words, which is the most",
            str(run.path),
            "Forget one, or begin a new run.",
        )
    return run, manifest, is_new


def forget(given: str, word: str) -> WordsTaught:
    """Removes a word and its takes.

    Raises:
        TinymlError: the run was not taught, or does not know the word.
    """
    run = Run.open(given)
    with run.writing():
        manifest = _manifest(run)
        words = _taught(manifest, run).words
        if word not in words:
            known = ", ".join(words) or "none"
            raise TinymlError(
                f"The run does not know `{word}`", str(run.path), f"Words that it knows: {known}."
            )
        _mend(run, manifest)
        for name in words.pop(word).takes:
            manifest.artifacts.pop(name, None)
        _write(run, manifest)
        _remove_folder(run, word)
    return _outcome(run, manifest, forgotten=word)


def words_of(given: str) -> WordsTaught:
    """The words of a run."""
    run = Run.open(given)
    manifest = _manifest(run)
    if not run.is_fresh(manifest, MODEL_INT8):
        with run.writing():
            _mend(run, manifest)
    return _outcome(run, manifest)


def _place(given: str) -> tuple[Run, bool]:
    """The run, and whether it is still to be made."""
    if Path(given).is_file():
        raise TinymlError(
            f"`{given}` is a file, not a run",
            "RUN",
            f"Name the run before the takes: {next_step('teach', 'NEW_RUN', '--word', 'WORD', 'TAKES')}",
        )
    for path in (Path(given), runs_dir() / given):
        if (path / MANIFEST).is_file():
            return Run.open(path), False
    path = Path(given) if len(Path(given).parts) > 1 else runs_dir() / given
    return Run.at(path), True


def _manifest(run: Run) -> Manifest:
    manifest = run.manifest()
    _taught(manifest, run)
    return manifest


def _taught(manifest: Manifest, run: Run) -> Taught:
    if manifest.taught is None:
        words = ",".join(manifest.labels[2:]) or "WORDS"
        raise TinymlError(
            "The run was trained: a word is added to it by a training, not by teaching",
            str(run.path),
            f"Teach a run of its own: {next_step('teach', 'NEW_RUN', '--word', 'WORD', 'TAKES')}; or train "
            f"again: {next_step('train', 'kws', '--words', f'{words},WORD', '--add-recordings', 'DIR')}",
        )
    return manifest.taught


def _new_manifest() -> Manifest:
    body = parse(embedding.body())
    source = tensor_quantization(body.tensors[body.inputs[0]])
    return Manifest(
        task="kws",
        seed=0,
        labels=[SILENCE, UNKNOWN],
        features=embedding.settings(),
        clip_ms=embedding.CLIP_MS,
        recognizer=_RECOGNIZER,
        data=Data(source="none", split_by="nothing was trained", notes=["taught in takes, see `taught`"]),
        model=Model(name="word_embedding", parameters=embedding.card().parameters, macs=total_macs(body)),
        quantization=Quantization(
            method="ptq", calibration_samples=0, calibration_split="none", input=source
        ),
        taught=Taught(embedding_sha256=embedding.card().sha256),
    )


def _keep(run: Run, word: str, speaker: str, read: Sequence[takes.WordTake]) -> list[str]:
    """Writes the takes into the run; their names in it."""
    names = [f"{FOLDER}/{word}/{speaker}{MARK}{number}.wav" for number in range(len(read))]
    return _write_takes(run, word, names, read)


def _keep_as(run: Run, word: str, paths: Sequence[Path], read: Sequence[takes.WordTake]) -> list[str]:
    """The same, under the names that the files have."""
    names = [f"{FOLDER}/{word}/{path.name}" for path in paths]
    return _write_takes(run, word, names, read) if names else []


def _write_takes(run: Run, word: str, names: list[str], read: Sequence[takes.WordTake]) -> list[str]:
    with atomic_folder(run.file(FOLDER) / word) as made:
        for name, take in zip(names, read, strict=True):
            content = wav_bytes(take.clip, embedding.settings().sample_rate_hz)
            (made / Path(name).name).write_bytes(content)
    return names


def _remove_folder(run: Run, word: str) -> None:
    shutil.rmtree(run.file(FOLDER) / word, ignore_errors=True)


def _models(manifest: Manifest, run: Run) -> tuple[bytes, bytes]:
    """float32 and int8 of the manifest's words."""
    words = _taught(manifest, run).words.values()
    rows = [lesson.kept_row(word) for word in words]
    biases = np.array([bias for _, bias in rows], np.int32)
    int8 = head.with_words(embedding.body(), np.stack([weights for weights, _ in rows]), biases)
    return head.as_float(int8), int8


def _write(run: Run, manifest: Manifest) -> None:
    """Models and manifest; the files of before come back where something fails."""
    taught = _taught(manifest, run)
    _renew(run, manifest, taught)
    manifest.labels = [SILENCE, UNKNOWN, *taught.words]
    for name in (name for word in taught.words.values() for name in word.takes):
        run.record(manifest, name, _MADE_BY)
    manifest.exports, manifest.arena_bytes, manifest.firmware = {}, {}, {}
    manifest.metrics.pop("evaluate", None)
    if not taught.words:
        for name in (MODEL_FLOAT32, MODEL_INT8):
            manifest.artifacts.pop(name, None)
            run.file(name).unlink(missing_ok=True)
        run.save(manifest)
        return
    float32, int8 = _models(manifest, run)
    graph = parse(int8)
    manifest.ops = opset.check_int8(graph, MODEL_INT8)
    if manifest.quantization is not None:
        manifest.quantization.output = tensor_quantization(graph.tensors[graph.outputs[0]])
    before = {name: _bytes(run.file(name)) for name in (MODEL_FLOAT32, MODEL_INT8)}
    with undo.if_it_fails(functools.partial(_put_back, run, before)):
        sources = [name for word in taught.words.values() for name in word.takes]
        for name, content in ((MODEL_FLOAT32, float32), (MODEL_INT8, int8)):
            write_atomic(run.file(name), content)
            run.record(manifest, name, _MADE_BY, sources)
        run.save(manifest)


def _renew(run: Run, manifest: Manifest, taught: Taught) -> None:
    """Vectors of another version's embedding are made anew from the takes."""
    if taught.embedding_sha256 == embedding.card().sha256:
        return
    for word, known in list(taught.words.items()):
        if not known.takes:
            raise TinymlError(
                f"`{word}` was learned on a board, by another version's network, and has no takes",
                str(run.path),
                f"Forget it, and teach it anew: {_forget_step(run, word)}",
            )
        found = lesson.learn(word, takes.read([run.require(manifest, name) for name in known.takes]))
        taught.words[word] = lesson.entry(found, known.takes)
    taught.embedding_sha256 = embedding.card().sha256


def _mend(run: Run, manifest: Manifest) -> None:
    """Writes the models of the manifest's words again where a killed command left others."""
    entry = manifest.artifacts.get(MODEL_INT8)
    if entry is None or _taught(manifest, run).embedding_sha256 != embedding.card().sha256:
        return
    for name, content in zip((MODEL_FLOAT32, MODEL_INT8), _models(manifest, run), strict=True):
        if hashlib.sha256(content).hexdigest() == manifest.artifacts[name].sha256:
            write_atomic(run.file(name), content)


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _put_back(run: Run, before: dict[str, bytes | None]) -> None:
    for name, content in before.items():
        if content is None:
            run.file(name).unlink(missing_ok=True)
        else:
            write_atomic(run.file(name), content)


def _outcome(run: Run, manifest: Manifest, **what: str) -> WordsTaught:
    words = _taught(manifest, run).words
    entry = manifest.artifacts.get(MODEL_INT8)
    return WordsTaught(
        run=str(run.path),
        words=[_figures(run, word, words) for word in words],
        int8=None if entry is None else File(bytes=entry.bytes, sha256=entry.sha256),
        **what,
    )


def _figures(run: Run, word: str, words: dict[str, TaughtWord]) -> TaughtWordFigures:
    vector = lesson.vector_of(words[word])
    near = [
        (other, int(cosines(vector[None], lesson.vector_of(known)[None])[0, 0]))
        for other, known in words.items()
        if other != word
    ]
    nearest, cosine = max([*near, lesson.others_near(word, vector)], key=lambda pair: pair[1])
    return TaughtWordFigures(
        word=word,
        takes=words[word].takes,
        nearest=nearest,
        nearest_cosine=round(cosine / ONE, 3),
    )


def _forget_step(run: Run, word: str) -> str:
    return next_step("teach", run.path, "--forget", word)
