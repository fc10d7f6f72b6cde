"""Child process that ties a virtual device's life to ours; run as a script, so standard library only.

    attach.py listen PROGRAM [ARGUMENT…]   listens on a free loopback port, prints its number, and becomes
                                           PROGRAM with the first connection as standard input and output
    attach.py guard PROGRAM [ARGUMENT…]    runs PROGRAM and kills it when standard input ends

Either way the device ends with the process that started it, even when that one is killed outright.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading

_CONNECT_TIMEOUT_S = 60.0


def listen(command: list[str]) -> None:
    """Becomes `command`, speaking over TCP."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        os.write(1, b"%d\n" % server.getsockname()[1])
        server.settimeout(_CONNECT_TIMEOUT_S)
        connection, _ = server.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setblocking(True)
    os.dup2(connection.fileno(), 0)
    os.dup2(connection.fileno(), 1)
    connection.close()
    os.execv(command[0], command)


def guard(command: list[str]) -> None:
    """Runs `command` until it ends or our standard input does."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def kill_at_end_of_input() -> None:
        while os.read(0, 4096):
            pass
        child.kill()

    threading.Thread(target=kill_at_end_of_input, daemon=True).start()
    code = child.wait()
    # The thread may still sit in read(); an ordinary exit would wait for the lock of a closing stream.
    os._exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    {"listen": listen, "guard": guard}[sys.argv[1]](sys.argv[2:])
