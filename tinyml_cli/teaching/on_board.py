"""Words that a board learns by its own ears, and their way into the run.

A lesson leaves its takes in the run's folder LEARNED. `collect` reads the board's words, which then belong to
the run with those takes.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyml_cli.build.project import project_dir
from tinyml_cli.build.target import LEARNER, BuildTarget
from tinyml_cli.connect import check_firmware, open_board
from tinyml_cli.console import console
from tinyml_cli.data.audio_file import AUDIO_SUFFIXES
from tinyml_cli.data.clip_files import wav_bytes
from tinyml_cli.data.speakers import MARK, speaker_id
from tinyml_cli.data.trim import cut_word
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import atomic_folder
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import (
    MAX_PCM_SAMPLES,
    Audio,
    Event,
    KnownWord,
    Learned,
    NotLearned,
    TakeHeard,
    TrainedRows,
)
from tinyml_cli.link.virtual import flash_file
from tinyml_cli.monitor import live_feed
from tinyml_cli.next_step import next_step
from tinyml_cli.outcomes.teaching import WordLearned, WordsTaught
from tinyml_cli.run import Run
from tinyml_cli.senses.microphone import Microphone
from tinyml_cli.teaching import takes, teach
from tinyml_cli.teaching.firmware import NAME_BYTES
from tinyml_cli.word_embedding import embedding

LEARNED = "learned"
"""Takes of words that boards learned, a folder per word: the layout that `--add-recordings` reads."""
_TAKES = 5
# The board itself gives up after a minute.
_SILENCE_S = 75.0
_BESIDE_S = 0.5

Samples = npt.NDArray[np.int16]
_REASONS = {
    "takes_disagree": (
        "Take {take} does not sound like the others",
        "Say the word alike, with pauses between.",
    ),
    "like_other_sound": (
        "`{word}` cannot be told from other words",
        "Speak more clearly, or take a longer word.",
    ),
    "no_take": (
        "The board heard no take of `{word}` for a minute",
        "Say the word nearer to it, with a pause of half a second after it.",
    ),
    "too_near": (
        "`{word}` is too near to `{other}`, which the board knows (cosine {cosine:.2f}, below 0.75 needed)",
        "Take another word, or have the board forget `{other}` first.",
    ),
    "flash": (
        "The board's flash did not keep `{word}`",
        "Flash the board again; if it persists, its flash is worn.",
    ),
}


@dataclass(frozen=True)
class Ears:
    """What a board hears by: its own microphone, recordings, or this computer's microphone."""

    replay: Path | None = None
    microphone: bool = False
    device: str | None = None


def train(run: Run, target: BuildTarget, word: str, ears: Ears) -> WordLearned:
    """Has a board train its last layer by takes of a word that it knows, such as of another voice.

    Raises:
        TinymlError: a word that the board does not know, nothing to hear by, firmware that does not learn, or
            takes that the board refuses.
    """
    heard = _files(ears.replay) if ears.replay is not None else []
    _check_ears(target, ears)
    with _open(run, target) as link:
        known = [each.word for each in link.words()]
        if word not in known:
            raise TinymlError(
                f"The board does not know `{word}`; it knows {', '.join(known) or 'no word'}",
                "--train",
                "Have it learn the word with --teach first.",
            )
        lesson = _BoardLesson(word, "--train")
        link.train(word, len(heard) or _TAKES)
        lesson.hear(link, heard, ears)
        done = lesson.outcome
        words = [each.word for each in link.words()]
    assert isinstance(done, TrainedRows)
    return WordLearned(
        run=str(run.path), board=target.board.name, word=word, takes=[], words=words,
        trained_rows=done.rows, erasures=done.erasures,
    )  # fmt: skip


def learn(run: Run, target: BuildTarget, word: str, ears: Ears, speaker: str = "me") -> WordLearned:
    """Has a board learn a word, and keeps what it heard in the run.

    Raises:
        TinymlError: a word that the run knows or that does not fit, nothing to hear by, firmware that does
            not learn, or takes that the board refuses.
    """
    speaker = speaker_id(speaker)
    teach.check(str(run.path), word)
    if len(word.encode()) >= NAME_BYTES:
        raise TinymlError(
            f"`{word}` is too long for the board", "--teach", f"Use less than {NAME_BYTES} bytes."
        )
    heard = _files(ears.replay) if ears.replay is not None else []
    _check_ears(target, ears)
    with _open(run, target) as link:
        known = {each.word for each in link.words()}
        if word in known:
            raise TinymlError(
                f"The board knows `{word}` already",
                "--teach",
                f"Have it in the run: {next_step('teach', run.path, '--from-board', target.board.name)}",
            )
        lesson = _BoardLesson(word, "--teach")
        link.learn(word, len(heard) or _TAKES)
        lesson.hear(link, heard, ears)
        clips = [take.clip for take in heard] or lesson.clips
        names = _keep(run, word, speaker, clips)
        words = [each.word for each in link.words()]
    return WordLearned(run=str(run.path), board=target.board.name, word=word, takes=names, words=words)


def collect(run: Run, target: BuildTarget) -> WordsTaught:
    """Adds to a run what a board that runs its firmware learned.

    Raises:
        TinymlError: firmware that does not learn, or nothing new on the board.
    """
    teach.words_of(str(run.path))
    with _open(run, target) as link:
        words = [word for word in link.words() if not word.built_in]
    if not words:
        raise TinymlError(
            "The board has learned no words",
            target.board.name,
            f"Teach it: {next_step('monitor', run.path, '--board', target.board.name, '--teach', 'WORD')}",
        )
    return teach.adopt(str(run.path), [(word, _takes_of(run, word)) for word in words])


