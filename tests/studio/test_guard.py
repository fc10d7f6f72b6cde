"""Who gets in, from where, and what no answer lacks."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.studio.conftest import HOST, ORIGIN
from tinyml_cli.errors import TinymlError
from tinyml_cli.http_api import places
from tinyml_cli.studio import access
from tinyml_cli.studio.app import ENDPOINTS, application
from tinyml_cli.studio.studio import Studio

SECRETS = [(each.method, each.path) for each in ENDPOINTS if each.path != "/api/events"]


@pytest.mark.parametrize(("method", "path"), [*SECRETS, ("GET", "/api/events"), ("GET", "/api/openapi.json")])
def test_a_stranger_learns_nothing(stranger: TestClient, method: str, path: str) -> None:
    answer = stranger.request(method, path)
    assert answer.status_code == 401
    assert set(answer.json()) == {"error"}


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8420", "127.0.0.1", "127.0.0.1:1", ""])
@pytest.mark.parametrize("path", ["/data", "/web/studio.mjs", "/api/studio"])
def test_another_name_for_this_computer_is_refused(owner: TestClient, host: str, path: str) -> None:
    """DNS rebinding: the browser believes that the studio is the other site, and sends no cookie of ours;
    but it would send a token that it was told."""
    assert owner.get(path, headers={"host": host}).status_code == 421


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", f"https://{HOST}", ""]
)
def test_another_site_is_refused_even_with_the_cookie(owner: TestClient, origin: str) -> None:
    assert owner.get("/api/studio", headers={"origin": origin}).status_code == 403
    assert owner.post("/api/jobs/stop", json={"number": 1}, headers={"origin": origin}).status_code == 403


def test_another_sites_picture_of_ours_is_refused(owner: TestClient) -> None:
    """Requests for pictures and scripts name no origin; browsers say where they come from all the same."""
    del owner.headers["origin"]
    assert owner.get("/api/studio", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert owner.get("/api/studio", headers={"sec-fetch-site": "same-site"}).status_code == 403
    assert owner.get("/api/studio", headers={"sec-fetch-site": "same-origin"}).status_code == 200


def test_a_change_without_origin_needs_the_token(owner: TestClient, studio: Studio) -> None:
    del owner.headers["origin"]
    assert owner.post("/api/jobs/stop", json={"number": 1}).status_code == 401
    token = {"authorization": f"Bearer {studio.access.token}"}
    assert owner.post("/api/jobs/stop", json={"number": 1}, headers=token).status_code == 404
    assert owner.get("/api/studio", headers={"authorization": "Bearer x"}).status_code == 401


def test_a_ticket_is_good_once_and_for_recording_alone(stranger: TestClient, studio: Studio) -> None:
    ticket = studio.access.ticket()
    assert stranger.post("/api/enter", content=ticket).json() == {"role": "recorder"}
    assert stranger.post("/api/enter", content=ticket).status_code == 401
    recording = {(each.method, each.path) for each in ENDPOINTS if each.role == "recorder"}
    for method, path in SECRETS:
        assert (stranger.request(method, path).status_code == 403) == ((method, path) not in recording)


def test_a_ticket_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    found = access.Access()
    ticket = found.ticket()
    now = access.time.monotonic()
    monkeypatch.setattr(access.time, "monotonic", lambda: now + access.TICKET_S + 1)
    assert found.enter(ticket) is None


def test_the_cookie_cannot_be_read_or_sent_by_others(stranger: TestClient, studio: Studio) -> None:
    answer = stranger.post("/api/enter", content=studio.access.token)
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert studio.access.token.lower() not in cookie


@pytest.mark.parametrize("path", ["/data", "/nothing", "/web/studio.mjs", "/api/studio", "/api/nothing"])
def test_every_answer_has_a_policy(owner: TestClient, path: str) -> None:
    headers = owner.get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe-inline" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert not [name for name in headers if name.startswith("access-control")]


@pytest.mark.parametrize("name", ["..%2findex.html", "index.html", ".env", "studio.py", "%00", "a" * 300])
def test_only_files_of_the_page_are_given(owner: TestClient, name: str) -> None:
    assert owner.get(f"/web/{name}").status_code == 404


def test_a_body_is_bounded(owner: TestClient) -> None:
    assert owner.post("/api/jobs/stop", content=b"1" * (2 << 20)).status_code == 413
    assert owner.post("/api/enter", content=b"1" * 5000).status_code == 401


def test_a_defect_is_told_without_its_traceback(studio: Studio, capsys: pytest.CaptureFixture[str]) -> None:
    studio.jobs.all = lambda: 1 / 0  # type: ignore[assignment,return-value]
    client = TestClient(application(studio, {HOST}), base_url=ORIGIN, raise_server_exceptions=False)
    answer = client.get("/api/jobs", headers={"authorization": f"Bearer {studio.access.token}"})
    assert answer.status_code == 500
    assert "Bug in tinyml" in answer.json()["error"]["what"]
    assert "Traceback" not in answer.text
    assert "Bug in tinyml" in capsys.readouterr().err


NAMES = st.text(st.sampled_from("ab./\\~:\0\n%é "), max_size=12)


@settings(max_examples=60)
@given(NAMES)
def test_no_path_leaves_the_folder(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    root = tmp_path_factory.getbasetemp().resolve()
    try:
        path = places.inside(root, text)
    except TinymlError:
        return
    assert path.resolve().is_relative_to(root)
    assert path != root
    assert not any(part.startswith(".") for part in path.relative_to(root).parts)


def test_no_link_leaves_the_folder(tmp_path: Path) -> None:
    root = (tmp_path / "root").resolve()
    root.mkdir()
    (tmp_path / "secret").write_text("x")
    (root / "link").symlink_to(tmp_path)
    (root / "loop").symlink_to(root / "loop")
    for text in ("link", "link/secret", "link/new", "loop/x"):
        with pytest.raises(TinymlError):
            places.inside(root, text)
