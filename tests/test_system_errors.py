"""What the system refused is said, whichever child or library hides it."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import pytest

from tests.conftest import Tinyml
from tinyml_cli import system_errors
from tinyml_cli.boards.boards import load_board
from tinyml_cli.build import platformio
from tinyml_cli.conversion import converter

OUTPUTS = {
    "main.cpp:43:1: fatal error: error writing to /t/cc.s: No space left on device": "No space left",
    "OSError: [Errno 30] Read-only file system: '/cache/platformio/core'": "Read-only file system",
    "PermissionError: [Errno 13] Permission denied: '/cache/platformio'": "Permission denied",
    "ERROR: Could not install packages due to an OSError: [Errno 122] Disk quota exceeded": "quota exceeded",
    "cc1plus: error: There is not enough space on the disk.": "No space left",
}


@pytest.mark.parametrize("line", OUTPUTS)
def test_a_failed_build_does_not_blame_the_firmware(line: str) -> None:
    said = ["Compiling a.o", line, "*** [a.o] Error 1"]
    error = platformio.explain_failure(said, load_board("native"), Path("build.log"), Path("none"))
    assert OUTPUTS[line] in error.what and line in error.what
    assert "report" not in error.next_step and error.where == "build.log"


def test_other_output_tells_of_nothing() -> None:
    assert system_errors.found_in("main.cpp:1:1: error: expected ';'", "log") is None


def test_a_full_temporary_folder_is_not_the_models_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    unknown = converter.inexpressible("no reason given", Path("model.keras"), "")
    assert "cannot convert" in unknown.what
    monkeypatch.setattr(tempfile, "NamedTemporaryFile", full)
    error = converter.inexpressible("no reason given", Path("model.keras"), "")
    assert "No space left" in error.what and "TMPDIR" in error.next_step


def test_whatever_the_system_refuses_ends_as_a_paragraph(
    tinyml: Tinyml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), "/somewhere")

    monkeypatch.setattr("tinyml_cli.boards.board_list.board_names", refuse, raising=False)
    monkeypatch.setattr("tinyml_cli.boards.boards.board_names", refuse)
    answer = tinyml("boards", cwd=tmp_path, code=2)
    assert "Read-only file system [/somewhere]" in answer.err
