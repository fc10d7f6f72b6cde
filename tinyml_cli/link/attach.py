"""Child process that holds a virtual device; run as a script, so standard library only.

    attach.py PROGRAM [ARGUMENT…]

Runs PROGRAM, listens on a free loopback port, prints its number, and connects the first client to PROGRAM's
standard input and output. The bytes pass through this process because Windows cannot give a child a socket.

It is started by `tinyml_cli.processes`, as PROGRAM's parent and in its process group, so both end with the
process that uses the device.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading

_CONNECT_TIMEOUT_S = 60.0
_PIECE_BYTES = 65_536


def attach(child: subprocess.Popen[bytes]) -> None:
    """Relays between `child` and the first connection until the child's output ends."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        os.write(1, b"%d\n" % server.getsockname()[1])
        server.settimeout(_CONNECT_TIMEOUT_S)
        connection, _ = server.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setblocking(True)
    threading.Thread(target=_send_to_child, args=(connection, child), daemon=True).start()
    _send_to_host(child, connection)


def _send_to_child(connection: socket.socket, child: subprocess.Popen[bytes]) -> None:
    assert child.stdin
    with contextlib.suppress(OSError), child.stdin:
        while data := connection.recv(_PIECE_BYTES):
            child.stdin.write(data)
            child.stdin.flush()


def _send_to_host(child: subprocess.Popen[bytes], connection: socket.socket) -> None:
    assert child.stdout
    with contextlib.suppress(OSError), child.stdout:
        while data := os.read(child.stdout.fileno(), _PIECE_BYTES):
            connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)


def main(command: list[str]) -> int:
    """The exit code of `command`; 128 + the signal's number where one ended it."""
    try:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    except OSError as error:
        os.write(2, f"{command[0]}: {error}\n".encode())
        return 1
    try:
        attach(child)
    except OSError:  # nobody connected
        child.kill()
    code = child.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    # A thread may still sit in read(); an ordinary exit would wait for the lock of a closing stream.
    os._exit(main(sys.argv[1:]))
