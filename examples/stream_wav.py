"""Streams a WAV file to `tinyml serve` and prints what the board reports.

    python examples/stream_wav.py http://127.0.0.1:8421 RUN FILE.wav

The token comes from the environment variable TOKEN. Needs wsproto, which comes with tinyml.
"""

from __future__ import annotations

import os
import socket
import sys
import wave
from urllib.parse import urlencode, urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.events import BytesMessage, CloseConnection, RejectData, Request, TextMessage

BLOCK = 4000


def main(url: str, run: str, path: str) -> None:
    place = urlsplit(url)
    with wave.open(path) as file:
        if (file.getnchannels(), file.getsampwidth()) != (1, 2):
            sys.exit("The file must be mono, 16 bits")
        query = urlencode({"model": run, "rate_hz": file.getframerate()})
        sound = file.readframes(file.getnframes())
    websocket = WSConnection(ConnectionType.CLIENT)
    token = (b"authorization", f"Bearer {os.environ['TOKEN']}".encode())
    with socket.create_connection((place.hostname, place.port)) as connection:
        request = Request(host=place.netloc, target=f"/v1/stream?{query}", extra_headers=[token])
        connection.sendall(websocket.send(request))
        for at in range(0, len(sound), BLOCK):
            connection.sendall(websocket.send(BytesMessage(data=sound[at : at + BLOCK])))
        connection.sendall(websocket.send(BytesMessage(data=b"")))  # the end of the sound
        while data := connection.recv(65_536):
            websocket.receive_data(data)
            for event in websocket.events():
                if isinstance(event, TextMessage):
                    sys.stdout.write(event.data + "\n" * event.message_finished)
                elif isinstance(event, RejectData):
                    sys.exit(bytes(event.data).decode())
                elif isinstance(event, CloseConnection):
                    return


if __name__ == "__main__":
    main(*sys.argv[1:])
