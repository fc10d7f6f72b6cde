"""Whether PlatformIO's package server is reachable, in seconds instead of after PlatformIO's long timeout."""

from __future__ import annotations

import importlib
import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence

from tinyml_cli.errors import TinymlError

_TIMEOUT_S = 5.0


def require_network(purpose: str, urls: Sequence[str] | None = None, timeout_s: float = _TIMEOUT_S) -> None:
    """Checks that one of PlatformIO's package servers answers; proxies of the environment are used.

    Args:
        purpose: what has to be downloaded, for the message.
        urls: what to ask; None takes the servers that PlatformIO itself knows.

    Raises:
        TinymlError: none answers within `timeout_s`.
    """
    if urls is None:
        hosts: list[str] = importlib.import_module("platformio").__registry_mirror_hosts__
        urls = [f"https://api.{host}/" for host in hosts]
    answers: queue.Queue[bool] = queue.Queue()
    # Looking a name up has no time limit of its own, hence the threads.
    for url in urls:
        threading.Thread(target=_ask, args=(url, timeout_s, answers), daemon=True).start()
    if not _any_true(answers, len(urls), timeout_s):
        raise TinymlError(
            f"No network connection to download {purpose}",
            "PlatformIO's package server",
            "Connect to the internet (behind a proxy, set HTTPS_PROXY) and run the same command again; "
            "it is downloaded only once.",
        )


def _ask(url: str, timeout_s: float, answers: queue.Queue[bool]) -> None:
    request = urllib.request.Request(url, method="HEAD", headers={"User-Agent": "tinyml"})
    try:
        urllib.request.urlopen(request, timeout=timeout_s).close()
        answers.put(True)
    except urllib.error.HTTPError:
        answers.put(True)  # whatever it says, it is there
    except (OSError, ValueError):
        answers.put(False)


def _any_true(answers: queue.Queue[bool], count: int, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    for _ in range(count):
        try:
            if answers.get(timeout=max(0.0, deadline - time.monotonic())):
                return True
        except queue.Empty:
            return False
    return False
