"""What lies in a base, and whether tinyml can live there."""

from __future__ import annotations

import contextlib
import platform
import posixpath
import re
import tarfile
from dataclasses import dataclass
from pathlib import Path

from tinyml_cli.container.layers import Opener
from tinyml_cli.errors import TinymlError

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
USER_ID = 1000

# Program -> Debian's package of it.
_PROGRAMS = {
    "python3": "python3",
    "g++": "g++",
    "arm-none-eabi-g++": "gcc-arm-none-eabi",
    "qemu-system-arm": "qemu-system-arm",
}
_NEWLIB = ("nano.specs", "libnewlib-arm-none-eabi")
PACKAGES = (*_PROGRAMS.values(), _NEWLIB[1])
"""What Debian calls all that a base has to hold."""

_PASSWD = "etc/passwd"
_LIBC = re.compile(r"(usr/)?lib(64)?/([^/]*-linux-gnu/)?libc\.so\.6")
_KEPT_BYTES = 16 << 20
_MOST_LINKS = 40
_PYTHON = re.compile(r"python(3)\.(\d+)$")
_PYTHONS = range(11, 14)
_GLIBC = re.compile(rb"GNU C Library [^\n]{0,100}release version 2\.(\d+)")
# e_machine of the ELF header -> as Python's platform calls it, as OCI calls it.
_MACHINES = {62: ("x86_64", "amd64"), 183: ("aarch64", "arm64")}


