"""The Python packages of tinyml[train] as a layer: a virtual environment, without anything of it being run.

Versions and hashes are those of `requirements.lock`, so equal bases get equal packages. pip downloads them
for the base's Python and processor, whatever runs here. The finished layer is kept in the cache.
"""

from __future__ import annotations

import configparser
import hashlib
import json
import re
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Callable
from importlib import resources
from pathlib import Path

from tinyml_cli import processes, system_errors, temporary
from tinyml_cli.console import console
from tinyml_cli.container.contents import ImageTarget
from tinyml_cli.container.layers import Layer, folder_members, folder_names, write_layer
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import atomic_path, cache_dir, filling_cache, sha256_file, write_atomic

PREFIX = "opt/tinyml"
_FORM = 1  # raised where the same packages make another layer
_OLDEST_GLIBC_MINOR = 5
_SCRIPT = "#!/{prefix}/bin/python3\nimport sys\n\nfrom {module} import {name}\n\nsys.exit({called}())\n"


def layer(target: ImageTarget, path: Path) -> Layer:
    """Writes the layer to a path.

    Raises:
        TinymlError: a package cannot be downloaded, or its bytes are not the pinned ones.
    """
    cached = cached_at(target)
    known = cached.with_suffix(".json")
    with filling_cache(cached, "Python packages of the image"):
        found = _cached(cached, known)
        if found is None:
            with temporary.folder("container", beside=cached) as folder, atomic_path(cached) as part:
                _install(requirements(target), target, Path(folder))
                found = stage_layer(Path(folder) / "root", target, part, "Python packages")
            write_atomic(known, json.dumps(vars(found)) + "\n")
        shutil.copyfile(cached, path)
    return found


def cached_at(target: ImageTarget) -> Path:
    """Where the layer of a target is kept."""
    is_compiled = compiler_of(target) is not None
    key = json.dumps(
        [_FORM, requirements(target), target.python, target.python_minor, target.glibc_minor, is_compiled]
    )
    return cache_dir() / "container" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.tgz"


def requirements(target: ImageTarget) -> list[str]:
    """The pinned packages of a target, a line each: `name==version --hash=… --hash=…`."""
    from packaging.markers import Marker

    version = f"3.{target.python_minor}"
    environment = {
        "implementation_name": "cpython",
        "implementation_version": f"{version}.0",
        "os_name": "posix",
        "platform_machine": target.machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{version}.0",
        "python_version": version,
        "sys_platform": "linux",
        "extra": "",
    }
    text = resources.files("tinyml_cli.container").joinpath("requirements.lock").read_text(encoding="utf-8")
    found = []
    for entry in text.strip().replace(" \\\n", " ").splitlines():
        pinned, *hashes = entry.split(" --hash=")
        name, _, marker = pinned.partition(" ; ")
        if not marker or Marker(marker).evaluate(environment):
            found.append(" --hash=".join([name.strip(), *map(str.strip, hashes)]))
    return found


def site_packages(target: ImageTarget) -> str:
    """Where packages lie in the image."""
    return f"{PREFIX}/lib/python3.{target.python_minor}/site-packages"


def compiler_of(target: ImageTarget) -> str | None:
    """A Python here that makes the target's bytecode; None where there is none of its version."""
    if sys.version_info[:2] == (3, target.python_minor):
        return sys.executable
    return shutil.which(f"python3.{target.python_minor}")


def of_root(name: str, info: tarfile.TarInfo) -> None:
    """Makes an entry one of root's, that all may read, without a time."""
    info.uid = info.gid = info.mtime = 0
    info.mode = 0o755 if info.mode & 0o111 else 0o644


def stage_layer(
    root: Path,
    target: ImageTarget,
    path: Path,
    what: str,
    own: Callable[[str, tarfile.TarInfo], None] = of_root,
) -> Layer:
    """Compiles what lies in a folder for Python, and writes it as a layer.

    Args:
        root: the folder that stands for `/`.
        target: whose Python.
        path: of the layer.
        what: it holds, for the progress.
        own: sets owner, mode and time of each entry.
    """
    _compile(root, target, f"compiling {what}")
    names = folder_names(root)
    return write_layer(folder_members(root, names, own), path, len(names), f"compressing {what}")


def write_scripts(site: Path, folder: Path) -> None:
    """Writes the commands of the packages in a folder, as their `entry_points.txt` names them."""
    for path in sorted(site.glob("*.dist-info/entry_points.txt")):
        found = configparser.ConfigParser(delimiters="=", strict=False)
        found.optionxform = str  # type: ignore[assignment,method-assign]
        found.read_string(path.read_text(encoding="utf-8"))
        for command, place in found["console_scripts"].items() if "console_scripts" in found else ():
            module, _, called = re.sub(r"\[.*", "", place).strip().partition(":")
            script = folder / command
            name = called.split(".")[0]
            script.write_text(
                _SCRIPT.format(prefix=PREFIX, module=module, name=name, called=called),
                encoding="utf-8",
                newline="\n",
            )
            script.chmod(0o755)


