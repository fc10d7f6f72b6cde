"""Answers to many inputs, in a job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tinyml_cli.array_file import UnreadableArrayError, read_array, read_arrays
from tinyml_cli.build.target import build_target
from tinyml_cli.console import console
from tinyml_cli.engines.export import export_as_before
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation import on_device
from tinyml_cli.run import Run
from tinyml_cli.serve.answers import BOARD, ServedModel
from tinyml_cli.wording import counted

_AT_ONCE = 64
ANSWERS = "answers.jsonl"


def answer_all(run: Run, inputs: Path, made: Path) -> dict[str, Any]:
    """Answers each input by the run's firmware on this computer: a line of JSON for each in answers.jsonl.

    Args:
        run: a copy that may be changed.
        inputs: .npy, or .npz with one array: [n, ...] of real values, or of int8.
        made: the folder to write into.

    Raises:
        TinymlError: inputs that cannot be read or do not fit, or firmware that cannot be built.
    """
    try:
        arrays = {"": read_array(inputs)} if inputs.suffix == ".npy" else read_arrays(inputs)
    except UnreadableArrayError as error:
        raise TinymlError(f"The inputs cannot be read: {error}", "inputs", "Upload a .npz.") from error
    if len(arrays) != 1:
        raise TinymlError(
            f"The inputs are {counted(len(arrays), 'array')}", "inputs", "Upload a file with one array."
        )
    model = ServedModel(run)
    values = model.of_values(next(iter(arrays.values())))
    export_as_before(run, "aot")
    with (
        on_device.opened(run, build_target(BOARD)) as (link, ready),
        (made / ANSWERS).open("w", encoding="utf-8", newline="\n") as file,
        console.progress(len(values), "answers") as bar,
    ):
        for start in range(0, len(values), _AT_ONCE):
            for each in model.told(model.by_firmware(link, values[start : start + _AT_ONCE])):
                file.write(json.dumps(each, ensure_ascii=False) + "\n")
                bar.advance()
    return {"n": len(values), "runtime": f"{ready.engine} firmware on {ready.board}"}
