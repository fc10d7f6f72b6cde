"""Try and Deploy: the next command on the way to a board, the page that is given, and what may be taken."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import io
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.doubles import looking_run, sine_run
from tests.firmware import random_listener
from tests.tasks.wand import waved_run
from tinyml_cli.boards import boards
from tinyml_cli.boards.boards import load_board
from tinyml_cli.build.page import PAGE
from tinyml_cli.features.gesture_settings import GestureInput
from tinyml_cli.manifest_sections import RecognizerSettings
from tinyml_cli.run import CALIBRATION, MODEL, MODEL_INT8, Run
from tinyml_cli.studio import steps
from tinyml_cli.studio.studio import Studio

HOSTILE = "a<script>alert(1)</script>b"


@pytest.fixture
def run(studio: Studio) -> Run:
    """A run of the studio that draws a sine, exported but not built."""
    (studio.root / "runs").mkdir()
    return sine_run.make(studio.root / "runs" / "sine")


def put(run: Run, name: str, content: bytes = b"x") -> Path:
    path = run.file(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_steps_to_a_board_come_one_by_one(studio: Studio, run: Run) -> None:
    native = load_board("native")
    manifest = run.manifest()
    put(run, MODEL)
    put(run, CALIBRATION)
    run.record(manifest, MODEL, "tinyml train")
    entry = manifest.artifacts.pop(MODEL_INT8)
    run.save(manifest)
    assert steps.following(studio, run, native) == ("quantize", "runs/sine")
    run.record(manifest, CALIBRATION, "tinyml quantize", [MODEL])
    run.save(manifest)
    assert steps.following(studio, run, native) == ("convert", "runs/sine")
    manifest.artifacts[MODEL_INT8] = entry
    run.save(manifest)
    assert steps.following(studio, run, native) == ("build", "runs/sine", "--board", "native")
    run.file("export/aot/network.c").unlink()
    assert steps.following(studio, run, native) == ("export-c-array", "runs/sine", "--engine", "aot")


def test_without_the_compiler_it_says_how_to_get_it(
    owner: TestClient, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boards, "_program", lambda name: None)
    monkeypatch.setattr(boards, "spec_of", lambda name: None)
    told = owner.get("/api/try", params={"run": "sine"}).json()
    assert "tinyml-cli[browser]" in told["problem"]
    answer = owner.post("/api/try/towards", json={"run": "sine"})
    assert answer.status_code == 422
    assert "tinyml-cli[browser]" in answer.json()["error"]["next_step"]


@pytest.mark.parametrize(
    ("make", "keeps", "truths", "folder"),
    [
        (
            lambda path: random_listener.make(path, ["red"], 1, RecognizerSettings()),
            "word",
            ["other", "red"],
            "recordings",
        ),
        (looking_run.make, "picture", ["none", "person"], "pictures"),
        (
            lambda path: waved_run.make(path, waved_run.line_model(), GestureInput()),
            "strokes",
            ["upright", "wide"],
            "strokes",
        ),
        (sine_run.make, None, [], ""),
    ],
)
def test_what_was_reported_wrongly_can_be_kept(
    owner: TestClient, studio: Studio, make: Any, keeps: str | None, truths: list[str], folder: str
) -> None:
    (studio.root / "runs").mkdir()
    make(studio.root / "runs" / "one")
    told = owner.get("/api/try", params={"run": "one"}).json()
    assert (told["keeps"], told["truths"], told["folder"]) == (keeps, truths, folder)


class Scripts(html.parser.HTMLParser):
    """The scripts of a page that a browser would execute."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._is_inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_inside = tag == "script" and dict(attrs).get("type") in (None, "module", "text/javascript")
        if self._is_inside:
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        self._is_inside = False

    def handle_data(self, data: str) -> None:
        if self._is_inside:
            self.found[-1] += data


