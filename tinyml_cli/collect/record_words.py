"""`tinyml data record words`: opens the source, runs the session, and reports the totals."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tinyml_cli import interrupt
from tinyml_cli.build.target import BuildTarget
from tinyml_cli.collect.record_keys import terminal_keys
from tinyml_cli.collect.record_session import Recorder, SessionOutcome, WordPlan, cut_all
from tinyml_cli.collect.record_source import AudioSource, BoardSource, MicrophoneSource, WavSource
from tinyml_cli.collect.record_view import RecordView
from tinyml_cli.connect import open_board
from tinyml_cli.console import console
from tinyml_cli.data.speakers import speaker_id
from tinyml_cli.data.trim import cut_words
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import writing_folder
from tinyml_cli.link.link import Link
from tinyml_cli.link.usb import link_url
from tinyml_cli.next_step import next_step
from tinyml_cli.outcomes.data import RecordedWord, RecordedWords
from tinyml_cli.run import Run
from tinyml_cli.speech import reading
from tinyml_cli.tasks.kws.checks import check_words

_CLIPS = 20


@dataclass(frozen=True)
class Where:
    """Where the sound comes from.

    Attributes:
        target: a board; None takes this computer's microphone, or `from_wav` alone.
        run: the run whose firmware a virtual board boots.
        device: the input of this computer.
        from_wav: a long recording to cut; with a board it is played into it.
        sample_rate_hz: of the clips; a board's is its own.
    """

    target: BuildTarget | None = None
    run: str | None = None
    device: str | None = None
    from_wav: Path | None = None
    sample_rate_hz: int = 16_000


def plan_of(
    words: list[str] | None,
    speaker: str | None,
    out: Path | None,
    count: int | None,
    take_s: float,
    countdown_s: float,
    clip_ms: int,
    keep_good: bool,
    languages: list[str] | None = None,
) -> WordPlan:
    """The plan that options of the command line ask for; None where one was not given.

    Prompts tell how the words are said in the `languages`.

    Raises:
        TinymlError: no words, no speaker, no such language, or such as cannot be used.
    """
    if not words or not speaker:
        raise TinymlError(
            "Recording needs the words and the speaker",
            "--words, --speaker",
            "Add --words yes,no --speaker anna.",
        )
    check_words(words)
    folder = out or Path("recordings")
    return WordPlan(
        tuple(words),
        speaker_id(speaker),
        folder,
        count or _CLIPS,
        take_s,
        countdown_s,
        clip_ms,
        keep_good,
        reading.hints(words, languages),
    )


def record(plan: WordPlan, where: Where) -> RecordedWords:
    """Records or cuts clips into `plan.folder/WORD/SPEAKER_nohash_N.wav`.

    Raises:
        TinymlError: no terminal to ask in, no source of sound, or one that broke: what was kept is kept.
    """
    if where.from_wav is not None:
        with writing_folder(plan.folder):
            return _cut(plan, where, where.from_wav)
    if not sys.stdin.isatty() or not console.is_terminal:
        raise TinymlError(
            "Recording reads keys, so it needs a terminal",
            "tinyml data record words",
            "Run it in a terminal, or split a recording with --from-wav FILE.",
        )
    if plan.missing() == 0:
        return _document(plan, SessionOutcome(), "")
    with (
        writing_folder(plan.folder),
        _open(where) as source,
        console.live() as draw,
        terminal_keys() as keys,
        interrupt.resumable("in the recording; its clips are kept"),
    ):
        outcome = Recorder(plan, source, RecordView(draw, source.name), keys).run()
        return _document(plan, outcome, source.name)


def show(document: RecordedWords) -> None:
    """The table for people."""
    rows = [(w.word, w.kept, w.rejected, w.clips) for w in document.words]
    title = f"Clips of {document.speaker} in {document.folder}"
    console.table(title, ("word", "kept now", "not kept", "in all"), rows)


def text(document: RecordedWords) -> str:
    """The outcome in a line."""
    if not document.complete:
        return "Not complete yet. Run the same command to continue."
    words = ",".join(word.word for word in document.words)
    folder = Path(document.folder)
    step = next_step("train", "kws", "--words", words, "--add-recordings", folder)
    return f"Complete. Train with them: {step}"


def _cut(plan: WordPlan, where: Where, path: Path) -> RecordedWords:
    if len(plan.words) != 1:
        raise TinymlError(
            "--from-wav splits a recording of a single word",
            "--words",
            "Record each word in a separate file.",
        )
    with _open(where, path) as source:
        whole = source if isinstance(source, WavSource) else WavSource(path, source.sample_rate_hz)
        audio = source.record(whole.seconds, lambda block: None)
        name, rate_hz = source.name, source.sample_rate_hz
    cuts = cut_words(audio, rate_hz, plan.clip_ms * rate_hz // 1000)
    if not cuts:
        raise TinymlError("No words found in the recording", str(path), "Speak louder and leave pauses.")
    for cut in cuts:
        for fault in cut.faults:
            console.info(f"at {cut.word_start / rate_hz:.1f} s: skipped, {fault}")
    return _document(plan, cut_all(cuts, plan, plan.words[0], rate_hz), name)


@contextlib.contextmanager
def _open(where: Where, feed: Path | None = None) -> Iterator[AudioSource]:
    """The source of sound; with `feed`, a recording takes the microphone's place."""
    if where.target is None:
        source: AudioSource
        if feed is None:
            source = MicrophoneSource(where.sample_rate_hz, where.device)
        else:
            source = WavSource(feed, where.sample_rate_hz)
        with source:
            yield source
        return
    with _open_board(where.target, where.run) as link:
        ready = link.wait_ready()
        played = WavSource(feed, ready.sample_rate_hz or where.sample_rate_hz) if feed else None
        with BoardSource(link, ready, played) as source:
            yield source


@contextlib.contextmanager
def _open_board(target: BuildTarget, run: str | None) -> Iterator[Link]:
    if target.port or target.is_usb:
        with Link(link_url(target.board, target.port)) as link:
            yield link
    else:
        with open_board(Run.open(run), target) as link:
            yield link


def _document(plan: WordPlan, outcome: SessionOutcome, source: str) -> RecordedWords:
    return RecordedWords(
        folder=str(plan.folder),
        speaker=plan.speaker,
        source=source,
        words=[
            RecordedWord(
                word=word,
                kept=outcome.kept.get(word, 0),
                rejected=outcome.rejected.get(word, 0),
                clips=plan.clips(word),
            )
            for word in plan.words
        ],
        n=sum(outcome.kept.values()),
        complete=plan.missing() == 0,
        quit=outcome.quit,
    )
