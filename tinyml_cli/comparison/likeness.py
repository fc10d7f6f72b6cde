"""What may be compared: models of one task and its labels, and how far their test items are the same."""

from __future__ import annotations

from collections.abc import Sequence

from tinyml_cli.adopt import MODEL_TASK
from tinyml_cli.comparison.judge import Quality
from tinyml_cli.comparison.subjects import Subject
from tinyml_cli.errors import TinymlError


def refuse_unlike(models: Sequence[Subject]) -> None:
    """Refuses runs whose quality has different meanings.

    Raises:
        TinymlError: runs of different tasks or labels.
    """
    runs = {model.run.path.resolve(): model.run for model in models if model.run is not None}
    known = [(run.path.name, run.manifest()) for run in runs.values()]
    known = [(name, manifest) for name, manifest in known if manifest.task != MODEL_TASK]
    for name, manifest in known[1:]:
        first, reference = known[0]
        if manifest.task != reference.task:
            raise TinymlError(
                f"`{first}` is of the task {reference.task}, `{name}` of {manifest.task}: their quality has "
                "nothing in common",
                name,
                "Compare runs of one task; for sizes alone name the flatbuffers: tinyml compare a.tflite "
                "b.tflite",
            )
        if set(manifest.labels) != set(reference.labels):
            raise TinymlError(
                f"`{first}` tells {', '.join(reference.labels)} apart, `{name}` "
                f"{', '.join(manifest.labels)}: other labels are harder or easier",
                name,
                "Compare runs with the same labels; for sizes alone name the flatbuffers.",
            )


def difference_of_items(name: str, found: Quality, reference: str, start: Quality) -> str:
    """Why a model's quality is not of the same items as the reference's; empty where it is.

    Also says what becomes of McNemar's test, which pairs answers to one item.
    """
    if found.right is None or start.right is None:
        lacks = name if found.right is None else reference
        return f"{name}: no McNemar test, for of {lacks} only its measure is known, not every single answer."
    shared = len(found.right.keys() & start.right.keys())
    if shared == len(found.right) == len(start.right):
        return ""
    what = (
        f"{name} was judged on {len(found.right)} test items, {reference} on {len(start.right)}, "
        f"of which {shared or 'none'} {'is' if shared == 1 else 'are'} the same"
    )
    test = (
        f"McNemar's test is of these {shared} alone, the difference is not"
        if shared
        else "no McNemar test, and the difference may be that of the test sets"
    )
    return f"{what}: {test}. Judge all on one set: --data DIR --split all."
