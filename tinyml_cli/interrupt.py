"""Ctrl-C, SIGTERM and SIGHUP: a command ends within two seconds, and says what it kept.

Python runs a signal handler between two bytecodes of the main thread. Native code (TensorFlow compiling a
graph, a converter) may run for many seconds before that. So the signal itself wakes a thread, which gives
the main thread GRACE_S to unwind and then ends the process; at once where an exception would abort it. Files
are written atomically and a training saves every epoch, so this loses no more than a power cut would.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NoReturn

from tinyml_cli import locks, temporary, undo
from tinyml_cli.console import console
from tinyml_cli.errors import EXIT_INTERRUPTED, TinymlError
from tinyml_cli.next_step import command_line

GRACE_S = 1.0
_NAMES = {"SIGINT": "Ctrl-C", "SIGTERM": "SIGTERM", "SIGHUP": "SIGHUP", "SIGBREAK": "Ctrl-Break"}
_SIGNALS = {int(getattr(signal, name)): text for name, text in _NAMES.items() if hasattr(signal, name)}

Account = Callable[[], TinymlError]
"""Says what was kept and which command goes on; may enter it into the run, quickly."""

_accounts: list[Account] = []
_telling = threading.Lock()
_received: int | None = None
_at_once = threading.Event()
_is_told = False


class Stopped(KeyboardInterrupt):
    """A signal asked the command to end."""


@contextlib.contextmanager
def account(give: Account) -> Iterator[None]:
    """While the block runs, `give` says what a stop leaves; the innermost block is asked."""
    global _is_told
    if not _accounts:
        _is_told = False
    _accounts.append(give)
    try:
        yield
    except KeyboardInterrupt:
        tell()  # here, where this account still holds
        raise
    finally:
        _accounts.remove(give)


@contextlib.contextmanager
def listening(is_last: bool = False) -> Iterator[None]:
    """Turns the signals that ask a command to end into `Stopped`, raised in the main thread.

    Args:
        is_last: the process ends after the block. Taking TensorFlow down takes seconds, in which a signal
            would change the exit code of a command that has done its work, so signals are ignored then.
    """
    global _received, _is_told
    _received, _is_told = None, False
    _at_once.clear()
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    woken, waker = _pipe()
    threading.Thread(target=_end_late, args=(woken,), daemon=True).start()
    earlier = signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    handlers = {number: signal.signal(number, _stop) for number in _SIGNALS if _is_heeded(number)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, signal.SIG_IGN if is_last else handler)
        signal.set_wakeup_fd(earlier)
        waker.close()


def is_stopped() -> bool:
    """Whether a signal has asked the command to end."""
    return _received is not None


def exit_code(code: int) -> int:
    """The exit code of a command that ended by itself with `code`.

    Ctrl-C is how commands that watch end, so theirs stands; SIGTERM and SIGHUP end nothing well.
    """
    return code if _received in (None, signal.SIGINT) else 128 + int(_received or 0)


def tell() -> int:
    """Says once what was kept and which command goes on; the exit code that the signal calls for."""
    global _is_told
    with _telling:
        if not _is_told:
            _is_told = True
            with contextlib.suppress(OSError):
                console.stopped(_accounts[-1]() if _accounts else _plain())
    return EXIT_INTERRUPTED if _received is None else 128 + _received


def leave(code: int) -> NoReturn:
    """Ends the process at once: taking TensorFlow down in order can take longer than all the rest."""
    locks.remove_notes()
    with contextlib.suppress(Exception):
        undo.take_back()
    temporary.remove_own()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def stopped(how: str, where: str, next_step: str) -> TinymlError:
    """What a stopped command says: "Stopped by Ctrl-C " and `how`."""
    return TinymlError(f"Stopped by {_name()} {how}", where, next_step)


def resumable(how: str) -> contextlib.AbstractContextManager[None]:
    """An account of work that the same command goes on with, such as "in the search; trials are kept"."""
    return account(lambda: stopped(how, "", f"To resume: {same_command()}"))


def same_command(*options: str) -> str:
    """The command line as it was typed, and `options` where it lacks them, quoted for a shell.

    It is for people, who need no --json.
    """
    words = [word for word in sys.argv[1:] if word != "--json"]
    return command_line("tinyml", *words, *(option for option in options if option not in words))


def _plain() -> TinymlError:
    return TinymlError(f"Stopped by {_name()}", "", f"To run it again: {same_command()}")


def _name() -> str:
    return _SIGNALS[signal.SIGINT if _received is None else _received]


def _is_heeded(number: int) -> bool:
    """`nohup` has SIGHUP ignored, and a shell's background jobs SIGINT: that stays so."""
    return signal.getsignal(number) is not signal.SIG_IGN


def _stop(number: int, frame: FrameType | None) -> None:
    global _received
    if _received is not None:  # a second one while the first is heeded changes nothing
        return
    _received = number
    if _may_be_called_by_native_code(frame):
        _at_once.set()
        return
    raise Stopped


def _may_be_called_by_native_code(frame: FrameType | None) -> bool:
    """Whether an exception may abort the process: TensorFlow calls Python from C++ that knows none."""
    silence = sys.modules.get("tinyml_cli.silence")
    if silence is not None and silence.is_silent():
        return True
    while frame is not None:
        if str(frame.f_globals.get("__name__")).partition(".")[0] in ("tensorflow", "keras"):
            return True
        frame = frame.f_back
    return False


def _pipe() -> tuple[Any, Any]:
    """The end where signals arrive, and the one that they are written to, which never blocks."""
    if os.name == "nt":  # where only a socket can be such an end
        import socket

        woken, waker = socket.socketpair()
        waker.setblocking(False)
        return woken.makefile("rb", buffering=0), waker
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    return os.fdopen(ours, "rb", buffering=0), os.fdopen(theirs, "wb", buffering=0)


def _end_late(woken: Any) -> None:
    """Waits for a signal; ends the process where the main thread cannot, or has not done so GRACE_S later."""
    global _received
    while number := woken.read(1):
        if number[0] in _SIGNALS:
            _at_once.wait(GRACE_S)
            if _received is None:  # native code still holds the main thread
                _received = number[0]
            if (silence := sys.modules.get("tinyml_cli.silence")) is not None:
                silence.unsilence()
            leave(tell())
