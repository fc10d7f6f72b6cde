"""The Containerfile of a base, for whoever has a builder of images."""

from __future__ import annotations

from pathlib import Path

from tinyml_cli.container import service_settings
from tinyml_cli.container.contents import PACKAGES
from tinyml_cli.files import write_new
from tinyml_cli.outcomes.containers import ContainerBase

_TEXT = """\
# The base of a container image with tinyml: Python, compilers and QEMU.
#   buildah build -t tinyml-base -f {name} .
#   buildah push tinyml-base oci-archive:base.tar
#   tinyml container build --base base.tar{option}
FROM debian:bookworm-slim
RUN apt-get update \\
 && apt-get install -y --no-install-recommends {packages} \\
 && rm -rf /var/lib/apt/lists/*
"""


def write(out: Path, serves: bool = False) -> ContainerBase:
    """Writes the Containerfile.

    Args:
        serves: what `container build --serve` sets stands in it too, for whoever builds the image on it.

    Raises:
        TinymlError: something lies there already, or the place cannot be written.
    """
    text = _TEXT.format(name=out.name, packages=" ".join(PACKAGES), option=" --serve" if serves else "")
    write_new(out, (text + (service_settings.lines() if serves else "")).encode())
    return ContainerBase(containerfile=str(out), packages=list(PACKAGES))
