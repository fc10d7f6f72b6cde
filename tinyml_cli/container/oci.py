"""OCI image layouts, as folders and as archives: read with every hash checked, and written.

OCI image specification 1.1: image-layout.md, manifest.md, config.md.
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import IO, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tinyml_cli.container.layers import Layer
from tinyml_cli.documents import UnreadableError, parse_json
from tinyml_cli.errors import TinymlError
from tinyml_cli.validation import first_problem
from tinyml_cli.wording import counted

MARK = "oci-layout"
MARK_TEXT = '{"imageLayoutVersion":"1.0.0"}'
INDEX = "index.json"
TITLE, NAME = "org.opencontainers.image.title", "tinyml"
"""The label of images that tinyml writes."""

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MANIFESTS = (_MANIFEST, "application/vnd.docker.distribution.manifest.v2+json")
_MAX_DOCUMENT_BYTES = 4 << 20
_BLOCK_BYTES = 1 << 20


class _OciPart(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Platform(_OciPart):
    """What an image runs on."""

    architecture: str
    os: str


class Descriptor(_OciPart):
    """A blob that a document names."""

    media_type: str = Field(alias="mediaType")
    digest: str = Field(pattern="^sha256:[0-9a-f]{64}$")
    size: int = Field(ge=0)
    platform: Platform | None = None
    annotations: dict[str, str] = Field(default_factory=dict)

    @property
    def blob(self) -> str:
        """Where it lies in a layout."""
        return f"blobs/{self.digest.replace(':', '/')}"


class ImageIndex(_OciPart):
    """The images of a layout, or one image for several computers."""

    schema_version: int = Field(alias="schemaVersion", ge=2, le=2)
    manifests: list[Descriptor]


class ImageManifest(_OciPart):
    """An image: its settings and its layers."""

    schema_version: int = Field(alias="schemaVersion", ge=2, le=2)
    config: Descriptor
    layers: list[Descriptor]


class RunSettings(_OciPart):
    """How a container of the image is started."""

    environment: list[str] = Field(alias="Env", default_factory=list)
    user: str = Field(alias="User", default="")
    entrypoint: list[str] | None = Field(alias="Entrypoint", default=None)
    labels: dict[str, str] = Field(alias="Labels", default_factory=dict)
    working_folder: str = Field(alias="WorkingDir", default="")


class RootFileSystem(_OciPart):
    """The tars of the layers."""

    diff_ids: list[str]


class ImageConfig(Platform):
    """The settings of an image."""

    config: RunSettings = RunSettings()
    rootfs: RootFileSystem


D = TypeVar("D", bound=_OciPart)


class Layout:
    """A layout that is there: a folder, or a tar of one.

    Raises:
        TinymlError: by each method, where a blob is missing, or is not the one that its digest names.
    """

    def __init__(self, path: Path, archive: tarfile.TarFile | None) -> None:
        self.path = path
        self._archive = archive
        self._names = (
            {} if archive is None else {_plain(each.name): each for each in archive if each.isfile()}
        )

    @classmethod
    def at(cls, path: Path, archive: tarfile.TarFile | None) -> Layout | None:
        """The layout in a folder or in its archive; None where it holds none."""
        layout = cls(path, archive)
        return layout if MARK in layout._names or (archive is None and (path / MARK).is_file()) else None

    def open(self, name: str) -> IO[bytes]:
        """A file of the layout."""
        if self._archive is None:
            place = self.path / name
            if not place.is_file():
                raise self.damaged(f"`{name}` is missing")
            return place.open("rb")
        stream = self._archive.extractfile(self._names[name]) if name in self._names else None
        if stream is None:
            raise self.damaged(f"`{name}` is missing")
        return stream

    def is_of_tinyml(self) -> bool:
        """Whether `tinyml container build` wrote it."""
        return self.image("")[2].config.labels.get(TITLE) == NAME

    def copy(self, blob: Descriptor, target: IO[bytes]) -> None:
        """Copies a blob and checks its hash."""
        digest, size = hashlib.sha256(), 0
        with self.open(blob.blob) as stream:
            while block := stream.read(_BLOCK_BYTES):
                digest.update(block)
                size += len(block)
                target.write(block)
        if f"sha256:{digest.hexdigest()}" != blob.digest or size != blob.size:
            raise self.damaged(f"`{blob.blob}` is not what its name says")

    def image(self, architecture: str) -> tuple[Descriptor, ImageManifest, ImageConfig]:
        """The only image, or the one for a computer: its descriptor, manifest and settings.

        Args:
            architecture: as OCI calls it: amd64, arm64.
        """
        found = self._chosen(self._document(INDEX, None, ImageIndex), architecture)
        while found.media_type in _INDEXES:
            found = self._chosen(self._document(found.blob, found, ImageIndex), architecture)
        if found.media_type not in _MANIFESTS:
            raise self.damaged(f"it holds `{found.media_type}`, not an image")
        manifest = self._document(found.blob, found, ImageManifest)
        config = self._document(manifest.config.blob, manifest.config, ImageConfig)
        if len(config.rootfs.diff_ids) != len(manifest.layers):
            raise self.damaged("its settings name another number of layers than its manifest")
        return found, manifest, config

    def _chosen(self, index: ImageIndex, architecture: str) -> Descriptor:
        if len(index.manifests) == 1:
            return index.manifests[0]
        wanted = Platform(architecture=architecture, os="linux")
        fitting = [each for each in index.manifests if each.platform == wanted]
        if len(fitting) == 1:
            return fitting[0]
        raise TinymlError(
            f"The base holds {counted(len(index.manifests), 'image')}, and not exactly one for "
            f"linux/{architecture}",
            str(self.path),
            "Give an archive of one image.",
        )

    def _document(self, name: str, expected: Descriptor | None, schema: type[D]) -> D:
        with self.open(name) as stream:
            data = stream.read(_MAX_DOCUMENT_BYTES + 1)
        if len(data) > _MAX_DOCUMENT_BYTES:
            raise self.damaged(f"`{name}` is too large")
        if expected is not None and f"sha256:{hashlib.sha256(data).hexdigest()}" != expected.digest:
            raise self.damaged(f"`{name}` is not what its name says")
        try:
            return schema.model_validate(parse_json(data.decode()))
        except ValidationError as error:
            raise self.damaged(f"`{name}`: {first_problem(error, schema).what}") from error
        except (UnreadableError, UnicodeDecodeError) as error:
            raise self.damaged(f"`{name}`: {error}") from error

    def damaged(self, why: str) -> TinymlError:
        """The error of a layout that breaks the specification."""
        return TinymlError(f"The OCI image is damaged: {why}", str(self.path), "Make or copy it again.")


class LayoutWriter:
    """Writes a layout of one image into an empty folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._blobs = folder / "blobs/sha256"
        self._blobs.mkdir(parents=True)

    def new_blob(self) -> Path:
        """A place for a blob whose name is not known yet."""
        return self._blobs / "part"

    def keep(self, digest: str) -> None:
        """Gives the new blob its name."""
        self.new_blob().replace(self._blobs / digest)

    def finish(self, layers: list[Layer], settings: dict[str, Any], reference: str) -> Descriptor:
        """Writes settings, manifest and index; the manifest's descriptor.

        Args:
            layers: all of them, the lowest first; their files are kept already.
            settings: of the image, without `rootfs`.
            reference: the image's name in the layout.
        """
        rootfs = {"type": "layers", "diff_ids": [f"sha256:{layer.diff_id}" for layer in layers]}
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": self._document(settings | {"rootfs": rootfs}, _CONFIG),
            "layers": [
                {"mediaType": each.media_type, "digest": f"sha256:{each.digest}", "size": each.size}
                for each in layers
            ],
        }
        written = self._document(manifest, _MANIFEST)
        named = written | {"annotations": {"org.opencontainers.image.ref.name": reference}}
        (self.folder / INDEX).write_text(
            _text({"schemaVersion": 2, "manifests": [named]}), encoding="utf-8", newline="\n"
        )
        (self.folder / MARK).write_text(MARK_TEXT, encoding="utf-8", newline="\n")
        return Descriptor.model_validate(named)

    def _document(self, document: dict[str, Any], media_type: str) -> dict[str, Any]:
        data = _text(document).encode()
        digest = hashlib.sha256(data).hexdigest()
        (self._blobs / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def _plain(name: str) -> str:
    return name.removeprefix("./")
