"""What the options of `tinyml teach` ask for, and the words for its outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyml_cli import checks, temporary
from tinyml_cli.build.target import LEARNER, build_target
from tinyml_cli.collect import record_words
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.next_step import next_step
from tinyml_cli.outcomes.teaching import WordLearned, WordsTaught
from tinyml_cli.run import Run
from tinyml_cli.teaching import on_board as board_lessons
from tinyml_cli.teaching import teach
from tinyml_cli.wording import counted

_TAKES = 5


@dataclass(frozen=True)
class Request:
    """One thing to do.

    Attributes:
        run: a path or name.
        takes: recordings; empty for the microphone.
        word: to teach; None to list or forget.
        forget: the word to remove.
        board: whose words to add.
    """

    run: str
    takes: Sequence[Path] = ()
    word: str | None = None
    forget: str | None = None
    board: str | None = None


def request(
    run: str,
    takes: Sequence[Path],
    word: str | None,
    forget: str | None,
    lists: bool,
    microphone: bool,
    board: str | None,
) -> Request:
    """The one thing that the options ask for.

    Raises:
        TinymlError: nothing, several things, or takes from nowhere or from two places.
    """
    wanted = {"--word": word, "--forget": forget, "--list": lists or None, "--from-board": board}
    given = [option for option, value in wanted.items() if value is not None]
    if len(given) != 1:
        raise TinymlError(
            "Nothing to do" if not given else f"{' and '.join(given)} exclude each other",
            "tinyml teach",
            "Give one of --word WORD with takes, --forget WORD, --list, --from-board BOARD.",
        )
    if word is None:
        if takes or microphone:
            raise TinymlError(f"{given[0]} takes no recordings", "TAKES", "Leave them out.")
        return Request(run, forget=forget, board=board)
    if bool(takes) == microphone:
        raise TinymlError(
            "Takes come from files or from --microphone, not from both" if takes else "There are no takes",
            "TAKES",
            f"Give 3 to 5 recordings: {next_step('teach', run, '--word', word, '1.wav', '2.wav', '3.wav')}",
        )
    for path in takes:
        checks.input_file(path, "TAKES")
    return Request(run, takes, word)


def on_board(
    run: str | None,
    board: str,
    port: str | None,
    word: str,
    replay: Path | None,
    microphone: bool,
    device: str | None,
    known: bool = False,
) -> WordLearned:
    """Has a board learn a word, or train one that it knows; see `on_board.learn` and `on_board.train`."""
    target = build_target(board, app=LEARNER, port=port)
    teach_it = board_lessons.train if known else board_lessons.learn
    return teach_it(Run.open(run), target, word, board_lessons.Ears(replay, microphone, device))


def learned_sentence(outcome: WordLearned) -> str:
    """The outcome in a line."""
    if outcome.trained_rows is not None:
        return (
            f"The board trained {counted(outcome.trained_rows, 'row')} by your `{outcome.word}` and hears by "
            f"them from now on; {counted(outcome.erasures or 0, 'erasure')} of flash for words so far."
        )
    following = next_step("teach", outcome.run, "--from-board", outcome.board)
    return (
        f"The board learned `{outcome.word}` and hears it from now on. To have it in the run too: {following}"
    )


def answer(asked: Request, device: str | None, speaker: str, port: str | None) -> WordsTaught:
    """Does it.

    Raises:
        TinymlError: see `teach`, and for the microphone `record_words.record`.
    """
    if asked.board is not None:
        return board_lessons.collect(Run.open(asked.run), build_target(asked.board, app=LEARNER, port=port))
    if asked.forget is not None:
        return teach.forget(asked.run, asked.forget)
    if asked.word is None:
        return teach.words_of(asked.run)
    if asked.takes:
        return teach.teach(asked.run, asked.word, asked.takes, speaker)
    teach.check(asked.run, asked.word)
    with temporary.folder("takes") as folder:
        plan = record_words.plan_of([asked.word], speaker, Path(folder), _TAKES, 2.0, 1.5, 1000, False)
        record_words.record(plan, record_words.Where(device=device))
        recorded = sorted(Path(folder).rglob("*.wav"))
        if not recorded:
            raise TinymlError("No take was kept", "--microphone", "Run the same command again.")
        return teach.teach(asked.run, asked.word, recorded, speaker)


def show(outcome: WordsTaught) -> None:
    """The table for people."""
    rows = [
        (each.word, len(each.takes), f"{each.nearest} ({each.nearest_cosine:.2f})") for each in outcome.words
    ]
    console.table(f"Words of {outcome.run}", ("word", "takes", "most like (cosine)"), rows)


def sentence(outcome: WordsTaught) -> str:
    """The outcome in a line."""
    run = Path(outcome.run)
    if outcome.forgotten is not None:
        left = counted(len(outcome.words), "word")
        return f"Forgot `{outcome.forgotten}` and its takes; {left} left."
    if outcome.taught is None:
        return f"The run knows {counted(len(outcome.words), 'word')}."
    return (
        f"Taught `{outcome.taught}`. Try it: {next_step('monitor', run, '--board', 'native', '--microphone')}"
    )
