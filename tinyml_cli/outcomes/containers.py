"""Container images."""

from __future__ import annotations

from pydantic import Field

from tinyml_cli.outcomes.base import Count, Outcome, Sha256


class ContainerLayer(Outcome):
    """A layer of an image."""

    digest: Sha256 = Field(description="of its compressed file")
    diff_id: Sha256 = Field(description="of the tar in it")
    bytes: Count = Field(description="of its compressed file")


class ContainerBuilt(Outcome):
    """An image that was written. Equal inputs give equal digests."""

    image: str = Field(description="path of the OCI archive, or of the folder with the OCI layout")
    reference: str = Field(description="as skopeo, podman and buildah call it")
    digest: str = Field(description="of the manifest: sha256:…")
    bytes: Count
    base: str = Field(description="path")
    architecture: str = Field(description="amd64 or arm64")
    python: str = Field(description="version of the base's Python")
    tinyml_version: str
    user: str = Field(description="whom it runs as")
    port: Count | None = Field(description="that it serves; null: none")
    bytecode: bool = Field(
        description="false: no Python of the base's version was here to compile, so starts are slow"
    )
    layers: list[ContainerLayer] = Field(description="the lowest first: the base's, Python packages, tinyml")


class ContainerBase(Outcome):
    """A Containerfile that was written."""

    containerfile: str = Field(description="path")
    packages: list[str] = Field(description="what Debian calls what a base has to hold")
