"""The four scenarios of MLPerf Inference against `tinyml serve`.

python benchmarks/serve_scenarios.py RUNS MODEL [--seconds 10] [--streams 8] [--bound-ms 100]

Starts a server over the folder RUNS and asks it about the run MODEL with random inputs, over HTTP.
Prints a table in Markdown, once for the C that boards run and once for LiteRT.

* single stream: one query of one input after another; 90th percentile of the latency.
* multiple streams: one query of `--streams` inputs after another; 99th percentile.
* server: queries of one input arrive at random (Poisson); the highest rate at which the 99th percentile, from
  arrival on, stays within `--bound-ms`.
* offline: all inputs are there at once, in queries of 256; inputs per second.

Reddi et al., "MLPerf Inference Benchmark", 2020, section IV.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from tinyml_cli import processes
from tinyml_cli.console import console

OFFLINE_AT_ONCE = 256
CLIENTS = 8
RATES = tuple(round(1.5**power) for power in range(2, 20))

Ask = Callable[[int], float]


class Client:
    """Asks about one model; a connection for each thread."""

    def __init__(self, url: str, token: str, model: str, runtime: str, shape: list[int]) -> None:
        self._place = urlsplit(url).netloc
        self._headers = {"authorization": f"Bearer {token}"}
        self._own = threading.local()
        rng = np.random.default_rng(0)
        self._bodies: dict[int, bytes] = {}
        self._make = lambda n: json.dumps(
            {
                "model": model,
                "runtime": runtime,
                "int8": rng.integers(-128, 128, (n, *shape), dtype=np.int8).tolist(),
            }
        ).encode()

    def ask(self, n: int) -> float:
        """Asks about n inputs; seconds until the answer is there."""
        body = self._bodies.setdefault(n, self._bodies.get(n) or self._make(n))
        if not hasattr(self._own, "connection"):
            self._own.connection = http.client.HTTPConnection(self._place, timeout=600)
        started_s = time.perf_counter()
        answer, told = self._answer(body)
        if answer.status != 200:
            raise SystemExit(str(told))
        return time.perf_counter() - started_s

    def _answer(self, body: bytes) -> tuple[http.client.HTTPResponse, Any]:
        try:
            self._own.connection.request("POST", "/v1/infer", body, self._headers)
            answer = self._own.connection.getresponse()
        except (ConnectionError, http.client.RemoteDisconnected):  # it was idle for long
            self._own.connection.close()
            self._own.connection.request("POST", "/v1/infer", body, self._headers)
            answer = self._own.connection.getresponse()
        return answer, json.loads(answer.read())


def repeated(ask: Ask, n: int, seconds: float) -> np.ndarray:
    """Latencies of one query after another."""
    ends_s = time.perf_counter() + seconds
    found = []
    while time.perf_counter() < ends_s or len(found) < 20:
        found.append(ask(n))
    return np.array(found)


def arriving(ask: Ask, rate: float, seconds: float) -> float:
    """99th percentile of the latency, from arrival on, at a rate of queries that arrive at random."""
    gaps = np.random.default_rng(round(rate)).exponential(1 / rate, max(20, round(rate * seconds)))
    arrivals = np.cumsum(gaps)
    started_s = time.perf_counter()

    def one(arrival_s: float) -> float:
        ask(1)
        return time.perf_counter() - started_s - arrival_s

    with ThreadPoolExecutor(CLIENTS) as pool:
        waiting = []
        for arrival_s in arrivals:
            time.sleep(max(0.0, started_s + arrival_s - time.perf_counter()))
            waiting.append(pool.submit(one, float(arrival_s)))
        return float(np.percentile([each.result() for each in waiting], 99))


def highest_rate(ask: Ask, seconds: float, bound_s: float) -> int:
    """The highest of the tried rates, in queries a second, that keeps the bound; 0: none does."""
    best = 0
    for rate in RATES:
        if arriving(ask, rate, seconds) > bound_s:
            break
        best = rate
    return best


def measured(client: Client, seconds: float, streams: int, bound_ms: float) -> list[str]:
    client.ask(1)  # builds and starts what answers
    single = repeated(client.ask, 1, seconds)
    multiple = repeated(client.ask, streams, seconds)
    rate = highest_rate(client.ask, seconds / 3, bound_ms / 1000)
    offline = repeated(client.ask, OFFLINE_AT_ONCE, seconds)
    return [
        f"{1000 * np.percentile(single, 90):.1f} ms",
        f"{1000 * np.percentile(multiple, 99):.1f} ms",
        f"{rate}/s",
        f"{OFFLINE_AT_ONCE / offline.mean():.0f}/s",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=Path)
    parser.add_argument("model")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--streams", type=int, default=8)
    parser.add_argument("--bound-ms", type=float, default=100.0)
    asked = parser.parse_args()
    command = [sys.executable, "-m", "tinyml_cli", "serve", str(asked.runs), "--json"]
    with processes.Process(command, stdout=processes.PIPE, stderr=processes.DEVNULL) as process:
        told: dict[str, Any] = json.loads(next(process.lines()))
        connection = http.client.HTTPConnection(urlsplit(told["url"]).netloc)
        connection.request("GET", "/v1/models", headers={"authorization": f"Bearer {told['token']}"})
        models = {each["name"]: each for each in json.loads(connection.getresponse().read())["models"]}
        if asked.model not in models:
            raise SystemExit(f"There is no run {asked.model}; there are {', '.join(models)}.")
        streams, bound = f"{asked.streams} streams, p99", f"server, p99 ≤ {asked.bound_ms:g} ms"
        console.info(f"| runtime | single stream, p90 | {streams} | {bound} | offline |")
        console.info("| --- | --- | --- | --- | --- |")
        for runtime in ("c", "litert"):
            shape = models[asked.model]["input_shape"]
            client = Client(told["url"], told["token"], asked.model, runtime, shape)
            row = measured(client, asked.seconds, asked.streams, asked.bound_ms)
            console.info(f"| `{runtime}` | {' | '.join(row)} |")
        process.stop()


if __name__ == "__main__":
    main()