def _cached(path: Path, known: Path) -> Layer | None:
    try:
        found = Layer(**json.loads(known.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return found if path.is_file() and sha256_file(path) == found.digest else None


def _install(pinned: list[str], target: ImageTarget, folder: Path) -> None:
    """Downloads the packages and lays them out below `folder/root`."""
    wheels = _download(pinned, target, folder)
    root = folder / "root"
    site, programs = root / site_packages(target), root / PREFIX / "bin"
    site.mkdir(parents=True)
    programs.mkdir()
    with console.progress(len(wheels), "unpacking Python packages") as bar:
        for wheel in wheels:
            _unpack(wheel, site, root / PREFIX)
            wheel.unlink()
            bar.advance()
    (root / PREFIX / "pyvenv.cfg").write_text(
        f"home = {target.python.rpartition('/')[0]}\n"
        f"include-system-site-packages = false\nversion = 3.{target.python_minor}\n",
        encoding="utf-8",
        newline="\n",
    )
    for name in ("python", "python3"):
        (programs / name).symlink_to(target.python)
    write_scripts(site, programs)


def _download(pinned: list[str], target: ImageTarget, folder: Path) -> list[Path]:
    listed, wheels = folder / "requirements.txt", folder / "wheels"
    listed.write_text("\n".join(pinned) + "\n", encoding="utf-8", newline="\n")
    newest = range(target.glibc_minor, _OLDEST_GLIBC_MINOR - 1, -1)
    platforms = [
        *(f"manylinux_2_{minor}" for minor in newest),
        "manylinux2014",
        "manylinux2010",
        "manylinux1",
    ]
    command = [
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary", ":all:"),
        *("--disable-pip-version-check", "--progress-bar", "off", "--implementation", "cp"),
        *("--python-version", f"3.{target.python_minor}"),
        *(word for name in platforms for word in ("--platform", f"{name}_{target.machine}")),
        *("--dest", str(wheels), "--requirement", str(listed)),
    ]
    tail: list[str] = []
    process = processes.Process(command, stdout=processes.PIPE, stderr=processes.STDOUT)
    with process, console.progress(len(pinned), "downloading Python packages") as bar:
        for line in process.lines():
            tail = [*tail[-20:], line.strip()]
            if line.startswith("Collecting "):
                bar.advance(1, line.split()[1])
    if process.returncode != 0:
        raise _not_downloaded("\n".join(tail), target)
    return sorted(wheels.iterdir())


def _not_downloaded(output: str, target: ImageTarget) -> TinymlError:
    if refused := system_errors.found_in(output, "pip download"):
        return refused
    lines = output.splitlines() or ["no message"]
    reason = next((line for line in lines if line.startswith("ERROR: ")), lines[-1])
    return TinymlError(
        f"The Python packages for Python 3.{target.python_minor} on {target.machine} cannot be downloaded "
        f"({reason.removeprefix('ERROR: ')})",
        "pip download",
        "Run the command again with a network; pip's own settings, such as PIP_FIND_LINKS, are heeded.",
    )


def _unpack(wheel: Path, site: Path, prefix: Path) -> None:
    """Lays out a wheel as pip would, without its compiled files and its list of what was installed."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
        for entry in archive.infolist():
            if (entry.external_attr >> 16) & 0o111 and not entry.is_dir():
                (site / entry.filename).chmod(0o755)
    for data in site.glob("*.data"):
        for part, place in (
            ("purelib", site),
            ("platlib", site),
            ("scripts", prefix / "bin"),
            ("data", prefix),
        ):
            if (data / part).is_dir():
                shutil.copytree(data / part, place, dirs_exist_ok=True)
        shutil.rmtree(data)


def _compile(root: Path, target: ImageTarget, what: str) -> None:
    """Writes bytecode that is not checked against its source: the user of the image may write none."""
    compiler = compiler_of(target)
    if compiler is None:
        return
    sources = [name for name in folder_names(root) if name.endswith(".py")]
    # One process and one order, else equal sources give different bytes.
    command = [
        *(compiler, "-I", "-m", "compileall", "--invalidation-mode", "unchecked-hash"),
        *("-s", str(root), "-p", "/", str(root)),
    ]
    environment = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "", "PATH": ""}
    process = processes.Process(command, stdout=processes.PIPE, stderr=processes.DEVNULL, env=environment)
    with process, console.progress(len(sources), what) as bar:
        for line in process.lines():
            if line.startswith("Compiling "):
                bar.advance()
