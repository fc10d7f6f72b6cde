"""Third-party C sources: their origin, and their place in a firmware project.

Nothing here is committed to the repository. Sources are fetched once through pip (which uses the user's index
and proxy settings), verified against a SHA-256, kept in the user's cache and then used offline from
there.
"""

from __future__ import annotations

import json
import os
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tinyml_cli import processes, system_errors, temporary
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import cache_dir, filling_cache, sha256_file, write_atomic, write_if_changed

CMSIS_NN_HOST_DEFINES = ("__GNUC_PYTHON__", "__RESTRICT=__restrict")
"""What CMSIS-NN's headers need on a machine that is not an Arm core (plain C path, no DSP instructions)."""


@dataclass(frozen=True)
class VendoredSource:
    """One third-party library.

    Attributes:
        package: the PyPI package that carries it.
        wheel: the file name of its wheel.
        folders: (folder inside the wheel, folder in the laid-out library), taken with its subfolders.
        licence: SPDX identifier.
    """

    package: str
    version: str
    wheel: str
    sha256: str
    folders: tuple[tuple[str, str], ...]
    library_version: str
    licence: str
    description: str


_BAKENN = "bakenn/backend/cmsis_nn/vendor"

SOURCES = {
    "cmsis_nn": VendoredSource(
        package="bakenn",
        version="1.0.0",
        wheel="bakenn-1.0.0-py3-none-any.whl",
        sha256="b8251e71a8fc39252df0d308fe9a5837bd86f7a31f1596a7dd4a319196f30e56",
        folders=(
            (f"{_BAKENN}/cmsis_nn/Include", "include"),
            (f"{_BAKENN}/cmsis_core/Include", "include"),
            (f"{_BAKENN}/cmsis_nn/Source", "src"),
            (f"{_BAKENN}/cmsis_nn/LICENSE.txt", "LICENSE.txt"),
        ),
        library_version="4.0.0",
        licence="Apache-2.0",
        description="Arm's int8 neural network kernels for Cortex-M (a subset)",
    ),
}


def fetch(name: str) -> Path:
    """The verified wheel of a source, downloaded at most once.

    It is looked for in $TINYML_VENDOR_DIR, then in the cache, then downloaded.

    Raises:
        TinymlError: no network, or a file with other bytes than the pinned ones.
    """
    source = SOURCES[name]
    if folder := os.environ.get("TINYML_VENDOR_DIR"):
        given = Path(folder) / source.wheel
        if given.is_file():
            return _verified(given, source)
    cached = cache_dir() / "vendor" / source.wheel
    if cached.is_file() and sha256_file(cached) == source.sha256:
        return cached
    with filling_cache(cached, f"download of {source.package}"):
        if cached.is_file() and sha256_file(cached) == source.sha256:
            return cached
        console.info(f"Fetching {source.package} {source.version} ({source.description}) …")
        with temporary.folder("vendor") as folder:
            downloaded = _verified(_download(source, Path(folder)), source)
            write_atomic(cached, downloaded.read_bytes())
    return cached


def read(name: str) -> dict[str, str]:
    """The texts of a source by their place in the laid-out library.

    Raises:
        TinymlError: the source cannot be had, see `fetch`.
    """
    source = SOURCES[name]
    with zipfile.ZipFile(fetch(name)) as wheel:
        return {
            target.as_posix(): wheel.read(member).decode()
            for member in wheel.namelist()
            if (target := _target(source, member)) is not None
        }


def lay_out(name: str, destination: Path) -> None:
    """Writes a source as a PlatformIO library: library.json, include/, src/. Equal files stay untouched.

    Raises:
        TinymlError: the source cannot be had, see `fetch`.
    """
    for target, text in read(name).items():
        write_if_changed(destination / target, text.encode())
    write_if_changed(destination / "library.json", _library_json(name, SOURCES[name]))


def _target(source: VendoredSource, member: str) -> Path | None:
    path = PurePosixPath(member)
    if path.suffix not in (".c", ".h", ".txt"):
        return None
    for origin, target in source.folders:
        if path.is_relative_to(origin):
            relative = path.relative_to(origin)
            if ".." in relative.parts:
                return None
            return Path(target, *relative.parts)
    return None


def _library_json(name: str, source: VendoredSource) -> str:
    document = {
        "name": name,
        "version": source.library_version,
        "description": source.description,
        "license": source.licence,
        "build": {"srcDir": "src", "includeDir": "include"},
    }
    return json.dumps(document, indent=2) + "\n"


def _verified(path: Path, source: VendoredSource) -> Path:
    actual = sha256_file(path)
    if actual != source.sha256:
        raise TinymlError(
            f"{source.wheel} has the SHA-256 {actual[:12]}… instead of {source.sha256[:12]}…",
            str(path),
            "Delete it and download it from an index you trust.",
        )
    return path


def _download(source: VendoredSource, folder: Path) -> Path:
    command = [
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"),
        *(
            "--disable-pip-version-check",
            "--quiet",
            "--dest",
            str(folder),
            f"{source.package}=={source.version}",
        ),
    ]
    try:
        outcome = processes.run(command, timeout_s=300)
        reason = (outcome.stderr.strip().splitlines() or ["no message"])[-1]
    except (OSError, processes.TimeoutExpired) as error:
        reason = str(error)
    wheel = folder / source.wheel
    if not wheel.is_file():
        if refused := system_errors.found_in(reason, str(folder)):
            raise refused
        raise TinymlError(
            f"{source.package} {source.version}, which contains C sources for the firmware, cannot be "
            f"downloaded ({reason})",
            "pip download",
            f"On a computer with a network, run `pip download --no-deps {source.package}=={source.version}`, "
            f"copy {source.wheel} here and set TINYML_VENDOR_DIR to its folder.",
        )
    return wheel
