"""`tinyml container build`: an image with compiler, QEMU and tinyml[train], on a base of the user's."""

from __future__ import annotations

import contextlib
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tinyml_cli import __version__, checks, temporary
from tinyml_cli.container import base, oci, own_package, packages, service_settings
from tinyml_cli.container.contents import PATH, USER_ID, ImageTarget
from tinyml_cli.container.layers import Layer
from tinyml_cli.container.oci import LayoutWriter
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import atomic_folder, atomic_path, cache_dir, filling_cache
from tinyml_cli.http_api.server import SERVICE_PORT
from tinyml_cli.outcomes.containers import ContainerBuilt, ContainerLayer

_EPOCH = "1970-01-01T00:00:00Z"
_LAYOUT = {oci.MARK, oci.INDEX, "blobs"}
_VERSION = "org.opencontainers.image.version"
# The Python packages: in the cache with what they are made of, and in the image.
_PACKAGES_BYTES, _LAYER_BYTES = 3000 << 20, 600 << 20


def build(given: Path, out: Path, serves: bool = False) -> ContainerBuilt:
    """Writes the image.

    Args:
        given: the base.
        out: the image: an OCI archive where the name ends in .tar, else a folder with an OCI layout.
        serves: it starts `tinyml serve` on the runs of its volume.

    Raises:
        TinymlError: an unusable base, something else at `out`, no network where packages are missing, or no
            space; `out` is as before then.
    """
    if os.name == "nt":
        raise TinymlError(
            "Images are written on Linux and macOS", "container build", "Run the command in WSL."
        )
    _check_place(given, out)
    with base.opened(given) as found:
        environment = _environment(found.settings)
        target = found.contents.target(environment["PATH"])
        passwd = found.contents.passwd(own_package.USER)
        checks.room(cache_dir(), _PACKAGES_BYTES, "the Python packages")
        checks.room(out, 2 * (_LAYER_BYTES + base.size(given)), "the image and its parts")
        with filling_cache(out, "image", wait=False), _image_folder(out) as folder:
            layout = LayoutWriter(folder)
            layers = found.write(layout)
            layers.append(_added(layout, lambda part: packages.layer(target, part)))
            layers.append(_added(layout, lambda part: _own_layer(target, passwd, serves, part)))
            written = layout.finish(layers, _settings(target, environment, serves), __version__)
    return ContainerBuilt(
        image=str(out),
        reference=f"{'oci-archive' if _is_archive(out) else 'oci'}:{out}",
        digest=written.digest,
        bytes=base.size(out),
        base=str(given),
        architecture=target.architecture,
        python=f"3.{target.python_minor}",
        tinyml_version=__version__,
        user=f"{USER_ID}:{USER_ID}",
        port=SERVICE_PORT if serves else None,
        bytecode=packages.compiler_of(target) is not None,
        layers=[ContainerLayer(digest=each.digest, diff_id=each.diff_id, bytes=each.size) for each in layers],
    )


def _is_archive(out: Path) -> bool:
    return out.suffix == ".tar"


def _check_place(given: Path, out: Path) -> None:
    """Nothing may lie there but an image that was written by this command."""
    if out.resolve().is_relative_to(given.resolve()):
        raise TinymlError("The image would lie in its base", str(out), "Give --out another place.")
    if given.resolve().is_relative_to(out.resolve()):
        raise TinymlError(
            "The base lies where the image would be written", str(out), "Give --out another place."
        )
    checks.output(out)
    if not (out.exists() or out.is_symlink()):
        return
    with contextlib.suppress(TinymlError), base.archive_at(out) as archive:
        layout = oci.Layout.at(out, archive)
        is_pure = archive is not None or {each.name for each in out.iterdir()} <= _LAYOUT
        if layout is not None and is_pure and layout.is_of_tinyml():
            return
    raise TinymlError(
        "Something other than an image of tinyml lies there; nothing was written",
        str(out),
        "Give --out another name.",
    )


@contextlib.contextmanager
def _image_folder(out: Path) -> Iterator[Path]:
    """An empty folder for a layout that takes its place, or becomes an archive, when the block ends well."""
    if not _is_archive(out):
        with atomic_folder(out) as made:
            yield made
        return
    with temporary.folder("image", beside=out) as folder:
        yield Path(folder)
        with atomic_path(out) as part, tarfile.open(part, "w", format=tarfile.PAX_FORMAT) as archive:
            for name in sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*")):
                archive.add(Path(folder, name), name, recursive=False, filter=_plain_entry)


def _plain_entry(info: tarfile.TarInfo) -> tarfile.TarInfo:
    packages.of_root(info.name, info)
    info.uname = info.gname = ""
    return info


def _added(layout: LayoutWriter, write: Callable[[Path], Layer]) -> Layer:
    layer = write(layout.new_blob())
    layout.keep(layer.digest)
    return layer


def _own_layer(target: ImageTarget, passwd: str, serves: bool, part: Path) -> Layer:
    with temporary.folder("container", beside=part) as folder:
        root = Path(folder)
        own_package.stage(root, target, passwd, [service_settings.DATA] if serves else [])
        return packages.stage_layer(root, target, part, "tinyml", own_package.own_entry)


def _environment(settings: oci.RunSettings) -> dict[str, str]:
    """The base's variables, and ours."""
    given = dict(entry.split("=", 1) for entry in settings.environment if "=" in entry)
    return given | {
        "PATH": f"/{packages.PREFIX}/bin:{given.get('PATH') or PATH}",
        "HOME": f"/{own_package.HOME}",
        "LANG": given.get("LANG", "C.UTF-8"),
    }


def _settings(target: ImageTarget, environment: dict[str, str], serves: bool) -> dict[str, Any]:
    started = (
        service_settings.started(target.python) if serves else {"Entrypoint": [oci.NAME], "Cmd": ["--help"]}
    )
    return {
        "created": _EPOCH,
        "architecture": target.architecture,
        "os": "linux",
        "config": {
            "User": f"{USER_ID}:{USER_ID}",
            "Env": [f"{name}={value}" for name, value in sorted(environment.items())],
            **started,
            "WorkingDir": f"/{own_package.WORK}",
            "Labels": {oci.TITLE: oci.NAME, _VERSION: __version__},
        },
    }
