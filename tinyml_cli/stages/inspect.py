"""tinyml inspect: inspects, compares or edits, depending on the options."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

from tinyml_cli import checks
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.inspection import report, text
from tinyml_cli.inspection.activations import see, sentence, show
from tinyml_cli.inspection.report import InspectedModel
from tinyml_cli.outcomes.inspection import Difference, Edited, Inspected, SeenLayers
from tinyml_cli.stages.edit import edit_file, sentences
from tinyml_cli.tflite.edit import Edits


@dataclass(frozen=True)
class InspectOutcome:
    """What `--json` prints, the last line for people, and whether two models compute different results."""

    document: Inspected | Difference | Edited | SeenLayers
    sentence: str
    differs: bool = False


def run(
    given: str | None,
    edits: Edits,
    *,
    edit: bool = False,
    diff: str | None = None,
    pictures: bool = False,
    activations: Path | None = None,
    out: Path | None = None,
    tensors: bool = False,
    operators: bool = False,
) -> InspectOutcome:
    """Looks into a model; with `diff` compares it, with edits writes a changed copy.

    Raises:
        TinymlError: no such model, options that do not go together, or an edit that cannot be made.
    """
    wants_edit = edit or bool(edits)
    if sum((wants_edit, diff is not None, pictures, activations is not None)) > 1:
        raise TinymlError(
            "--edit, --diff, --pictures and --activations exclude each other", "", "Use one at a time."
        )
    subject = report.find(given)
    if wants_edit:
        edited = edit_file(subject, edits, out)
        *details, last = sentences(edited)
        for line in details:
            console.info(line)
        return InspectOutcome(edited, f"{edited.out}: {last}")
    if diff is not None:
        found = report.compare(subject, diff)
        text.show_difference(found)
        return InspectOutcome(found, text.difference_sentence(found), not found.same_computation)
    if activations is not None:
        seen = see(subject, activations, out)
        show(seen)
        return InspectOutcome(seen, sentence(seen))
    if out is not None and not pictures:
        raise TinymlError("Nothing to write", "--out", "Add --edit --strip, --pictures or --activations.")
    folder = _picture_folder(subject, out) if pictures else None
    document = report.inspect(subject)
    if folder is not None:
        document = document.model_copy(update={"pictures": _draw(subject, folder)})
    text.show(document, tensors=tensors, operators=operators)
    return InspectOutcome(document, text.sentence(document))


def _picture_folder(subject: InspectedModel, out: Path | None) -> Path:
    if out is not None:
        folder = out
    elif subject.run is not None:
        folder = subject.run.file("report")
    else:
        raise TinymlError("Pictures of a single file need a folder", "--out", "Give one: --out pictures")
    checks.output_folder(folder)
    return folder


def _draw(subject: InspectedModel, folder: Path) -> list[str]:
    from tinyml_cli.inspection.pictures import draw

    with contextlib.nullcontext() if subject.run is None else subject.run.writing_to(folder):
        paths = [str(path) for path in draw(subject, folder)]
    for path in paths:
        console.info(f"Drew {path}")
    return paths
