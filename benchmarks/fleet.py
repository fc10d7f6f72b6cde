"""A fleet of virtual devices through a first, a good and a bad release, on lines that lose messages.

python benchmarks/fleet.py CHAMPION GOOD BAD SOUNDS [--devices 200] [--gateways 2] [--broken 0.05] [--kills 3]
    [--seed 1]

CHAMPION, GOOD and BAD are runs, SOUNDS a folder with a folder of recordings for each word. Starts mosquitto,
a server and gateways as processes, kills the server with SIGKILL in the middle, and says at the end: how far
each release came, whether every device still runs something, whether telemetry was counted exactly once, and
the load: messages and bytes a second, processor time and memory of each process.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tinyml_cli import processes
from tinyml_cli.console import console

_TINYML = (sys.executable, "-m", "tinyml_cli")
_TICK = os.sysconf("SC_CLK_TCK")


class Trial:
    """The processes of one trial."""

    def __init__(self, folder: Path, arguments: argparse.Namespace) -> None:
        self.folder = folder
        self.arguments = arguments
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self.stack = contextlib.ExitStack()
        self.watched: dict[str, processes.Process] = {}
        self.server_cpu_s = 0.0

    def start(self) -> None:
        config = self.folder / "mosquitto.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
        self.run("mosquitto", "mosquitto", "-c", str(config))
        time.sleep(1)
        self.serve()
        each = self.arguments.devices // self.arguments.gateways
        for number in range(self.arguments.gateways):
            name = f"gateway-{number}"
            # fmt: off
            self.run(
                name, *_TINYML, "fleet", "bridge", "--virtual", str(each),
                "--sounds", str(self.arguments.sounds), "--gateway", name, "--state", str(self.folder / name),
                "--broker", self.url, "--pace", "1", "--report", "10", "--bytes-per-second", "200",
                "--heartbeat", "15", "--seed", str(self.arguments.seed + number),
                "--broken", str(self.arguments.broken), "--drop", "0.1", "--duplicate", "0.1",
            )
            # fmt: on

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def serve(self) -> None:
        fleet = str(self.folder / "fleet")
        self.run("server", *_TINYML, "fleet", "serve", "--fleet", fleet, "--broker", self.url)

    def run(self, name: str, *command: str) -> None:
        log = self.stack.enter_context((self.folder / f"{name}.log").open("ab"))
        self.watched[name] = self.stack.enter_context(processes.Process(command, stdout=log, stderr=log))

    def kill_server(self) -> None:
        self.server_cpu_s += usage(self.watched["server"].pid)[0]
        os.kill(self.watched["server"].pid, signal.SIGKILL)
        self.watched["server"].wait()
        self.serve()

    def fleet(self, *words: str) -> Any:
        command = [*_TINYML, "fleet", *words, "--fleet", str(self.folder / "fleet"), "--json"]
        answer = processes.run(command)
        if answer.returncode:
            raise SystemExit(answer.stderr)
        return json.loads(answer.stdout)

    def roll_out(self, run: Path, *options: str, kills: int = 0) -> dict[str, Any]:
        """Starts a rollout and waits for its end; kills the server meanwhile."""
        started = time.monotonic()
        self.fleet("rollout", "start", str(run), *options)
        most, stages, kill_at = 0.0, [], 45.0
        while True:
            time.sleep(5)
            told = self.fleet("rollout", "status")
            seconds = time.monotonic() - started
            if not stages or stages[-1][1:] != [told["state"], told["stage"]]:
                stages.append([round(seconds), told["state"], told["stage"]])
                console.info(f"{seconds:5.0f} s  {told['state']}, {told['stage']:g} %")
            most = max(most, told["assigned"] / self.arguments.devices)
            if told["ended"]:
                return {
                    "release": told["name"],
                    "state": told["state"],
                    "seconds": round(seconds),
                    "most": most,
                    "running": told["running"],
                    "stages": stages,
                    "gates": told["gates"],
                    "reason": told["reason"],
                }
            if kills and seconds > kill_at:
                kills, kill_at = kills - 1, seconds + 60
                self.kill_server()
                console.info(f"{seconds:5.0f} s  the server was killed and started again")

    def telemetry(self) -> dict[str, int]:
        """What gateways numbered, what still waits there, and what the server counted."""
        made = waiting = 0
        for number in range(self.arguments.gateways):
            with _open(self.folder / f"gateway-{number}" / "gateway.sqlite3") as table:
                made += table.execute("select sum(number) from members").fetchone()[0]
                waiting += table.execute("select count(*) from outbox").fetchone()[0]
        with _open(self.folder / "fleet" / "fleet.sqlite3") as table:
            documents = [json.loads(row[0]) for row in table.execute("select document from counts")]
        return {"made": made, "waiting": waiting, "counted": sum(each["messages"] for each in documents)}


@contextlib.contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, timeout=20)
    try:
        yield connection
    finally:
        connection.close()


def usage(pid: int) -> tuple[float, float]:
    """Processor seconds of a process and the children that it waited for, and its resident memory in MB."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return sum(map(int, fields[11:15])) / _TICK, pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("champion", "good", "bad", "sounds"):
        parser.add_argument(name, type=lambda text: Path(text).resolve())
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--gateways", type=int, default=2)
    parser.add_argument("--broken", type=float, default=0.05)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1, help="of the first gateway's rooms, faults and line")
    parser.add_argument("--soak", default="1", help="minutes of a stage")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        trial = Trial(Path(name), arguments)
        with trial.stack:
            trial.start()
            measure(trial)


def measure(trial: Trial) -> None:
    started, devices = time.monotonic(), trial.arguments.devices
    while not (trial.folder / "fleet" / "fleet.sqlite3").is_file():
        time.sleep(1)
    while len(trial.fleet("list")["devices"]) < devices:
        time.sleep(2)
    gates = ("--soak", trial.arguments.soak, "--least", "50", "--margin", "0.15", "--silent", "1.5")
    outcomes = [trial.roll_out(trial.arguments.champion, "--stages", "100", "--soak", "0", "--silent", "5")]
    console.info("a minute of normal running")
    time.sleep(60)
    outcomes.append(trial.roll_out(trial.arguments.good, *gates, kills=trial.arguments.kills))
    outcomes.append(trial.roll_out(trial.arguments.bad, *gates, kills=trial.arguments.kills))
    shown = trial.fleet("list")
    seconds = time.monotonic() - started
    load = {name: usage(process.pid) for name, process in trial.watched.items()}
    load["server"] = (load["server"][0] + trial.server_cpu_s, load["server"][1])
    time.sleep(60)  # for what was lost to be sent again
    result = {
        "rollouts": outcomes,
        "without a release": sum(each["release"] is None for each in shown["devices"]),
        "runs": {
            n: sum(d["name"] == n for d in shown["devices"]) for n in {d["name"] for d in shown["devices"]}
        },
        "telemetry": trial.telemetry(),
        "seconds": round(seconds),
        "messages_per_s": shown["messages"] / seconds,
        "bytes_per_s": shown["message_bytes"] / seconds,
        "duplicates": shown["duplicates"],
        "refused": shown["refused"],
        "load": {name: {"cpu": cpu_s / seconds, "mb": mb} for name, (cpu_s, mb) in load.items()},
    }
    console.info(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
