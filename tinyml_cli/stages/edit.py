"""tinyml inspect --edit: a changed copy of a model, with its sizes before and after."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from tinyml_cli.errors import TinymlError
from tinyml_cli.files import write_atomic
from tinyml_cli.inspection.report import InspectedModel
from tinyml_cli.outcomes.inspection import Edited, RoundedWeights, Size
from tinyml_cli.tflite import anatomy, write
from tinyml_cli.tflite.edit import Edits, edit
from tinyml_cli.wording import counted


def edit_file(subject: InspectedModel, edits: Edits, out: Path | None) -> Edited:
    """Writes an edited copy. What is only written again stores equal vectors once.

    Raises:
        TinymlError: nothing to change, no place to write to, a file that is there already, or a model that
            cannot take the edit.
    """
    if not edits:
        raise TinymlError(
            "Nothing to change",
            "--edit",
            "Give an edit: --strip, --set-description TEXT, --set-labels yes,no, --round-weights 0.02",
        )
    if out is None:
        raise TinymlError("An edited model needs its own file", "--out", "Give one: --out edited.tflite")
    edited = edit(subject.data, edits, str(subject.path))
    if out.exists() and not (out.is_file() and _is_other(out, subject.path, edited.data)):
        raise TinymlError("The output already exists; nothing was written", str(out), "Choose another name.")
    write_atomic(out, edited.data)
    return Edited(
        model=str(subject.path),
        out=str(out),
        bytes=(len(subject.data), len(edited.data)),
        gzip_bytes=(anatomy.gzip_bytes(subject.data), anatomy.gzip_bytes(edited.data)),
        rewritten=_rewritten(subject.data),
        rounding=RoundedWeights(**asdict(edited.rounding)) if edited.rounding else None,
    )


def _is_other(out: Path, source: Path, data: bytes) -> bool:
    """Whether writing changes nothing: the same command was run before."""
    return not out.samefile(source) and out.read_bytes() == data


def sentences(outcome: Edited) -> list[str]:
    """What became of the size and of the weights."""
    lines = []
    if rounding := outcome.rounding:
        before, after = rounding.distinct
        lines.append(
            f"Rounded {counted(rounding.values, 'weight')} of "
            f"{counted(rounding.tensors, 'tensor')} by up "
            f"to {rounding.max_abs_difference:.4g}: {before:.0f} → {after:.0f} distinct values per "
            f"tensor,  zeros {rounding.zeros_share[0]:.1%} → {rounding.zeros_share[1]:.1%}"
        )
    again = outcome.rewritten
    lines.append(
        f"Rewritten without changes, it would have {again.bytes:,} bytes, {again.gzip_bytes:,} "
        "with gzip: identical vectors are stored once"
    )
    (size, new_size), (zipped, new_zipped) = outcome.bytes, outcome.gzip_bytes
    lines.append(
        f"{size:,} → {new_size:,} bytes ({_percent(size, new_size)}); with gzip {zipped:,} → {new_zipped:,} "
        f"({_percent(zipped, new_zipped)})"
    )
    return lines


def _rewritten(data: bytes) -> Size:
    again = write.pack(write.unpack(data))
    return Size(bytes=len(again), gzip_bytes=anatomy.gzip_bytes(again))


def _percent(before: int, after: int) -> str:
    return f"{(after - before) / before:+.1%}"
