"""Programs as this system's package manager knows them: one line to install each, or its installation."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from importlib import metadata

from tinyml_cli import processes
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError

_TIMEOUT_S = 1800.0
_COMMANDS = {
    "apt-get": ("apt-get", "install", "--yes", "--no-install-recommends"),
    "dnf": ("dnf", "install", "--assumeyes"),
    "pacman": ("pacman", "--sync", "--noconfirm", "--needed"),
    "brew": ("brew", "install"),
    "winget": ("winget", "install", "--accept-source-agreements", "--accept-package-agreements"),
}
_VISUAL_CPP = (
    'winget install Microsoft.VisualStudio.2022.BuildTools --override "--passive --wait --add '
    'Microsoft.VisualStudio.Workload.VCTools --includeRecommended"'
)
_HEADERS = {"apt-get": "gcc python3-dev", "dnf": "gcc python3-devel", "pacman": "gcc"}
_PIP = (sys.executable, "-m", "pip", "install")
_ARM_CASK = {"brew": "--cask gcc-arm-embedded", "winget": "Arm.GnuArmEmbeddedToolchain"}
# What tinyml calls it -> what each manager does; where a manager lacks it, pip may bring a substitute.
_NAMES = {
    "arm-none-eabi-gcc": _ARM_CASK
    | {"apt-get": "gcc-arm-none-eabi", "dnf": "arm-none-eabi-gcc-cs", "pacman": "arm-none-eabi-gcc"},
    "newlib": _ARM_CASK
    | {"apt-get": "libnewlib-arm-none-eabi", "dnf": "arm-none-eabi-newlib", "pacman": "arm-none-eabi-newlib"},
    "qemu-system-arm": {
        "apt-get": "qemu-system-arm", "dnf": "qemu-system-arm", "pacman": "qemu-system-arm", "brew": "qemu",
        "winget": "SoftwareFreedomConservancy.QEMU",
    },
    "g++": {"apt-get": "g++", "dnf": "gcc-c++", "pacman": "gcc"},
    "clang": {"apt-get": "clang lld wasi-libc libclang-rt-dev-wasm32"},
    "flite": {"apt-get": "flite", "dnf": "flite", "pacman": "flite", "brew": "flite"},
}  # fmt: skip
_SUBSTITUTES = {"g++": "ziglang", "clang": "ziglang"}


def manager() -> str:
    """The package manager of this system."""
    if sys.platform == "darwin":
        return "brew"
    if sys.platform == "win32":
        return "winget"
    return next((name for name in ("apt-get", "dnf", "pacman") if shutil.which(name)), "apt-get")


def way(program: str) -> str:
    """One line that installs a program here."""
    name = _NAMES[program].get(manager())
    if name is None:
        substitute = _SUBSTITUTES.get(program)
        return f"pip install {substitute}" if substitute else "no package for this system"
    return _line(manager(), [name])


def way_to_extensions() -> str:
    """One line that brings what `pip` compiles the C front end with."""
    if sys.platform == "darwin":
        return "xcode-select --install"
    return _VISUAL_CPP if sys.platform == "win32" else _line(manager(), [_HEADERS[manager()]])


def install(programs: Sequence[str]) -> list[str]:
    """Installs programs as far as this user may; returns the lines that are left to be run by hand.

    Where the system's manager lacks one, or may not be used, the substitute of pip takes its place.

    Raises:
        TinymlError: an installation failed (says which).
    """
    name = manager()
    packages = list(dict.fromkeys(known for each in programs if (known := _NAMES[each].get(name))))
    may = shutil.which(name) is not None and _may_install(name)
    left = [] if may or not packages else [_line(name, packages)]
    for package in packages if may else []:
        _run([*_COMMANDS[name], *package.split()])
    if may and packages and name == "winget":
        left.append("open a new terminal: only there are programs found that winget has installed")
    for each in programs:
        if each in _SUBSTITUTES and not (may and name in _NAMES[each]):
            _run([*_PIP, _pinned(_SUBSTITUTES[each])])
    return left


def _may_install(name: str) -> bool:
    # The others ask for rights by themselves, or need none.
    return sys.platform == "win32" or name == "brew" or os.geteuid() == 0


def _line(name: str, packages: Sequence[str]) -> str:
    if shutil.which(name) is None and name == "brew":
        return f"install Homebrew (https://brew.sh), then run: brew install {' '.join(packages)}"
    rights = "sudo " if name in ("apt-get", "dnf", "pacman") else ""
    return f"{rights}{' '.join(_COMMANDS[name][:2])} {' '.join(packages)}"


def _pinned(package: str) -> str:
    """The version that tinyml is tested with."""
    try:
        known = metadata.requires("tinyml-cli") or []
    except metadata.PackageNotFoundError:
        known = []
    return next((each.split(";")[0].strip() for each in known if each.startswith(package)), package)


def _run(command: Sequence[str]) -> None:
    line = " ".join(command)
    console.info(f"Running {line} …")
    try:
        outcome = processes.run(command, timeout_s=_TIMEOUT_S)
        said = (outcome.stderr.strip() or outcome.stdout.strip()).splitlines()
        failed = outcome.returncode != 0
    except (OSError, processes.TimeoutExpired) as error:
        said, failed = [str(error)], True
    if failed:
        raise TinymlError(
            f"The installation failed: {said[-1] if said else 'it printed nothing'}",
            line,
            "Run it yourself to see all that it says; then `tinyml doctor` again.",
        )
