"""The registry's folder: objects by their SHA-256, and an index of each model's versions and aliases.

    registry.json                      says that the folder is one
    objects/0a/0a1b2c…                 files, whole, under their SHA-256
    models/NAME.json                   versions, aliases and history; carries a hash of itself

Everything is written under a temporary name and renamed. An index names a version only when all its objects
lie there, so that a killed or failed command leaves at most objects that nobody names.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from tinyml_cli import checks
from tinyml_cli.documents import UnreadableError, load_json, parse_json
from tinyml_cli.errors import UPGRADE, TinymlError, did_you_mean
from tinyml_cli.files import atomic_path, sha256_file, write_atomic, writing_folder
from tinyml_cli.model_registry.documents import VERSION, ModelIndex, ModelVersion, RegistryDocument
from tinyml_cli.next_step import next_step
from tinyml_cli.validation import first_problem, refuse_newer

_MARK = "registry.json"
_OBJECTS, _MODELS = "objects", "models"
_MARK_TEXT = json.dumps({"tinyml_registry": VERSION}) + "\n"
_SUBJECT = "The registry has"
_NAME = re.compile(r"\w[\w.+-]{0,99}")

D = TypeVar("D", bound=RegistryDocument)


def registry_dir() -> Path:
    """The registry: $TINYML_REGISTRY, else `registry` in the current folder."""
    return Path(os.environ.get("TINYML_REGISTRY") or "registry")


def registry_step(path: Path, verb: str, *words: str | Path) -> str:
    """`tinyml registry VERB …`, with the registry's folder where it is not the default one."""
    named = () if path.resolve() == registry_dir().resolve() else ("--registry", path)
    return next_step("registry", verb, *words, *named)


