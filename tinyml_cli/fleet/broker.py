"""The MQTT broker: its address, connections that come back, and lines that lose and double messages."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tinyml_cli.errors import TinymlError

if TYPE_CHECKING:
    import aiomqtt

PASSWORD = "TINYML_MQTT_PASSWORD"
DEFAULT = "mqtt://127.0.0.1"
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_AGAIN_S = 1.0
_QUEUED = 100_000


def require_aiomqtt() -> Any:
    """The module aiomqtt.

    Raises:
        TinymlError: it is not installed.
    """
    try:
        import aiomqtt
    except ImportError as error:
        raise TinymlError(
            "A fleet needs aiomqtt, which is not installed", "aiomqtt", "Run: pip install 'tinyml-cli[fleet]'"
        ) from error
    return aiomqtt


@dataclass(frozen=True)
class Broker:
    """Where it is; the password comes from $TINYML_MQTT_PASSWORD."""

    host: str
    port: int
    user: str | None
    is_encrypted: bool

    @classmethod
    def at(cls, url: str) -> Broker:
        """The broker of `mqtt://[USER@]HOST[:PORT]`, or of mqtts:// for TLS.

        Raises:
            TinymlError: it is no such address.
        """
        try:
            parts = urlsplit(url if "//" in url else f"mqtt://{url}")
            port = parts.port or _PORTS[parts.scheme]
        except (ValueError, KeyError):
            port = 0
        if not port or not parts.hostname or parts.path or parts.password:
            raise TinymlError(
                f"`{url}` is not the address of a broker",
                "--broker",
                f"Write mqtt://HOST, mqtts://USER@HOST or with :PORT; the password goes into ${PASSWORD}.",
            )
        return cls(parts.hostname, port, parts.username, parts.scheme == "mqtts")

    def __str__(self) -> str:
        return f"{'mqtts' if self.is_encrypted else 'mqtt'}://{self.host}:{self.port}"

    def client(self, identifier: str, will: tuple[str, bytes] | None = None) -> aiomqtt.Client:
        """A client that is not connected yet.

        Args:
            identifier: of which the broker knows one at a time.
            will: topic and retained payload that the broker publishes where the connection breaks.
        """
        module = require_aiomqtt()
        last = None if will is None else module.Will(will[0], will[1], qos=1, retain=True)
        found: aiomqtt.Client = module.Client(
            self.host,
            self.port,
            username=self.user,
            password=os.environ.get(PASSWORD),
            identifier=identifier,
            will=last,
            keepalive=20,
            timeout=20,
            tls_params=module.TLSParameters() if self.is_encrypted else None,
            max_queued_incoming_messages=_QUEUED,
        )
        return found


async def connected(
    broker: Broker,
    make: Callable[[], aiomqtt.Client],
    talk: Callable[[aiomqtt.Client], Awaitable[None]],
    tell: Callable[[str], None],
) -> None:
    """Connects, talks, and connects again whenever the connection breaks; ends when `talk` does.

    Raises:
        TinymlError: the broker refuses the first connection for good.
    """
    aiomqtt = require_aiomqtt()
    was_told = False
    while True:
        try:
            async with make() as client:
                if was_told:
                    tell(f"connected to {broker} again")
                was_told = False
                await talk(client)
                return
        except aiomqtt.MqttError as error:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise asyncio.CancelledError from error  # the connection broke while it was being ended
            if not was_told:
                tell(f"{broker} cannot be reached ({error}); trying again every second")
            was_told = True
            await asyncio.sleep(_AGAIN_S)


async def together(*parts: Coroutine[Any, Any, None]) -> None:
    """Runs them until one ends or fails, and ends the others."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        while running := [task for task in tasks if not task.done()]:
            for task in running:
                task.cancel()
            await asyncio.wait(running, timeout=_AGAIN_S)


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs an event loop of the kind that paho's sockets need on every system."""
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(main())


@dataclass
class MqttLine:
    """What a message meets on its way.

    Attributes:
        drop, duplicate: probability that it is lost, or comes twice; the second time perhaps late.
    """

    drop: float = 0.0
    duplicate: float = 0.0
    rng: random.Random = field(default_factory=random.Random)
    _late: list[tuple[str, bytes, int, bool]] = field(default_factory=list)

    async def publish(
        self, client: aiomqtt.Client, topic: str, payload: bytes, qos: int = 0, retain: bool = False
    ) -> None:
        """Publishes over this line."""
        if self._late and self.rng.random() < 0.5:
            late_topic, late, late_qos, late_retain = self._late.pop(0)
            await client.publish(late_topic, late, qos=late_qos, retain=late_retain)
        if self.rng.random() < self.drop:
            return
        await client.publish(topic, payload, qos=qos, retain=retain)
        if self.rng.random() < self.duplicate and not retain:
            self._late.append((topic, payload, qos, retain))

    async def received(self, client: aiomqtt.Client) -> AsyncIterator[tuple[str, bytes]]:
        """Topics and payloads that arrive; those of releases are not lost, as a download would be resumed."""
        async for message in client.messages:
            topic, payload = str(message.topic), message.payload
            if isinstance(payload, bytes) and ("/release/" in topic or self.rng.random() >= self.drop):
                yield topic, payload
