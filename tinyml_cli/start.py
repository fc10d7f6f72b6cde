"""The start of the process `tinyml`: loads the commands fast, and may be stopped before they are loaded."""

from __future__ import annotations

import gc
import os
import signal


def main() -> None:
    """Loads the command line, and runs it."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda received, _: os._exit(128 + received))
    # Looking for garbage among what imports make for good takes a fifteenth of the start.
    gc.disable()
    from tinyml_cli.main import main as run

    gc.freeze()
    gc.enable()
    run(is_last=True)
