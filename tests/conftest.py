"""Fixtures that every test may use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tinyml_cli.console import console

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(autouse=True)
def _plain_console() -> Iterator[None]:
    """The console is one object for the process: what a test sets must not reach the next."""
    yield
    console.json = console.quiet = False


@pytest.fixture(scope="session")
def shared() -> Path:
    """Real data and third-party models; a checkout need not have them."""
    path = Path(os.environ.get("TINYML_SHARED", REPOSITORY.parent / "shared"))
    if not (path / "data").is_dir():
        pytest.skip("no shared test data here (set TINYML_SHARED to a folder with data/ and models/)")
    return path


@dataclass(frozen=True)
class Answer:
    """What the command line answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object on stdout."""
        lines = [line for line in self.out.splitlines() if line.strip()]
        assert len(lines) == 1, f"expected one line on stdout, got {self.out!r} (stderr: {self.err[-2000:]})"
        return json.loads(lines[0])


Tinyml = Callable[..., Answer]


@pytest.fixture(scope="session")
def tinyml() -> Tinyml:
    """Runs the real command line in a child process: tinyml("train", "kws", cwd=..., code=0)."""

    def call(
        *arguments: str | Path, cwd: Path, code: int | None = 0, env: dict[str, str] | None = None
    ) -> Answer:
        process = subprocess.run(
            [sys.executable, "-m", "tinyml_cli", *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
        answer = Answer(process.returncode, process.stdout, process.stderr)
        if code is not None:
            assert answer.code == code, f"exit {answer.code}\n{answer.out[-3000:]}\n{answer.err[-5000:]}"
        return answer

    return call
