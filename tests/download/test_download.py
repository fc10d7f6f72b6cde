"""Downloads from a server on this computer: cut off, damaged, hostile, without Range, on a full disk."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import http.server
import io
import random
import re
import shutil
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Tinyml
from tinyml_cli.download import download, download_http
from tinyml_cli.download.download_unpack import unpack
from tinyml_cli.download.public_datasets import DATASETS, Archive, PublicDataset
from tinyml_cli.errors import TinymlError

_FILES = {
    "./yes/aa_nohash_0.wav": random.Random(1).randbytes(700_000),
    "./no/bb_nohash_0.wav": random.Random(2).randbytes(600_000),
    "./testing_list.txt": b"no/bb_nohash_0.wav\n",
}


@dataclass
class Server:
    """What the server does, and what it was asked."""

    url: str
    files: dict[str, bytes]
    etag: str = '"one"'
    honours_range: bool = True
    cut_after: list[int] = field(default_factory=list)
    bytes_per_s: int | None = None
    ranges: list[str | None] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server("", {})

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            body = state.files.get(self.path)
            if body is None:
                self.send_error(404)
                return
            asked = self.headers.get("Range")
            state.ranges.append(asked)
            start = 0
            if asked and state.honours_range and self.headers.get("If-Range", state.etag) == state.etag:
                start = int(asked.removeprefix("bytes=").rstrip("-"))
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(body) - start))
            self.send_header("ETag", state.etag)
            self.end_headers()
            stop = start + state.cut_after.pop(0) if state.cut_after else len(body)
            self._send(body[start:stop])

        def _send(self, content: bytes) -> None:
            step = 16_384
            try:
                for begin in range(0, len(content), step):
                    self.wfile.write(content[begin : begin + step])
                    if state.bytes_per_s:
                        time.sleep(step / state.bytes_per_s)
            except (BrokenPipeError, ConnectionResetError):
                pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        state.url = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield state
        running.shutdown()


def tar_gz(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


@pytest.fixture
def dataset(server: Server) -> PublicDataset:
    """A small data set on the server."""
    content = tar_gz(_FILES)
    server.files["/pub/small.tar.gz"] = content
    archive = Archive(
        f"{server.url}/pub/small.tar.gz", len(content), hashlib.sha256(content).hexdigest(), 2_000_000
    )
    return PublicDataset("small", "v1", "a test", "CC0-1.0", "nobody", "small_v1", (archive,))


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two attempts; the server has a clock of its own."""
    monkeypatch.setattr(download_http, "_WAIT_S", 0.01)


def test_downloads_unpacks_and_leaves_no_archive(dataset: PublicDataset, tmp_path: Path) -> None:
    out = tmp_path / "sets" / "speech"
    stale = out.parent / ".tinyml-folder-4194304999-abcdefgh" / "new"
    stale.mkdir(parents=True)
    (stale / "of_a_killed_run.wav").write_bytes(b"")
    outcome = download.download(dataset, out)
    assert (outcome.files, outcome.bytes, outcome.fresh) == (
        3,
        dataset.archives[0].size_bytes,
        False,
    )
    assert (out / "yes" / "aa_nohash_0.wav").read_bytes() == _FILES["./yes/aa_nohash_0.wav"]
    assert [path.name for path in out.parent.iterdir()] == ["speech"]
    assert download.download(dataset, out) == outcome.model_copy(update={"fresh": True, "bytes": 0})


def test_goes_on_where_connections_broke(dataset: PublicDataset, server: Server, tmp_path: Path) -> None:
    server.cut_after = [300_000, 200_000]
    download.download(dataset, tmp_path / "out")
    assert server.ranges == [None, "bytes=300000-", "bytes=500000-"]


def test_gives_up_without_progress_and_keeps_the_part(
    dataset: PublicDataset, server: Server, tmp_path: Path
) -> None:
    server.cut_after = [300_000, *[0] * 20]
    with pytest.raises(TinymlError, match=r"stopped at 300,000 of .* bytes") as caught:
        download.download(dataset, tmp_path / "out")
    assert "to resume" in caught.value.next_step
    server.cut_after = []
    assert download.download(dataset, tmp_path / "out").bytes == dataset.archives[0].size_bytes - 300_000


def test_a_file_that_changed_meanwhile_is_taken_from_its_start(
    dataset: PublicDataset, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "small.tar.gz.part").write_bytes(b"x" * 100_000)
    (tmp_path / "small.tar.gz.etag").write_text('"older"')
    assert download.download(dataset, tmp_path / "out").files == 3
    assert server.ranges == ["bytes=100000-"]


def test_a_server_without_range(dataset: PublicDataset, server: Server, tmp_path: Path) -> None:
    server.honours_range = False
    server.cut_after = [300_000]
    assert download.download(dataset, tmp_path / "out").files == 3


