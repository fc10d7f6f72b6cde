"""What tests make once and share: trained runs, objects and programs, in folders keyed by their ingredients.

Workers and later test runs find them again; a changed ingredient makes them anew. `make clean` removes all.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from filelock import FileLock

REPOSITORY = Path(__file__).resolve().parent.parent
_STORE = Path(os.environ.get("TINYML_TEST_STORE", REPOSITORY / "build" / "tests"))
_KEPT_S = 3 * 24 * 3600


def kept(name: str, ingredients: Iterable[object], make: Callable[[Path], object]) -> Path:
    """A folder that `make` fills when no earlier call with the same ingredients has. Copy before changing it.

    Args:
        name: tells a person what it is.
        ingredients: everything that the content depends on; of a path, the bytes below it count.
        make: fills the empty folder that it is given. It may read its own path: the folder stays there.
    """
    key = _digest(ingredients)
    place = _STORE / f"{name}-{key}"
    done = place / ".done"
    if not done.is_file():
        _STORE.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{place}.lock"):
            if not done.is_file():
                shutil.rmtree(place, ignore_errors=True)
                place.mkdir()
                make(place)
                done.touch()
    os.utime(done)
    return place


@functools.cache
def package() -> str:
    """Stands for all that a run is made by: the package, its recipes and the firmware."""
    return _digest(REPOSITORY / folder for folder in ("tinyml_cli", "configs", "firmware"))


def forget_old() -> None:
    """Removes what no test has asked for in three days."""
    for done in _STORE.glob("*/.done"):
        if time.time() - done.stat().st_mtime > _KEPT_S:
            shutil.rmtree(done.parent, ignore_errors=True)


def _digest(ingredients: Iterable[object]) -> str:
    digest = hashlib.sha256()
    for ingredient in ingredients:
        if isinstance(ingredient, Path):
            for path in sorted(ingredient.rglob("*")) if ingredient.is_dir() else [ingredient]:
                if path.is_file() and "__pycache__" not in path.parts:
                    digest.update(
                        str(path.relative_to(ingredient.parent)).encode() + b"\0" + path.read_bytes()
                    )
        else:
            digest.update(ingredient if isinstance(ingredient, bytes) else repr(ingredient).encode())
        digest.update(b"\1")
    return digest.hexdigest()[:16]
