"""Files that clients upload, named by their SHA-256: the same bytes are stored once."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic
from tinyml_cli.http_api.refusals import NoSpaceError, NotThereError
from tinyml_cli.models import untrusted
from tinyml_cli.tflite import graph
from tinyml_cli.tflite.opset import refuse_compiled

MODEL_SUFFIXES = (".tflite", ".keras")
DATA_SUFFIXES = (".npz", ".npy")
UPLOAD_BYTES = 64 << 20
_MOST_BYTES = 4 << 30
_KEPT_S = 86_400.0


def check_upload(name: str, content: bytes) -> None:
    """Judges an upload by what it says of itself, by bounded readers; nothing of it is executed.

    Raises:
        TinymlError: it is of no kind that is taken, is not whole, or would take too much memory.
    """
    suffix = Path(name).suffix.lower()
    if suffix == ".tflite":
        refuse_compiled(graph.parse(content, name), name)
    elif suffix == ".keras":
        untrusted.check_archive(content, name)
    elif suffix not in DATA_SUFFIXES:
        raise TinymlError(
            f"`{name[:60]}` is not a supported kind of file",
            "name",
            f"Upload one that ends in {', '.join((*MODEL_SUFFIXES, *DATA_SUFFIXES))}.",
        )


class Uploads:
    """The store.

    Args:
        folder: holds a file `SHA-256.ending` for each.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def add(self, name: str, content: bytes) -> str:
        """Checks and keeps a file; returns its id.

        Raises:
            TinymlError: as check_upload.
            NoSpaceError: the store, or the disk, is full.
        """
        check_upload(name, content)
        id = hashlib.sha256(content).hexdigest()
        path = self._folder / f"{id}{Path(name).suffix.lower()}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if sum(each.stat().st_size for each in self._files()) + len(content) > _MOST_BYTES:
                raise NoSpaceError("The server holds 4 GB of uploads already", name, "Ask again tomorrow.")
            write_atomic(path, content)  # also where it is there: it counts as new
        except OSError as error:
            raise NoSpaceError(
                f"The upload cannot be stored: {error.strerror or error}", name, "Ask again later."
            ) from error
        return id

    def find(self, id: str) -> Path:
        """The file of an id.

        Raises:
            NotThereError: it was never uploaded, or has been removed.
        """
        for path in self._folder.glob(f"{id}.*"):
            return path
        raise NotThereError(f"There is no upload `{id[:12]}…`", "upload", "Upload the file again.")

    def sweep(self, in_use: set[str]) -> None:
        """Removes what is older than a day and no job waits for."""
        for path in self._files():
            if path.stem not in in_use and time.time() - path.stat().st_mtime > _KEPT_S:
                path.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        return [path for path in self._folder.glob("*") if path.is_file()]
