"""Streaming inference: a client's sound goes in by WebSocket, the firmware's events come out."""

from __future__ import annotations

import asyncio
import contextlib
import queue
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocket, WebSocketDisconnect

from tinyml_cli.data.pcm import to_int16
from tinyml_cli.data.resample import resampled
from tinyml_cli.errors import TinymlError
from tinyml_cli.link.link import Link
from tinyml_cli.link.protocol import MAX_PCM_SAMPLES, TraceMode
from tinyml_cli.run import Run
from tinyml_cli.serve.service import Service

_BLOCKS_AHEAD = 20
_IDLE_S = 60.0
_RATES_HZ = range(4_000, 192_001)
_REFUSED, _DEFECT = 1008, 1011

Tell = Callable[[dict[str, Any]], None]


async def stream(service: Service, socket: WebSocket) -> None:
    """`/v1/stream?model=RUN&rate_hz=48000&trace=scores`: binary messages of int16 little-endian mono.

    Every event of `tinyml monitor` comes back as a text message of JSON. An empty message ends the sound; the
    server then tells the last events and closes.
    """
    await socket.accept()
    try:
        run = await run_in_threadpool(service.sources.run, socket.query_params.get("model", ""))
        rate_hz, model_hz = _rates(run, socket.query_params.get("rate_hz", ""))
        modes: tuple[TraceMode, ...] = ("scores",) if "trace" in socket.query_params else ()
    except TinymlError as error:
        await _refuse(socket, error)
        return
    await _StreamSession(service, socket, run, rate_hz, model_hz, modes).serve()


async def _refuse(socket: WebSocket, error: TinymlError) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        await socket.send_json({"error": error.as_dict()})
        await socket.close(_REFUSED)


def _rates(run: Run, text: str) -> tuple[int, int]:
    """The client's rate and the model's.

    Raises:
        TinymlError: a run that hears nothing, or no rate.
    """
    features = run.manifest().features
    if features is None:
        raise TinymlError(
            "The model does not take sound", run.path.name, "POST /v1/infer takes what it does take."
        )
    if text and not (text.isascii() and text.isdecimal() and len(text) < 7 and int(text) in _RATES_HZ):
        raise TinymlError(
            f"`{text[:20]}` is no sample rate", "rate_hz", f"Use {_RATES_HZ[0]} to {_RATES_HZ[-1]}."
        )
    return int(text or features.sample_rate_hz), features.sample_rate_hz


class _StreamSession:
    """One client that streams."""

    def __init__(
        self,
        service: Service,
        socket: WebSocket,
        run: Run,
        rate_hz: int,
        model_hz: int,
        modes: tuple[TraceMode, ...],
    ) -> None:
        self._service = service
        self._socket = socket
        self._run = run
        self._rates = rate_hz, model_hz
        self._modes = modes
        self._blocks: queue.Queue[NDArray[np.float32] | None] = queue.Queue(_BLOCKS_AHEAD)
        self._events: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._is_over = False

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()

        def tell(event: dict[str, Any] | None) -> None:
            with contextlib.suppress(RuntimeError):  # the server's loop has ended
                loop.call_soon_threadsafe(self._events.put_nowait, event)

        listening = asyncio.create_task(run_in_threadpool(self._listen, tell))
        receiving = asyncio.create_task(self._receive())
        try:
            while (event := await self._events.get()) is not None:
                await self._socket.send_json(event)
            await self._socket.close()
        except (WebSocketDisconnect, RuntimeError):  # the client has gone
            pass
        finally:
            self._is_over = True
            receiving.cancel()
            await listening

    async def _receive(self) -> None:
        """Takes the client's messages no faster than the board hears them."""
        block: NDArray[np.float32] | None
        while not self._is_over:
            try:
                content = await asyncio.wait_for(self._socket.receive_bytes(), _IDLE_S)
                samples = np.frombuffer(content[: len(content) // 2 * 2], "<i2")
                block = samples.astype(np.float32) / np.float32(32768) if len(samples) else None
            except (WebSocketDisconnect, KeyError, RuntimeError, TimeoutError):
                block = None
            while not self._is_over:
                try:
                    self._blocks.put_nowait(block)
                    break
                except queue.Full:
                    await asyncio.sleep(0.01)
            if block is None:
                return

    def _listen(self, tell: Callable[[dict[str, Any] | None], None]) -> None:
        try:
            with self._service.boards.lent(self._run) as link:
                link.reset()
                link.trace(*(self._modes or ("off",)))
                tell(link.info().as_dict())
                self._hear(link, tell)
                link.trace("off")
                link.reset()
        except TinymlError as error:
            tell({"error": error.as_dict()})
        finally:
            self._is_over = True
            tell(None)

    def _hear(self, link: Link, tell: Tell) -> None:
        from_hz, to_hz = self._rates
        for piece in resampled(self._heard(), from_hz, to_hz, from_hz // 20):
            samples = to_int16(piece)
            for at in range(0, len(samples), MAX_PCM_SAMPLES):
                link.feed_pcm(samples[at : at + MAX_PCM_SAMPLES])
                for event in link.take_events():
                    tell(event.as_dict())

    def _heard(self) -> Iterator[NDArray[np.float32]]:
        while not self._is_over:
            try:
                block = self._blocks.get(timeout=0.2)
            except queue.Empty:
                continue
            if block is None:
                return
            yield block
