"""An image on a real base: made by mmdebstrap, inspected by skopeo, run by buildah without rights."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import Tinyml
from tinyml_cli.container.contents import PACKAGES

_TOOLS = ("mmdebstrap", "skopeo", "buildah")


@pytest.mark.nightly
@pytest.mark.timeout(3600)
@pytest.mark.skipif(
    not all(map(shutil.which, _TOOLS)) or os.name == "nt" or os.getuid() != 0, reason="needs tools, root"
)
def test_hello_is_trained_built_and_evaluated_inside(tinyml: Tinyml, tmp_path: Path) -> None:
    rootfs = tmp_path / "rootfs.tar"
    _run(
        "mmdebstrap",
        "--variant=minbase",
        "--mode=root",
        f"--include={','.join(PACKAGES)}",
        "bookworm",
        rootfs,
    )
    built = tinyml("container", "build", "--base", rootfs, "--out", "image.tar", "--json", cwd=tmp_path).json
    image = f"oci-archive:{tmp_path}/image.tar"
    assert json.loads(_run("skopeo", "inspect", image))["Digest"] == built["digest"]
    buildah = (
        "buildah",
        "--storage-driver",
        "vfs",
        "--root",
        tmp_path / "store",
        "--runroot",
        tmp_path / "state",
    )
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
