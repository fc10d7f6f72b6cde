"""Keys that sign updates: private on disk, in no run, told apart from what they are not."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.conftest import Tinyml
from tinyml_cli.errors import TinymlError
from tinyml_cli.updates import keys


def test_a_key_comes_back_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    key = keys.new(path)
    assert keys.load(path).public == keys.public_half(path) == key.public
    if os.name == "posix":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        path.chmod(0o644)
        with pytest.raises(TinymlError, match="Others can read the key"):
            keys.load(path)


def test_the_public_half_signs_nothing(tmp_path: Path) -> None:
    key = keys.new(tmp_path / "key.pem")
    public = tmp_path / "public.pem"
    public.write_bytes(keys.public_pem(key.public))
    assert keys.public_half(public) == key.public
    with pytest.raises(TinymlError, match="no key that signs"):
        keys.load(public)


def test_no_key_is_overwritten_or_put_in_a_run(tmp_path: Path, tinyml: Tinyml) -> None:
    keys.new(tmp_path / "key.pem")
    before = (tmp_path / "key.pem").read_bytes()
    tinyml("keys", "new", tmp_path / "key.pem", cwd=tmp_path, code=2)
    assert (tmp_path / "key.pem").read_bytes() == before
    (tmp_path / "run" / "logs").mkdir(parents=True)
    (tmp_path / "run" / "manifest.json").write_text("{}")
    answer = tinyml("keys", "new", tmp_path / "run" / "logs" / "key.pem", cwd=tmp_path, code=2)
    assert "does not belong in it" in answer.err
    assert not (tmp_path / "run" / "logs" / "key.pem").exists()


@pytest.mark.parametrize(
    "text", ["", "not a key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_junk_is_no_key(tmp_path: Path, text: str) -> None:
    path = tmp_path / "junk.pem"
    path.write_text(text)
    path.chmod(0o600)
    for read in (keys.load, keys.public_half):
        with pytest.raises(TinymlError, match="This is no key"):
            read(path)
