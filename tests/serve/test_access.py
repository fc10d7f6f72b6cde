"""Who is answered: by token, by the server's own names, and by no page of another site."""

from __future__ import annotations

import contextlib
import socket
import threading
import time

import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse

from tests.serve.conftest import STREAM
from tinyml_cli.http_api import connection
from tinyml_cli.http_api.server import RunningServers, listening_socket, web_server
from tinyml_cli.serve.app import ENDPOINTS, PUBLIC, is_own

ASKED = [(each.method, each.path.replace("{id}", "0" * 16).replace("{name}", "x")) for each in ENDPOINTS]


@pytest.mark.parametrize(("method", "path"), [each for each in ASKED if each[1] not in PUBLIC])
@pytest.mark.parametrize("token", ["", "Bearer x", "Basic a-token-for-tests-only", "Bearer "])
def test_without_the_token_nothing_is_answered(
    client: TestClient, method: str, path: str, token: str
) -> None:
    answer = client.request(method, path, headers={"authorization": token})
    assert answer.status_code == 401
    assert set(answer.json()) == {"error"}


def test_health_and_the_document_are_public(client: TestClient) -> None:
    client.headers.pop("authorization")
    assert client.get("/healthz").json()["status"] == "ok"
    paths = client.get("/openapi.json").json()["paths"]
    assert {each.path for each in ENDPOINTS} == set(paths)
    assert paths["/v1/jobs/{id}"]["get"]["parameters"][0]["in"] == "path"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8421", "", "127.0.0.1.evil.example"])
def test_another_name_for_this_computer_is_refused(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"host": host}).status_code == 421
    assert client.get("/v1/jobs", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_a_page_of_another_site_is_refused(client: TestClient, origin: str) -> None:
    assert client.get("/v1/jobs", headers={"origin": origin}).status_code == 403
    assert refused_stream(client, {"origin": origin}) == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"authorization": "Bearer x"}, 401), ({"authorization": ""}, 401), ({"host": "evil.example"}, 421)],
)
def test_a_stream_needs_the_token_and_the_host_too(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    assert refused_stream(client, headers) == status


def refused_stream(client: TestClient, headers: dict[str, str]) -> int:
    """The status with which a WebSocket is refused."""
    with (
        pytest.raises(WebSocketDenialResponse) as refused,
        client.websocket_connect(STREAM, headers=headers),
    ):
        pass
    return refused.value.status_code


OWN = ["127.0.0.1", "127.0.0.1:8421", "10.0.0.7:80", "[::1]:8421", "[fe80::1]", "lab.local", "lab.local:99"]
OTHERS = [
    *("", ":", ":80", "lab.local.evil.example", "evil-lab.local", "127.0.0.1.evil.example", "lab.local:x"),
    *("1.2.3", "0x7f.1", "127.0.0.1@evil", "[::1", "localhost.", "lab.local:80:80", "lab.local "),
]


@pytest.mark.parametrize("host", [*OWN, *OTHERS])
def test_only_addresses_and_own_names_are_own(host: str) -> None:
    assert is_own({"lab.local"}, host) == (host in OWN)


def test_a_client_that_sends_its_request_drop_by_drop_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEADERS_S", 0.3)

    async def app(scope: object, receive: object, send: object) -> None:
        raise AssertionError

    with listening_socket(None, 0) as found:
        running = RunningServers([(web_server(app), found)])
        running.start()
        with socket.create_connection(found.getsockname()) as slow:
            slow.settimeout(5)
            stop = threading.Event()

            def drip() -> None:
                while not stop.is_set():
                    try:
                        slow.sendall(b"X")
                    except OSError:
                        return
                    time.sleep(0.05)

            threading.Thread(target=drip, daemon=True).start()
            with contextlib.suppress(ConnectionError):  # reset while it was dripping
                assert slow.recv(100) == b""
            stop.set()
        running.stop()