class Store:
    """A registry's folder.

    Attributes:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def step(self, verb: str, *words: str | Path) -> str:
        """See `registry_step`."""
        return registry_step(self.path, verb, *words)

    @classmethod
    def open(cls, path: Path | None) -> Store:
        """An existing registry.

        Raises:
            TinymlError: there is none, it is something else, or of a newer version.
        """
        store = cls(registry_dir() if path is None else path)
        if not store.path.is_dir():
            raise TinymlError(
                "There is no registry", str(store.path), f"Make one with its first model: {store.step('add')}"
            )
        store._check_mark("Name the registry's folder with --registry.")
        return store

    @classmethod
    def open_if_there(cls, path: Path | None) -> Store | None:
        """The registry of a path, or the default one; None if no path is given and there is no default one.

        Raises:
            TinymlError: see `open`.
        """
        if path is None and not (registry_dir() / _MARK).is_file():
            return None
        return cls.open(path)

    @classmethod
    def make(cls, path: Path | None) -> Store:
        """A registry that is there, or is to be made; nothing is written yet.

        Raises:
            TinymlError: a folder of something else, or a place that cannot be written.
        """
        store = cls(registry_dir() if path is None else path)
        checks.output_folder(store.path, "--registry")
        if store.path.is_dir() and any(entry.name[0] != "." for entry in store.path.iterdir()):
            store._check_mark("Nothing was written. Choose a new or empty folder with --registry.")
        return store

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Holds the registry's lock; another process that writes to it is waited for.

        Raises:
            TinymlError: the folder cannot be written.
        """
        with writing_folder(self.path, "registry", wait=True):
            if not (self.path / _MARK).is_file():
                write_atomic(self.path / _MARK, _MARK_TEXT)
            yield

    # Objects

    def object_path(self, sha256: str) -> Path:
        """Where an object lies, or would."""
        return self.path / _OBJECTS / sha256[:2] / sha256

    def put_file(self, source: Path) -> tuple[str, bool]:
        """Keeps a file; its SHA-256, and whether it was written: not where it is there already, and whole."""
        sha256 = sha256_file(source)
        if is_new := not self._holds_or_takes(sha256):
            with atomic_path(self.object_path(sha256)) as temporary:
                shutil.copyfile(source, temporary)
                if sha256_file(temporary) != sha256:
                    raise TinymlError(
                        "The file changed while it was read", str(source), "Run the command again."
                    )
        return sha256, is_new

    def put_bytes(self, content: bytes) -> tuple[str, bool]:
        """Keeps bytes; see `put_file`."""
        sha256 = hashlib.sha256(content).hexdigest()
        if is_new := not self._holds_or_takes(sha256):
            write_atomic(self.object_path(sha256), content)
        return sha256, is_new

    def require(self, sha256: str) -> Path:
        """An object that is there and whole.

        Raises:
            TinymlError: it is missing or was changed.
        """
        path = self.object_path(sha256)
        if not path.is_file():
            raise TinymlError(
                "The registry lacks an object: it was copied without its folder `objects`, or a file is lost",
                str(path),
                f"Copy `objects` too, or restore it from a backup; {self.step('verify')} lists all.",
            )
        if not self.holds(sha256):
            raise TinymlError(
                "An object of the registry was changed",
                str(path),
                f"Restore it from a backup, or add the run again; {self.step('verify')} lists all.",
            )
        return path

    def holds(self, sha256: str) -> bool:
        """Whether an object is there and whole."""
        path = self.object_path(sha256)
        return path.is_file() and sha256_file(path) == sha256

    def _holds_or_takes(self, sha256: str) -> bool:
        """Whether an object is there and whole; if not, it can be written.

        Raises:
            TinymlError: a folder lies in its place.
        """
        path = self.object_path(sha256)
        if path.is_dir():
            raise TinymlError(
                "A folder lies where an object of the registry belongs", str(path), "Move it away."
            )
        return self.holds(sha256)

    # Models

    def names(self) -> list[str]:
        """The models that have versions."""
        return sorted(path.stem for path in (self.path / _MODELS).glob("*.json") if path.name[0] != ".")

    def index_path(self, name: str) -> Path:
        """The file of a model's versions and aliases."""
        return self.path / _MODELS / f"{name}.json"

    def index(self, name: str) -> ModelIndex:
        """A model's versions and aliases, read and checked now.

        Raises:
            TinymlError: there is no such model, or its index is damaged or of a newer version.
        """
        path = self.index_path(name)
        if _is_no_file(path):
            raise self._damaged(path, "it is no file")
        if not path.is_file():
            known = self.names()
            listed = f"Models: {', '.join(known)}." if known else "It holds none."
            raise TinymlError(
                f"No model `{name}` in the registry", str(self.path), did_you_mean(name, known) + listed
            )
        try:
            document = load_json(path)
        except UnreadableError as error:
            raise self._damaged(path, str(error)) from error
        digest = document.pop("sha256", None) if isinstance(document, dict) else None
        index = self._validated(ModelIndex, document, path)
        if digest != _digest(document):
            raise self._damaged(path, "its hash does not fit it")
        if index.model != name:
            raise self._damaged(path, f"it is of the model `{index.model}`")
        return index

    def save(self, index: ModelIndex) -> None:
        """Writes a model's versions and aliases, whole or not at all."""
        document = index.model_dump(mode="json")
        write_atomic(self.index_path(index.model), _text(document | {"sha256": _digest(document)}))

    def index_or_new(self, name: str) -> ModelIndex:
        """A model's index; that of a model without versions where there is none.

        Raises:
            TinymlError: a name that cannot be a file's, or see `index`.
        """
        checks.file_name(name, "--name", "model name")
        if not _NAME.fullmatch(name):
            raise TinymlError(
                f"`{name}` is not a valid model name",
                "--name",
                "Use letters, digits, dots, hyphens and underscores.",
            )
        for known in self.names():
            if known != name and _alike(known) == _alike(name):
                raise TinymlError(
                    f"The registry has a model `{known}`, which not every computer tells from `{name}`",
                    "--name",
                    f"Give --name {known}, or another name.",
                )
        return self.index(name) if os.path.lexists(self.index_path(name)) else ModelIndex(model=name)

    def version(self, index: ModelIndex, number: int) -> ModelVersion:
        """What is known of a version.

        Raises:
            TinymlError: its object is missing or was changed.
        """
        path = self.require(index.versions[number])
        try:
            document = load_json(path)
        except UnreadableError as error:
            raise self._damaged(path, str(error)) from error
        return self._validated(ModelVersion, document, path)

    def whole(self, index: ModelIndex, number: int) -> ModelVersion:
        """What is known of a version all of whose files are there.

        Raises:
            TinymlError: an object is missing or was changed.
        """
        version = self.version(index, number)
        for sha256 in version.files.values():
            self.require(sha256)
        return version

    # Faults

    def faults(self) -> Iterator[str]:
        """A sentence for everything that is missing or was changed."""
        if (self.path / _MARK).read_bytes() != _MARK_TEXT.encode():
            yield f"{_MARK} was changed"
        for name in self.names():
            path = self.index_path(name)
            try:
                index = self.index(name)
            except TinymlError as error:
                step = UPGRADE if error.next_step == UPGRADE else "Restore it from a backup"
                yield f"{path.relative_to(self.path)}: {error.what}. {step}"
                continue
            document = index.model_dump(mode="json")
            if path.read_text(encoding="utf-8") != _text(document | {"sha256": _digest(document)}):
                yield f"{path.relative_to(self.path)}: its text was changed"
            for number in index.versions:
                yield from self._faults_of(index, number)

    def _faults_of(self, index: ModelIndex, number: int) -> Iterator[str]:
        called = f"{index.model}@{number}"
        try:
            version = self.version(index, number)
        except TinymlError as error:
            yield f"{called}: {error.what} [{error.where}]"
            return
        for file, sha256 in version.files.items():
            try:
                self.require(sha256)
            except TinymlError as error:
                yield f"{called}: {file}: {error.what} [{error.where}]"

    def unnamed(self) -> list[Path]:
        """Objects that no version names: what killed commands left."""
        named: set[str] = set()
        for name in self.names():
            index = self.index(name)
            for number, sha256 in index.versions.items():
                named |= {sha256, *self.version(index, number).files.values()}
        return [path for path in self.objects() if path.name not in named]

    def objects(self) -> list[Path]:
        """Every object that lies there."""
        return sorted(path for path in (self.path / _OBJECTS).glob("*/*") if path.name[0] != ".")

    def _check_mark(self, advice: str) -> None:
        path = self.path / _MARK
        try:
            version = parse_json(path.read_text(encoding="utf-8"))["tinyml_registry"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TinymlError("The folder is not a registry", str(self.path), advice) from error
        refuse_newer(_SUBJECT, version, VERSION, path)

    def _validated(self, schema: type[D], document: Any, path: Path) -> D:
        version = document.get("version") if isinstance(document, dict) else None
        refuse_newer(_SUBJECT, version, VERSION, path)
        try:
            return schema.model_validate(document)
        except ValidationError as error:
            raise self._damaged(path, first_problem(error, schema).what) from error

    def _damaged(self, path: Path, why: str) -> TinymlError:
        return TinymlError(
            f"The registry's file is damaged ({why})",
            str(path),
            f"Restore it from a backup; {self.step('verify')} lists all that was changed.",
        )


def _is_no_file(path: Path) -> bool:
    """Whether something else lies at a path: a folder, a pipe, or a link that leads nowhere."""
    return os.path.lexists(path) and not path.is_file()


def _alike(name: str) -> str:
    """The same for names that a file system may take for one."""
    return unicodedata.normalize("NFC", name).casefold()


def _digest(document: dict[str, Any]) -> str:
    return hashlib.sha256(_text(document).encode()).hexdigest()


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
