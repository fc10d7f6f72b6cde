"""Large files over HTTP: resumed after an interruption, and verified before use."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import http.client
import os
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from tinyml_cli.console import ProgressBar, console
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic

_BLOCK_BYTES = 1 << 18
_TIMEOUT_S = 30.0
_TRIES = 5
# After the first failure, doubled with each further one in a row.
_WAIT_S = 0.5
_MIB = 1 << 20
# An answer that asking again will not change.
_FINAL_STATUS = (400, 401, 403, 404, 405, 410, 451)


def fetch(url: str, path: Path, size_bytes: int, checksum: str) -> None:
    """Downloads `url` to `path`, going on with `path.part` of an earlier attempt.

    A part is continued only if the server says that it is still the same file (RFC 9110, Range and If-Range);
    otherwise the download begins again. A connection that breaks is opened again.

    Args:
        url: http, https or file.
        path: where the complete, verified file goes.
        size_bytes: its size.
        checksum: of its bytes, see `verify`.

    Raises:
        TinymlError: no such server or file, or other bytes than the pinned ones.
    """
    if urlsplit(url).scheme not in ("http", "https", "file"):
        raise TinymlError(f"`{url}` is not a download URL", "--mirror", "Start it with https://")
    part, tag = part_of(path), path.with_name(f"{path.name}.etag")
    if part.is_file() and part.stat().st_size > size_bytes:
        part.unlink()
    _receive(url, part, tag, size_bytes)
    tag.unlink(missing_ok=True)
    verify(
        part,
        size_bytes,
        checksum,
        "Run the same command again; it starts over. If that does not help, use a mirror: --mirror URL.",
        remove=True,
    )
    part.replace(path)


def part_of(path: Path) -> Path:
    """Where the unfinished download of `path` lies."""
    return path.with_name(f"{path.name}.part")


def verify(path: Path, size_bytes: int, checksum: str, next_step: str, remove: bool = False) -> None:
    """Checks a file's bytes.

    Args:
        path: of the file.
        size_bytes: its size.
        checksum: its SHA-256 in hex, or `md5:` and its MD5.
        next_step: for the error.
        remove: whether a file of other bytes is removed.

    Raises:
        TinymlError: they are not the pinned ones; with `remove` the file is gone then.
    """
    is_md5 = checksum.startswith("md5:")
    expected = checksum.removeprefix("md5:")
    digest = hashlib.md5(usedforsecurity=False) if is_md5 else hashlib.sha256()
    with path.open("rb") as stream, console.progress(_mebibytes(path.stat().st_size), "Verifying") as bar:
        counted = _Counter(bar)
        while block := stream.read(_MIB):
            digest.update(block)
            counted.add(len(block))
    actual_bytes = path.stat().st_size
    if digest.hexdigest() == expected:
        return
    if remove:
        path.unlink()
    raise TinymlError(
        f"The file has {actual_bytes:,} bytes and the {'MD5' if is_md5 else 'SHA-256'} "
        f"{digest.hexdigest()[:12]}… instead of {size_bytes:,} bytes and {expected[:12]}…",
        str(path),
        next_step,
    )


class _Counter:
    """Feeds a progress bar in MiB from byte counts."""

    def __init__(self, bar: ProgressBar, done_bytes: int = 0) -> None:
        self._bar = bar
        self._bytes, self._shown = done_bytes, 0
        self.add(0)

    def add(self, count: int) -> None:
        """Counts bytes."""
        self._bytes += count
        whole = self._bytes // _MIB
        if whole > self._shown:
            self._bar.advance(whole - self._shown, "MiB")
            self._shown = whole

    def set(self, done_bytes: int) -> None:
        """Goes to a position; the bar itself never goes back."""
        self._bytes = done_bytes


def _mebibytes(count: int) -> int:
    return max(1, count // _MIB)


def _receive(url: str, part: Path, tag: Path, size_bytes: int) -> None:
    """Fills `part` until it has `size_bytes`; a broken connection is tried again while there is progress."""
    failures = 0
    with console.progress(_mebibytes(size_bytes), "Downloading") as bar:
        counted = _Counter(bar, _size(part))
        while _size(part) < size_bytes:
            before = _size(part)
            try:
                _receive_once(url, part, tag, counted)
                if _size(part) >= size_bytes:
                    return
                reason = "the connection was closed early"
            except (OSError, http.client.HTTPException) as error:
                _raise_final(url, error)
                reason = str(getattr(error, "reason", "") or error) or type(error).__name__
            failures = failures + 1 if _size(part) <= before else 1
            if failures >= _TRIES:
                raise TinymlError(
                    f"The download stopped at {_size(part):,} of {size_bytes:,} bytes: {reason}",
                    url,
                    "Run the same command again to resume. To use another server: --mirror URL.",
                )
            time.sleep(_WAIT_S * 2**failures)


def _receive_once(url: str, part: Path, tag: Path, counted: _Counter) -> None:
    start = _size(part)
    etag = tag.read_text(encoding="utf-8") if start and tag.is_file() else ""
    request = urllib.request.Request(url, headers={"User-Agent": "tinyml", "Accept-Encoding": "identity"})
    if start:
        request.add_header("Range", f"bytes={start}-")
        if etag:
            request.add_header("If-Range", etag)
    with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
        continues = answer.status == 206 and _range_start(answer.headers.get("Content-Range", "")) == start
        if not continues:
            start = 0
            counted.set(0)
            _remember(tag, answer.headers.get("ETag") or "")
        with part.open("r+b" if continues else "wb") as stream:
            stream.seek(start)
            while block := answer.read(_BLOCK_BYTES):
                stream.write(block)
                counted.add(len(block))
            stream.flush()
            os.fsync(stream.fileno())


def _remember(tag: Path, etag: str) -> None:
    """Keeps a strong ETag; a weak one cannot vouch for single bytes."""
    if etag and not etag.startswith("W/"):
        write_atomic(tag, etag)
    else:
        tag.unlink(missing_ok=True)


def _range_start(header: str) -> int:
    """First byte of `Content-Range: bytes 100-199/200`; -1 when it does not say."""
    with contextlib.suppress(ValueError, IndexError):
        return int(header.removeprefix("bytes").strip().split("-")[0])
    return -1


def _raise_final(url: str, error: Exception) -> None:
    if isinstance(error, urllib.error.HTTPError) and error.code in _FINAL_STATUS:
        raise TinymlError(
            f"The server returned {error.code} ({error.reason})", url, "Use another server: --mirror URL."
        ) from error
    if (
        isinstance(error, OSError)
        and not isinstance(error, urllib.error.URLError)
        and error.errno == errno.ENOSPC
    ):
        raise TinymlError(
            "No space left on the disk; the download so far is kept",
            url,
            "Free some space and run the same command again to resume.",
        ) from error


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
