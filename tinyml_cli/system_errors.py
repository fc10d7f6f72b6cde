"""Full disks, missing permissions and unfit paths, which libraries often report as other errors."""

from __future__ import annotations

import errno
import os
import re
import tempfile

from tinyml_cli import temporary
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import cache_dir

_NEXT_STEPS = {
    errno.ENOSPC: "Free some space and run the same command again.",
    errno.EDQUOT: "Free some space, or ask for a larger quota, and run the same command again.",
    errno.EFBIG: "Raise the limit (ulimit -f), or use another disk.",
    errno.EROFS: "Use a writable disk.",
    errno.EACCES: "Change the permissions, or use another folder.",
    errno.ENOMEM: "Close other programs and run the same command again.",
    errno.EMFILE: "Raise the limit (ulimit -n) and run the same command again.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
}
# What Windows says for the same.
_WINDOWS = {
    "There is not enough space on the disk": errno.ENOSPC,
    "The media is write protected": errno.EROFS,
    "Access is denied": errno.EACCES,
}
# What only this process is told, by the path that it asked for.
_OF_PATHS = {
    errno.ENOTDIR: "Give a folder.",
    errno.EISDIR: "Give a file.",
    errno.ELOOP: "Check where the link leads.",
}
_TEXTS = {os.strerror(number): number for number in _NEXT_STEPS} | _WINDOWS
_ANY = re.compile("|".join(map(re.escape, _TEXTS)), re.IGNORECASE)
_PROBE_BYTES = 1 << 20
_LONGEST_NAME = 200


def found_in(text: str, where: str) -> TinymlError | None:
    """The error that a child's or library's output tells of, its line quoted; None where it tells of none."""
    match = _ANY.search(text)
    if match is None:
        return None
    number = next(n for name, n in _TEXTS.items() if name.lower() == match[0].lower())
    line = next(line.strip() for line in text.splitlines() if match[0] in line)
    return TinymlError(f"{os.strerror(number)}: {line[-300:]}", where, _next_step(number, line))


def temporary_files() -> TinymlError | None:
    """Why temporary files cannot be written; None where they can.

    TensorFlow writes some while it converts, and calls it the model's fault when that fails.
    """
    try:
        with tempfile.NamedTemporaryFile(prefix=temporary.prefix("probe")) as file:
            file.write(bytes(_PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        folder = os.environ.get("TMPDIR") or tempfile.gettempdir()
        return TinymlError(
            f"Cannot write temporary files ({error.strerror or error})",
            folder,
            "Free some space there, or set the environment variable TMPDIR to another folder.",
        )
    return None


def explain(error: OSError) -> TinymlError | None:
    """The paragraph for what the system refused; None where neither disk nor permission is at fault."""
    if error.errno not in _NEXT_STEPS | _OF_PATHS:
        return None
    name = str(error.filename or "")
    where = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
    return TinymlError(os.strerror(error.errno), where, _next_step(error.errno, name))


def _next_step(number: int, place: str) -> str:
    """What leads out of it, with the variable that names the folder where it is one of ours."""
    ours = {"TINYML_CACHE": str(cache_dir()), "TMPDIR": tempfile.gettempdir()}
    named = next((variable for variable, folder in ours.items() if folder in place), None)
    hint = f" {named} names the folder." if named else ""
    return f"{(_NEXT_STEPS | _OF_PATHS)[number]}{hint}"