def _takes_of(run: Run, word: KnownWord) -> list[Path]:
    return sorted((run.file(LEARNED) / word.word).glob("*.wav"))


def _files(path: Path) -> list[takes.WordTake]:
    if not path.is_dir():
        return takes.read([path])
    return takes.read(sorted(each for each in path.iterdir() if each.suffix.lower() in AUDIO_SUFFIXES))


def _check_ears(target: BuildTarget, ears: Ears) -> None:
    if target.is_usb and (ears.replay is not None or ears.microphone):
        raise TinymlError(
            "A real board hears by its own microphone", "--teach", "Omit --replay and --microphone."
        )
    if not target.is_usb and ears.replay is None and not ears.microphone:
        raise TinymlError(
            "A virtual board has no microphone",
            "--teach",
            "Add --replay DIR with 3 to 10 takes of the word, or --microphone.",
        )


@contextlib.contextmanager
def _open(run: Run, target: BuildTarget) -> Iterator[Link]:
    """A board that learns."""
    if not target.is_usb and target.port is None:
        elf = project_dir(run, target.board.name, LEARNER) / "firmware.elf"
        if elf.is_file():
            flash_file(elf).touch()
    with open_board(run, target) as link:
        ready = link.wait_ready()
        if ready.app != LEARNER:
            raise TinymlError(
                f"The board runs the application `{ready.app}`, which does not learn",
                target.board.name,
                f"Run `{next_step('flash', run.path, '--board', target.board.name, '--app', LEARNER)}`.",
            )
        check_firmware(ready, run.manifest(), target.board.name)
        yield link


@dataclass
class _BoardLesson:
    """What a board says while it learns, and the sound that it heard."""

    word: str
    option: str
    clips: list[Samples] = field(default_factory=list)
    outcome: Event | None = None
    last_s: float = field(default_factory=time.monotonic)
    _sound: list[Samples] = field(default_factory=list)
    _start: int = 0

    def hear(self, link: Link, heard: list[takes.WordTake], ears: Ears) -> None:
        """Plays takes to the board, or has it listen.

        Raises:
            TinymlError: it refused them, or heard none.
        """
        if heard:
            _play(link, heard, self)
        else:
            _listen(link, ears, self)
        self.check()

    def take(self, event: Event) -> None:
        if isinstance(event, Audio):
            self._hear(event)
        elif isinstance(event, TakeHeard):
            self.last_s = time.monotonic()
            console.info(f"Heard take {event.take} of {event.takes}.")
            self._cut(event)
        elif isinstance(event, Learned | NotLearned | TrainedRows):
            self.outcome = event

    def is_over(self) -> bool:
        return self.outcome is not None or time.monotonic() - self.last_s > _SILENCE_S

    def check(self) -> None:
        if self.outcome is None:
            self.outcome = NotLearned(word=self.word, reason="no_take")
        if isinstance(self.outcome, NotLearned):
            what, advice = _REASONS.get(self.outcome.reason, ("The board refused `{word}`", "Try again."))
            values = self.outcome.model_dump()
            raise TinymlError(what.format(**values), self.option, advice.format(**values))

    def _hear(self, event: Audio) -> None:
        block = np.frombuffer(event.data, "<i2").astype(np.int16)
        end = self._start + sum(map(len, self._sound))
        if event.sample != end:
            self._sound, self._start = [], event.sample
        self._sound.append(block)

    def _cut(self, event: TakeHeard) -> None:
        settings = embedding.settings()
        rate_hz, stride = settings.sample_rate_hz, settings.stride_samples
        now = event.t_ms * rate_hz // 1000 - self._start
        beside = round(_BESIDE_S * rate_hz)
        first, last = now - event.first * stride - beside, now - event.last * stride + beside
        sound = np.concatenate([*self._sound, np.zeros(0, np.int16)])[max(first, 0) : max(last, 0)]
        if len(sound):
            self.clips.append(cut_word(sound, rate_hz, embedding.clip_samples()).audio)


def _play(link: Link, heard: list[takes.WordTake], lesson: _BoardLesson) -> None:
    """Each take as the host's own lesson hears it."""
    for take in heard:
        link.reset()
        sound = embedding.stream(take.clip)
        for at in range(0, len(sound), MAX_PCM_SAMPLES):
            link.feed_pcm(sound[at : at + MAX_PCM_SAMPLES])
            for event in link.take_events():
                lesson.take(event)


def _listen(link: Link, ears: Ears, lesson: _BoardLesson) -> None:
    """Until the board has learned the word, refused it, or heard nothing for long."""
    console.info(f"Say `{lesson.word}` {_TAKES} times, with pauses.")
    link.trace("audio")
    if not ears.microphone:
        while not lesson.is_over():
            for event in link.events(0.25):
                lesson.take(event)
        return
    microphone = Microphone(ears.device)
    rate_hz = embedding.settings().sample_rate_hz
    live_feed.hear(link, microphone, rate_hz, lesson.take, lesson.is_over, live_feed.Heard())


def _keep(run: Run, word: str, speaker: str, clips: list[Samples]) -> list[str]:
    """Writes the takes into the run; their names in it."""
    names = [f"{LEARNED}/{word}/{speaker}{MARK}{number}.wav" for number in range(len(clips))]
    if names:
        with run.writing(), atomic_folder(run.file(LEARNED) / word) as made:
            for name, clip in zip(names, clips, strict=True):
                (made / Path(name).name).write_bytes(wav_bytes(clip, embedding.settings().sample_rate_hz))
    return names
