"""Nobody waits for ever for a board that has fallen silent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from tinyml_cli.collect import record_source, stroke_source
from tinyml_cli.collect.record_source import BoardSource
from tinyml_cli.collect.stroke_source import BoardWand
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import Ready

Reference = Callable[..., str]


def banner(app: str) -> Ready:
    return Ready(
        protocol=1, tinyml="0", app=app, board="desk", engine="aot", model="", sensors=["microphone"]
    )


def test_a_microphone_that_falls_silent(reference_device: Reference, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gives 1.2 s of sound, and nothing more."""
    monkeypatch.setattr(record_source, "_SILENT_BOARD_S", 0.1)
    with Link(reference_device()) as link:
        link.wait_ready()
        with pytest.raises(TinymlError, match="sends no sound"):
            BoardSource(link, banner("kws")).record(1.3, lambda block: None)


def test_a_wand_at_rest_is_there(reference_device: Reference, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stroke_source, "_ASK_AFTER_S", 0.0)
    with Link(reference_device()) as link:
        link.wait_ready()
        assert BoardWand(link, banner("wand")).next(0.05) is None


def test_a_dead_wand_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that takes everything and says nothing, as of a processor that hangs."""
    monkeypatch.setattr(stroke_source, "_ASK_AFTER_S", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []
        threading.Thread(target=lambda: held.append(server.accept()[0]), daemon=True).start()
        port = server.getsockname()[1]
        link = Link(f"socket://127.0.0.1:{port}", timeout_s=0.1, attempts=2)
        with link, pytest.raises(TinymlError, match="does not answer `info`"):
            BoardWand(link, banner("wand")).next(0.05)
        for each in held:
            each.close()