@pytest.mark.parametrize("name", ["sine", HOSTILE])
def test_the_board_in_the_page_executes_our_script_alone(
    owner: TestClient, studio: Studio, run: Run, name: str
) -> None:
    """Whatever lies in the run: the page is made of its program and its manifest, never read from there."""
    if name == HOSTILE and sys.platform == "win32":
        pytest.skip("Windows refuses this name")
    asked = {"run": "sine"}
    assert owner.get("/api/try/page", params=asked).status_code == 404
    put(run, "firmware/browser/firmware.elf", b"\0asm</script><script>alert(2)</script>")
    put(run, f"firmware/browser/{PAGE}", b"<script>alert(3)</script>")
    if name != "sine":
        Path(run.path).rename(studio.root / "runs" / name.replace("/", "_"))
        asked = {"run": name.replace("/", "_")}
    answer = owner.get("/api/try/page", params=asked)
    (script,) = Scripts(answer.text).found
    policy = answer.headers["content-security-policy"]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}' 'wasm-unsafe-eval' data:;" in policy
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'self'" in policy


@pytest.mark.parametrize(
    ("wanted", "command"),
    [
        ({"what": "c-array"}, "tinyml export-c-array runs/sine"),
        ({"what": "firmware", "board": "native"}, "tinyml build runs/sine --board native"),
        ({"what": "flash", "port": "/dev/ttyACM0"}, "tinyml flash runs/sine --board sim --port /dev/ttyACM0"),
        (
            {"what": "profile", "budget": "flash=900k,ms=20"},
            "tinyml profile runs/sine --board sim --budget flash=900k,ms=20",
        ),
        (
            {"what": "library"},
            "tinyml export-library runs/sine --for arduino --out runs/sine/export/arduino/sine.zip",
        ),
    ],
)
def test_it_says_the_command(owner: TestClient, run: Run, wanted: dict[str, str], command: str) -> None:
    told = owner.post("/api/deploy/command", json={"run": "sine", **wanted})
    assert told.json() == {"command": command}


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ({"what": "flash", "board": "toaster"}, 404),
        ({"what": "flash", "port": "--json"}, 422),
        ({"what": "profile", "budget": "--json"}, 422),
        ({"what": "profile", "budget": "flash=1k,"}, 422),
        ({"what": "anything"}, 422),
        ({"what": "c-array", "run": "../sine"}, 422),
        ({"what": "c-array", "run": "absent"}, 404),
    ],
)
def test_no_other_command_can_be_made(
    owner: TestClient, run: Run, wanted: dict[str, Any], status: int
) -> None:
    for path in ("command", "make"):
        answer = owner.post(f"/api/deploy/{path}", json={"run": "sine", **wanted})
        assert answer.status_code == status
    assert owner.get("/api/jobs").json()["jobs"] == []


def test_what_was_exported_is_given_byte_for_byte(owner: TestClient, run: Run) -> None:
    answer = owner.get("/api/deploy/c-array", params={"run": "sine"})
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    found = {name: archive.read(name) for name in archive.namelist()}
    export = run.file("export")
    wanted = {path.relative_to(export).as_posix(): path.read_bytes() for path in export.glob("*/*")}
    assert found == wanted
    assert "aot/network.c" in found
    for each in owner.get("/api/deploy", params={"run": "sine"}).json()["c_array"]:
        file = owner.get("/api/deploy/file", params={"run": "sine", "path": each["path"]})
        assert file.content == run.file(each["path"]).read_bytes()
        assert file.headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(
    "path",
    [
        "manifest.json",
        MODEL_INT8,
        "../sine/export/aot/network.c",
        "/etc/passwd",
        "export",
        "export/aot",
        "export/aot/../../manifest.json",
        "firmware/native/project.c",
        "firmware/native",
    ],
)
def test_nothing_else_can_be_taken(owner: TestClient, run: Run, path: str) -> None:
    put(run, "firmware/native/project.c")
    assert owner.get("/api/deploy/file", params={"run": "sine", "path": path}).status_code in (404, 422)


def test_a_link_is_no_file_of_the_run(owner: TestClient, run: Run, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    run.file("export/aot/link.h").symlink_to(tmp_path / "secret")
    asked = {"run": "sine", "path": "export/aot/link.h"}
    assert owner.get("/api/deploy/file", params=asked).status_code == 422
    assert b"secret" not in owner.get("/api/deploy/c-array", params={"run": "sine"}).content
    names = [each["name"] for each in owner.get("/api/deploy", params={"run": "sine"}).json()["c_array"]]
    assert "link.h" not in names
