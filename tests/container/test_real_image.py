"""An image on a real base: made by mmdebstrap, inspected by skopeo, run by buildah without rights."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Tinyml
from tinyml_cli.container.contents import PACKAGES

_TOOLS = ("mmdebstrap", "skopeo", "buildah")
# Half of the base: texts, and libraries for processors other than the Cortex-M3 and M4.
_LEFT_OUT = (
    *(f"/usr/share/{kind}/*" for kind in ("doc", "man", "locale")),
    *(f"/usr/lib/*/thumb/{family}*" for family in ("v6", "v7+", "v7-a", "v7-r", "v7ve", "v8")),
)


@functools.cache
def _lacks() -> str:
    """Why such an image cannot be made and run here; empty where it can."""
    if os.name == "nt" or os.getuid() != 0:
        return "only root may make a base"
    if missing := [tool for tool in _TOOLS if shutil.which(tool) is None]:
        return f"not installed: {', '.join(missing)}"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        return "this computer lets root mount nothing, which mmdebstrap and buildah do"
    return ""


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.skipif(bool(_lacks()), reason=_lacks())
def test_an_image_trains_evaluates_and_serves(tinyml: Tinyml, tmp_path: Path) -> None:
    rootfs = tmp_path / "rootfs.tar"
    left_out = [f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT]
    packages = f"--include={','.join(PACKAGES)}"
    try:
        _run("mmdebstrap", "--variant=minbase", "--mode=root", *left_out, packages, "bookworm", rootfs)
    except AssertionError as error:
        if "Failed to fetch" not in str(error):
            raise
        pytest.skip("Debian's archive cannot be reached from here")
    build = ("container", "build", "--serve", "--base", rootfs, "--out", "image.tar", "--json")
    built = tinyml(*build, cwd=tmp_path).json
    rootfs.unlink()
    image = f"oci-archive:{tmp_path}/image.tar"
    assert json.loads(_run("skopeo", "inspect", image))["Digest"] == built["digest"]
    store = ("--root", tmp_path / "store", "--runroot", tmp_path / "state")
    buildah = ("buildah", "--storage-driver", "vfs", *store)
    container = _run(*buildah, "from", image).split()[-1]
    inside = (*buildah, "run", "--isolation", "chroot", container, "--")
    assert _run(*inside, "id", "-u").strip() == "1000"
    said = json.loads(_run(*inside, "tinyml", "pipeline", "hello", "--board", "sim", "--json"))
    assert said["passed"] and said["build"]["flash_bytes"] < 50_000
    settings = json.loads(_run("skopeo", "inspect", "--config", "--raw", image))["config"]
    with _started(*inside, *settings["Entrypoint"]):
        health = [str(word) for word in (*inside, *settings["Healthcheck"]["Test"][1:])]
        until = time.monotonic() + 120
        while subprocess.run(health, capture_output=True, check=False).returncode:
            assert time.monotonic() < until, "the image does not serve"
    _run(*buildah, "rm", container)


@contextlib.contextmanager
def _started(*command: str | Path) -> Iterator[None]:
    process = subprocess.Popen([str(word) for word in command], start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _run(*command: str | Path) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
