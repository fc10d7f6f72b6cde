"""Reverts what a command made if it fails, or if the process ends in the middle of it.

An action is called at most once, the last registered first; it must not raise.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

Action = Callable[[], None]

_actions: list[Action] = []


@contextlib.contextmanager
def if_it_fails(action: Action) -> Iterator[None]:
    """Has `action` called where the block raises, or where the process is ended inside it."""
    _actions.append(action)
    try:
        yield
    except BaseException:
        if action in _actions:
            action()
        raise
    finally:
        with contextlib.suppress(ValueError):
            _actions.remove(action)


def if_command_fails(action: Action) -> None:
    """Has `action` called where the command that runs now fails later."""
    _actions.append(action)


def take_back() -> None:
    """Calls all actions: the command has failed, or the process ends now."""
    while _actions:
        _actions.pop()()


def forget() -> None:
    """Drops all actions: a command begins, or has ended well."""
    _actions.clear()