def architecture_here() -> str:
    """This computer's processor, as OCI calls it."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "amd64"


@dataclass(frozen=True)
class ImageTarget:
    """Where the Python packages are to run.

    Attributes:
        python: the path of its interpreter, such as /usr/bin/python3.
        python_minor: 11 of Python 3.11.
        glibc_minor: 36 of glibc 2.36.
        machine: as `platform.machine` calls it.
        architecture: as OCI calls it.
    """

    python: str
    python_minor: int
    glibc_minor: int
    machine: str
    architecture: str


class BaseContents:
    """The files of a base, as its layers leave them.

    Attributes:
        path: of the base, for messages.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._links: dict[str, str | None] = {}  # path -> where a link leads; None for the rest
        self._kept: dict[str, bytes] = {}
        self._older: set[str] = set()

    def begin_layer(self) -> None:
        """What comes now lies above all that was added before."""
        self._older = set(self._links)

    def add(self, info: tarfile.TarInfo, open_content: Opener) -> None:
        """Takes an entry of the base; whiteouts take earlier ones away (layer.md).

        Raises:
            TinymlError: it would lie outside the image, or is a hard link to something there.
        """
        for place in (info.name, *([info.linkname] if info.islnk() else [])):
            if posixpath.normpath(place.lstrip("/")).split("/")[0] == "..":
                raise TinymlError(
                    f"The base has an entry that leads out of it: {ascii(place)[:80]}",
                    str(self.path),
                    "Make the base again; no file system has such a name.",
                )
        name = posixpath.normpath(info.name).strip("/")
        folder, _, last = name.rpartition("/")
        if last == ".wh..wh..opq":
            self._remove(folder, keep_itself=True)
        elif last.startswith(".wh."):
            self._remove(posixpath.join(folder, last.removeprefix(".wh.")))
        else:
            self._older.discard(name)
            self._links[name] = info.linkname if info.issym() else None
            self._kept.pop(name, None)
            if name == _PASSWD or _LIBC.fullmatch(name):
                self._keep(name, info, open_content)

    def _keep(self, name: str, info: tarfile.TarInfo, open_content: Opener) -> None:
        """Keeps the content of a file, or of an earlier one that it is a hard link to."""
        if not (info.isreg() or info.islnk()):
            return
        # A tar that is read as a stream cannot go back to what a link leads to.
        with contextlib.suppress(KeyError, tarfile.StreamError):
            stream = open_content()
            if stream is not None:  # as of a hard link to a device
                with stream:
                    content = stream.read(_KEPT_BYTES + 1)
                if len(content) <= _KEPT_BYTES:
                    self._kept[name] = content

    def target(self, path: str) -> ImageTarget:
        """What the packages are chosen for.

        Args:
            path: $PATH in the base.

        Raises:
            TinymlError: a program is missing, or Python, C library or processor are none that tinyml runs on.
        """
        found = {program: self._find(program, path) for program in _PROGRAMS}
        missing = [package for program, package in _PROGRAMS.items() if found[program] is None]
        if not any(name.endswith(f"/{_NEWLIB[0]}") for name in self._links):
            missing.append(_NEWLIB[1])
        if missing:
            raise TinymlError(
                f"The base lacks what Debian calls {', '.join(missing)}",
                str(self.path),
                "Install them there, or make a base that has them: tinyml container base",
            )
        python = str(found["python3"])
        machine, architecture = self._machine()
        return ImageTarget(python, self._python_minor(python), self._glibc_minor(), machine, architecture)

    def passwd(self, line: str) -> str:
        """The base's /etc/passwd, with a line more unless it has one for that user."""
        if _PASSWD in self._links and _PASSWD not in self._kept:
            raise self._no_plain_file(_PASSWD)
        text = self._kept.get(_PASSWD, b"").decode(errors="surrogateescape")
        user, user_id = line.split(":")[0], line.split(":")[2]
        for known in text.splitlines():
            fields = known.split(":")
            if len(fields) > 2 and user_id == fields[2]:
                return text
            if fields[0] == user:
                raise TinymlError(
                    f"The base has a user `{user}` whose number is not {user_id}",
                    str(self.path),
                    "Remove it.",
                )
        return f"{text.rstrip()}\n{line}\n".lstrip()

    def _python_minor(self, python: str) -> int:
        match = _PYTHON.search(self._real(python) or "")
        if match is None:
            raise TinymlError(
                "The base's python3 does not say which version it is",
                f"{self.path}: {python}",
                "Use Debian's.",
            )
        if int(match[2]) not in _PYTHONS:
            raise TinymlError(
                f"The base has Python 3.{match[2]}; tinyml needs 3.11, 3.12 or 3.13",
                str(self.path),
                "Use another.",
            )
        return int(match[2])

    def _glibc(self) -> bytes:
        place = next((name for name in sorted(self._kept) if _LIBC.fullmatch(name)), None)
        if place is None:
            if unread := next((name for name in sorted(self._links) if _LIBC.fullmatch(name)), None):
                raise self._no_plain_file(unread)
            raise TinymlError(
                "The base has no GNU C library, which TensorFlow needs (Alpine has another)",
                str(self.path),
                "Make a base that has it: tinyml container base",
            )
        return self._kept[place]

    def _no_plain_file(self, name: str) -> TinymlError:
        return TinymlError(
            f"`{name}` of the base is not read: a link, no file, or larger than {_KEPT_BYTES >> 20} MB",
            str(self.path),
            "Put the file itself there.",
        )

    def _glibc_minor(self) -> int:
        match = _GLIBC.search(self._glibc())
        if match is None:
            raise TinymlError(
                "The base's C library does not say its version", str(self.path), "Use Debian's."
            )
        return int(match[1])

    def _machine(self) -> tuple[str, str]:
        header = self._glibc()[:20]
        found = _MACHINES.get(int.from_bytes(header[18:20], "little")) if header[:4] == b"\x7fELF" else None
        if found is None:
            raise TinymlError(
                "The base is for a processor that TensorFlow has no packages for",
                str(self.path),
                "Use a base for x86-64 or 64-bit Arm.",
            )
        return found

    def _find(self, program: str, path: str) -> str | None:
        places = (posixpath.join(folder, program) for folder in path.split(":") if folder.startswith("/"))
        return next((place for place in places if self._real(place) is not None), None)

    def _real(self, path: str) -> str | None:
        """Where a path leads in the base; None where nothing is there."""
        waiting, at = [part for part in path.split("/") if part], ""
        for _ in range(_MOST_LINKS * 8):
            if not waiting:
                return f"/{at}" if at in self._links else None
            part = waiting.pop(0)
            if part == "..":
                at = posixpath.dirname(at)
                continue
            here = posixpath.join(at, part)
            link = self._links.get(here)
            if link is None:
                at = here
                continue
            waiting = [each for each in link.split("/") if each not in ("", ".")] + waiting
            at = "" if link.startswith("/") else at
        return None

    def _remove(self, path: str, keep_itself: bool = False) -> None:
        """Takes away what earlier layers have at and below a path."""
        below = f"{path}/"
        for name in [
            each for each in self._older if each.startswith(below) or (each == path and not keep_itself)
        ]:
            self._older.discard(name)
            self._links.pop(name, None)
            self._kept.pop(name, None)
