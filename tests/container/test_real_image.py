"""An image on a real base: made by mmdebstrap, inspected by skopeo, run by buildah without rights."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
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
def test_hello_is_trained_built_and_evaluated_inside(tinyml: Tinyml, tmp_path: Path) -> None:
    rootfs = tmp_path / "rootfs.tar"
    left_out = [f"--dpkgopt=path-exclude={pattern}" for pattern in _LEFT_OUT]
    packages = f"--include={','.join(PACKAGES)}"
    _run("mmdebstrap", "--variant=minbase", "--mode=root", *left_out, packages, "bookworm", rootfs)
    built = tinyml("container", "build", "--base", rootfs, "--out", "image.tar", "--json", cwd=tmp_path).json
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
    _run(*buildah, "rm", container)


def _run(*command: str | Path) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