@pytest.mark.parametrize("whole", [True, False])
def test_a_publisher_who_gives_an_md5_alone_is_checked_by_it(
    whole: bool, dataset: PublicDataset, server: Server, tmp_path: Path
) -> None:
    content = server.files["/pub/small.tar.gz"]
    md5 = hashlib.md5(content if whole else content[::-1]).hexdigest()
    archive = dataclasses.replace(dataset.archives[0], checksum=f"md5:{md5}")
    pinned = dataclasses.replace(dataset, archives=(archive,))
    if whole:
        assert download.download(pinned, tmp_path / "new").files == 3
        assert download.download(pinned, tmp_path / "new").fresh
    else:
        with pytest.raises(TinymlError, match=r"the MD5 .* instead of"):
            download.download(pinned, tmp_path / "new")
        assert not list(tmp_path.glob("*.tar.gz*"))


def test_every_data_set_is_pinned_and_has_a_licence() -> None:
    names = [(each.name, each.version) for each in DATASETS]
    assert len(set(names)) == len(names) and len({each.folder for each in DATASETS}) == len(names)
    for each in DATASETS:
        assert each.licence and each.description and each.source
        for archive in each.archives:
            assert re.fullmatch("[0-9a-f]{64}|md5:[0-9a-f]{32}", archive.checksum)
            assert archive.url.startswith(("https://", "npm:"))
            assert archive.unpacked_bytes >= archive.size_bytes


