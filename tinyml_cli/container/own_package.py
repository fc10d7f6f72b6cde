"""tinyml itself as a layer: the package that runs here, and its user."""

from __future__ import annotations

import re
import shutil
import tarfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from tinyml_cli import __version__, files
from tinyml_cli.console import console
from tinyml_cli.container import packages, service_settings
from tinyml_cli.container.contents import USER_ID, ImageTarget
from tinyml_cli.container.packages import PREFIX, site_packages, write_scripts

HOME, WORK = "home/tinyml", "work"
USER = f"tinyml:x:{USER_ID}:{USER_ID}::/{HOME}:/bin/sh"

_DISTRIBUTION = "tinyml-cli"
_ENTRY_POINTS = "[console_scripts]\ntinyml = tinyml_cli.start:main\n"
_GLIBC_OF_SYMBOL = re.compile(rb"GLIBC_2\.(\d+)")
_IGNORED = shutil.ignore_patterns("__pycache__", ".pio", "*.so", "*.pyd")


def stage(root: Path, target: ImageTarget, passwd: str, folders: Sequence[str] = ()) -> None:
    """Lays out tinyml below a folder that stands for `/`.

    Args:
        root: an empty folder.
        target: the Python and processor that it is to run on.
        passwd: the text of /etc/passwd.
        folders: further ones that any user may write to.
    """
    site = root / site_packages(target)
    _lay_out(site / "tinyml_cli", target)
    described = site / f"{_DISTRIBUTION.replace('-', '_')}-{__version__}.dist-info"
    described.mkdir()
    (described / "METADATA").write_text(_metadata(), encoding="utf-8", newline="\n")
    (described / "entry_points.txt").write_text(_ENTRY_POINTS, encoding="utf-8", newline="\n")
    (root / PREFIX / "bin").mkdir()
    write_scripts(site, root / PREFIX / "bin")
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text(passwd, encoding="utf-8", errors="surrogateescape", newline="\n")
    for name in (HOME, WORK, *folders):
        (root / name).mkdir(parents=True)


def _lay_out(copied: Path, target: ImageTarget) -> None:
    """The package that runs here, with its data as a wheel has them."""
    package = Path(files.__file__).parent
    shutil.copytree(package, copied, ignore=_IGNORED)
    for folder in (files.firmware_dir(), files.configs_dir(), files.course_dir()):
        shutil.copytree(
            folder, copied / f"_{folder.name.removeprefix('_')}", ignore=_IGNORED, dirs_exist_ok=True
        )
    _copy_extension(package, copied, target)


def own_entry(name: str, info: tarfile.TarInfo) -> None:
    """Sets owner, mode and time; any user may write to the home, the work folder and the data."""
    packages.of_root(name, info)
    if name in (HOME, WORK, service_settings.DATA):
        info.uid = info.gid = USER_ID
        info.mode = 0o1777


def _copy_extension(package: Path, copied: Path, target: ImageTarget) -> None:
    """The compiled audio front end, where it was compiled for such a computer."""
    for path in (package / "features").glob(
        f"*.cpython-3{target.python_minor}-{target.machine}-linux-gnu.so"
    ):
        needed = max((int(each) for each in _GLIBC_OF_SYMBOL.findall(path.read_bytes())), default=0)
        if needed <= target.glibc_minor:
            shutil.copy(path, copied / "features")
            return
    console.warn(
        f"the image computes audio features in Python, five times slower: its compiled part fits no Python "
        f"3.{target.python_minor} on {target.machine}"
    )


def _metadata() -> str:
    try:
        return metadata.distribution(_DISTRIBUTION).read_text("METADATA") or ""
    except metadata.PackageNotFoundError:
        return f"Metadata-Version: 2.1\nName: {_DISTRIBUTION}\nVersion: {__version__}\n"
