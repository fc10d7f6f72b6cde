"""Streams a WAV file to `tinyml serve` and prints what the board reports.

    python examples/stream_wav.py http://127.0.0.1:8421 RUN FILE.wav

The token comes from the environment variable TOKEN. Needs wsproto, which comes with tinyml.
"""

from __future__ import annotations

import os
import socket
import sys
import wave
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    RejectConnection,
    Request,
    TextMessage,
)

BLOCK = 4000


def main(url: str, run: str, path: str) -> None:
    with wave.open(path) as file:
        if (file.getnchannels(), file.getsampwidth()) != (1, 2):
            sys.exit("The file must be mono, 16 bits")
        query = urlencode({"model": run, "rate_hz": file.getframerate()})
        sound = file.readframes(file.getnframes())
    place = urlsplit(url)
    websocket = WSConnection(ConnectionType.CLIENT)
    token = (b"authorization", f"Bearer {os.environ['TOKEN']}".encode())
    with socket.create_connection((place.hostname, place.port)) as connection:
        request = Request(host=place.netloc, target=f"/v1/stream?{query}", extra_headers=[token])
        connection.sendall(websocket.send(request))
        for event in events(websocket, connection):
            if isinstance(event, RejectConnection):
                sys.exit(f"The server refuses with status {event.status_code}")
            if isinstance(event, AcceptConnection):
                for at in range(0, len(sound), BLOCK):
                    connection.sendall(websocket.send(BytesMessage(data=sound[at : at + BLOCK])))
                connection.sendall(websocket.send(BytesMessage(data=b"")))  # the end of the sound
            if isinstance(event, TextMessage):
                sys.stdout.write(event.data + "\n" * event.message_finished)
            if isinstance(event, CloseConnection):
                return


def events(websocket: WSConnection, connection: socket.socket) -> Iterator[Event]:
    while data := connection.recv(65_536):
        websocket.receive_data(data)
        yield from websocket.events()


if __name__ == "__main__":
    main(*sys.argv[1:])
