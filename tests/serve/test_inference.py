"""Answers at once and streams: the same bytes as the runtimes give, and every wrong input refused."""

from __future__ import annotations

import base64
import io
import json
import threading
import wave
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.serve.conftest import STREAM, client_of, service_of
from tests.serve.test_jobs import done
from tinyml_cli.run import MODEL_INT8, Run
from tinyml_cli.serve.service import Service
from tinyml_cli.tflite.interpret import run_int8


@pytest.fixture
def serving(firmware_run: Run) -> Iterator[Service]:
    """A service over one keyword run, `run`."""
    found = service_of(firmware_run.path.parent)
    yield found
    found.boards.close()
    found.queue.close()


def sound(seconds: float = 1.0, rate_hz: int = 16_000) -> bytes:
    stream, time_s = io.BytesIO(), np.arange(int(seconds * rate_hz)) / rate_hz
    with wave.open(stream, "w") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((8000 * np.sin(6000 * time_s * time_s)).astype("<i2").tobytes())
    return stream.getvalue()


def inputs(n: int) -> np.ndarray:
    return np.random.default_rng(n).integers(-128, 128, (n, 49, 10, 1), dtype=np.int8)


def test_litert_answers_with_its_bytes(serving: Service, firmware_run: Run) -> None:
    client = client_of(serving)
    (known,) = client.get("/v1/models").json()["models"]
    assert (known["name"], known["input_shape"], known["problem"]) == ("run", [49, 10, 1], "")
    asked = {"model": "run", "runtime": "litert", "int8": inputs(3).tolist()}
    told = client.post("/v1/infer", json=asked).json()
    expected = run_int8(firmware_run.file(MODEL_INT8).read_bytes(), inputs(3))
    assert [each["int8"] for each in told["answers"]] == expected.tolist()
    for each in told["answers"]:
        assert each["label"] == known["labels"][int(np.argmax(each["int8"]))]
        assert each["score"] == max(each["scores"].values())
    assert told["sha256"] == known["sha256"]
    file = {"name": "a.wav", "base64": base64.b64encode(sound()).decode()}
    told = client.post("/v1/infer", json={"model": "run", "runtime": "litert", "files": [file]}).json()
    assert len(told["answers"]) == 1


WRONG: list[dict[str, Any]] = [
    {},
    {"inputs": []},
    {"inputs": [[1, 2]]},
    {"inputs": ["a"]},
    {"inputs": [[[[[[]]]]]]},
    {"inputs": [[1], [1, 2]]},
    {"inputs": [[0] * 490], "int8": [[0] * 490]},
    {"int8": [[300] * 490]},
    {"int8": [[0.5] * 490]},
    {"inputs": [["1e999"] * 490]},
    {"inputs": [[None] * 490]},
    {"inputs": [[True] * 489]},
    {"files": [{"name": "a.wav", "base64": "AAAA"}]},
    {"files": [{"name": "../../a.wav", "base64": "@"}]},
    {"files": [{"name": "a\0.wav", "base64": "AAAA"}]},
    {"inputs": [[0] * 490] * 257},
    {"inputs": [[0] * 490], "runtime": "tflm"},
]


@pytest.mark.parametrize("asked", WRONG, ids=range(len(WRONG)))
def test_wrong_inputs_are_refused(serving: Service, asked: dict[str, Any]) -> None:
    content = {"runtime": "litert", "model": "run", **asked}
    answer = client_of(serving).post("/v1/infer", json=content)
    assert answer.status_code == 422, answer.text
    assert str(serving.runs) not in answer.text


@pytest.mark.parametrize(
    ("query", "what"),
    [("model=nothing", "no run"), ("model=run&rate_hz=x", "sample rate"), ("model=run&rate_hz=9", "rate")],
)
def test_a_wrong_stream_is_refused(serving: Service, query: str, what: str) -> None:
    with client_of(serving).websocket_connect(f"{STREAM}?{query}") as stream:
        assert what in stream.receive_json()["error"]["what"]


@pytest.mark.slow
def test_the_boards_c_answers_online_in_batches_and_in_streams(serving: Service, firmware_run: Run) -> None:
    """One firmware, built by the first request: the bytes of all four ways are equal."""
    client = client_of(serving)
    serving.start()
    try:
        expected = run_int8(firmware_run.file(MODEL_INT8).read_bytes(), inputs(4), "tflm").tolist()
        asked = {"model": "run", "int8": inputs(4).tolist()}
        found: list[Any] = []

        def ask() -> None:
            answer = client.post("/v1/infer", json=asked).json()
            found.append([each["int8"] for each in answer["answers"]])

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [expected] * 4
        assert client.get("/v1/jobs").json() == {"jobs": []}  # the build is not the client's job

        stream = io.BytesIO()
        np.savez(stream, x=inputs(4))
        job = client.post("/v1/jobs?kind=infer&run=run&name=x.npz", content=stream.getvalue()).json()
        ended = done(client, job["id"])
        assert ended["state"] == "done", ended
        lines = client.get(f"/v1/jobs/{job['id']}/artifacts/answers.jsonl").text.splitlines()
        assert [json.loads(line)["int8"] for line in lines] == expected

        events = []
        with client.websocket_connect(f"{STREAM}?model=run&rate_hz=16000&trace=scores") as socket:
            pcm = sound(2.0)[44:]
            for at in range(0, len(pcm), 3200):
                socket.send_bytes(pcm[at : at + 3200])
            socket.send_bytes(b"")
            while (message := socket.receive())["type"] == "websocket.send":
                events.append(json.loads(message["text"]))
        assert events[0]["event"] == "ready"
        assert sum(each["event"] == "scores" for each in events) > 10
        assert client.post("/v1/infer", json=asked).json()["answers"][0]["int8"] == expected[0]
    finally:
        serving.dispatcher.stop()