def test_other_bytes_are_refused_and_removed(dataset: PublicDataset, server: Server, tmp_path: Path) -> None:
    good = server.files["/pub/small.tar.gz"]
    server.files["/pub/small.tar.gz"] = good[:-1] + bytes([good[-1] ^ 1])
    with pytest.raises(TinymlError, match=r"SHA-256 .* instead of"):
        download.download(dataset, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_part_of_something_else_costs_one_more_run(
    dataset: PublicDataset, server: Server, tmp_path: Path
) -> None:
    (tmp_path / "small.tar.gz.part").write_bytes(b"x" * 100_000)
    with pytest.raises(TinymlError, match="SHA-256"):
        download.download(dataset, tmp_path / "out")
    assert download.download(dataset, tmp_path / "out").files == 3


def test_mirrors(dataset: PublicDataset, server: Server, tmp_path: Path) -> None:
    content = server.files.pop("/pub/small.tar.gz")
    with pytest.raises(TinymlError, match="404") as caught:
        download.download(dataset, tmp_path / "a")
    assert "--mirror" in caught.value.next_step
    server.files["/mirror/small.tar.gz"] = content
    assert download.download(dataset, tmp_path / "a", f"{server.url}/mirror/").files == 3
    local = tmp_path / "usb"
    local.mkdir()
    (local / "small.tar.gz").write_bytes(content)
    assert download.download(dataset, tmp_path / "b", str(local)).bytes == 0
    assert (local / "small.tar.gz").is_file()
    assert download.download(dataset, tmp_path / "c", local.as_uri()).files == 3
    with pytest.raises(TinymlError, match="not a download URL"):
        download.download(dataset, tmp_path / "d", "gopher://x/")


def test_a_folder_in_use_and_a_small_disk(
    dataset: PublicDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.wav").write_bytes(b"")
    with pytest.raises(TinymlError, match="folder is not empty"):
        download.download(dataset, tmp_path / "out")
    free = shutil.disk_usage(tmp_path)._replace(free=50_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    with pytest.raises(TinymlError, match=r"0.1 GB free; 0.1 GB are needed"):
        download.download(dataset, tmp_path / "new")


def test_survives_being_killed(dataset: PublicDataset, server: Server, tmp_path: Path) -> None:
    server.bytes_per_s = 400_000
    archive = dataset.archives[0]
    code = (
        "from pathlib import Path\nfrom tinyml_cli.download import download as d\n"
        "from tinyml_cli.download.public_datasets import *\n"
        f"d.download(PublicDataset('small', 'v1', '', '', '', 'x', (Archive({archive.url!r}, "
        f"{archive.size_bytes}, {archive.checksum!r}, {archive.unpacked_bytes}),)), "
        f"Path({str(tmp_path / 'out')!r}))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    part = tmp_path / "small.tar.gz.part"
    deadline = time.monotonic() + 30
    while not (part.is_file() and part.stat().st_size > 250_000):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    kept = part.stat().st_size
    server.bytes_per_s = None
    assert download.download(dataset, tmp_path / "out").bytes == archive.size_bytes - kept
    assert server.ranges == [None, f"bytes={kept}-"]


@pytest.mark.parametrize(
    "name",
    [
        "../out.txt",
        "/etc/x",
        "a/../../b",
        "c:evil",
        "a\\b",
        "nul",
        "a/aux.txt",
        "a\x1b[31m",
        "b\n",
        "n" * 300,
        "d/" * 600 + "x",
    ],
)
def test_names_that_lead_out(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(tar_gz({name: b"x"}))
    (tmp_path / "in").mkdir()
    with pytest.raises(TinymlError, match="is not safe to unpack"):
        unpack(path, tmp_path / "in", 100)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.tar.gz", "in"]


def test_links_bombs_doubles_and_damage(tmp_path: Path) -> None:
    link = tarfile.TarInfo("yes/link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(tmp_path / "link.tar", "w") as tar:
        tar.addfile(link)
    (tmp_path / "bomb.tar.gz").write_bytes(tar_gz({"zeros": b"\0" * 100_000}))
    with tarfile.open(tmp_path / "twice.tar", "w") as tar:
        for _ in range(2):
            tar.addfile(tarfile.TarInfo("same"), io.BytesIO())
    (tmp_path / "cut.tar.gz").write_bytes(tar_gz(_FILES)[:50_000])
    for name, what in [
        ("link.tar", "not a regular file"),
        ("bomb.tar.gz", "more than 1,000 bytes"),
        ("twice.tar", "twice"),
        ("cut.tar.gz", "damaged"),
    ]:
        (tmp_path / f"{name}.out").mkdir()
        with pytest.raises(TinymlError, match=what):
            unpack(tmp_path / name, tmp_path / f"{name}.out", 1_000 if "bomb" in name else 10**7)


@pytest.mark.parametrize(
    ("at", "value", "what"),
    [(6, 1, "encrypted"), (8, 99, "not supported"), (8, 12, "Invalid data"), (8, 14, "damaged")],
)
def test_zips_that_cannot_be_unpacked(at: int, value: int, what: str, tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("yes/a.wav", b"abc" * 50)
    content = bytearray(path.read_bytes())
    for start in (content.find(b"PK\3\4") + at, content.find(b"PK\1\2") + at + 2):
        content[start] = value
    path.write_bytes(content)
    (tmp_path / "in").mkdir()
    with pytest.raises(TinymlError, match=what):
        unpack(path, tmp_path / "in", 1000)


@pytest.mark.parametrize("size", range(3, 33))
def test_a_stream_that_ends_in_its_header_is_damaged(tmp_path: Path, size: int) -> None:
    named = io.BytesIO()
    with gzip.GzipFile("a name of a file.tar", "wb", fileobj=named) as stream:
        stream.write(bytes(1024))
    (tmp_path / "a.tar.gz").write_bytes(named.getvalue()[:size])
    with pytest.raises(TinymlError, match="damaged"):
        unpack(tmp_path / "a.tar.gz", tmp_path, 1000)


def test_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as package:
        package.writestr("images/", "")
        package.writestr("images/1.jpg", b"abc")
    (tmp_path / "in").mkdir()
    assert unpack(tmp_path / "a.zip", tmp_path / "in", 10) == 1
    assert (tmp_path / "in" / "images" / "1.jpg").read_bytes() == b"abc"


def test_a_failed_unpacking_leaves_nothing_but_the_archive(
    server: Server, dataset: PublicDataset, tmp_path: Path
) -> None:
    content = tar_gz({"../x": b""})
    server.files["/pub/small.tar.gz"] = content
    archive = Archive(dataset.archives[0].url, len(content), hashlib.sha256(content).hexdigest(), 100)
    hostile = PublicDataset("small", "v1", "", "", "", "x", (archive,))
    with pytest.raises(TinymlError, match="is not safe to unpack"):
        download.download(hostile, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["small.tar.gz"]


def test_command(tinyml: Tinyml, tmp_path: Path, server: Server) -> None:
    listed = tinyml("data", "download", "--json", cwd=tmp_path).json["datasets"]
    size_bytes = {each["name"]: each["bytes"] for each in listed}
    assert (size_bytes["speech-commands"], size_bytes["vww"]) == (2_428_923_189, 234_810_765)
    (tmp_path / "usb").mkdir()
    (tmp_path / "usb" / "vw_coco2014_96.tar.gz").write_bytes(b"something else")
    answer = tinyml("data", "download", "vww", "--mirror", tmp_path / "usb", "--json", cwd=tmp_path, code=2)
    assert "234,810,765" in answer.json["error"]["what"]
    assert not (tmp_path / "vww_coco2014_96").exists()
    answer = tinyml("data", "download", "speech", "--json", cwd=tmp_path, code=2)
    assert "Choose from: speech-commands" in answer.json["error"]["next_step"]
    answer = tinyml("data", "download", "speech-commands", "--version", "v9", "--json", cwd=tmp_path, code=2)
    assert "v0.02" in answer.json["error"]["next_step"]
    answer = tinyml(
        "data", "download", "speech-commands", "--mirror", server.url, "--json", cwd=tmp_path, code=2
    )
    assert "404" in answer.json["error"]["what"] or "GB free" in answer.json["error"]["what"]
