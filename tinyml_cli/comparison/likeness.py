"""What may be compared: models of one task and its labels, and how far their test items are the same."""

from __future__ import annotations

from collections.abc import Sequence

from tinyml_cli.comparison.judge import Quality
from tinyml_cli.comparison.subjects import ComparedModel
from tinyml_cli.errors import TinymlError
from tinyml_cli.wording import counted


def refuse_unlike(models: Sequence[ComparedModel]) -> None:
    """Refuses runs whose quality has different meanings.

    Raises:
        TinymlError: runs of different tasks or labels.
    """
    runs = {model.run.path.resolve(): model.run for model in models if model.run is not None}
    known = [(run.path.name, run.manifest()) for run in runs.values()]
    known = [(name, manifest) for name, manifest in known if manifest.has_task]
    for name, manifest in known[1:]:
        first, reference = known[0]
        if manifest.task != reference.task:
            raise TinymlError(
                f"`{first}` is for the task {reference.task}, `{name}` for {manifest.task}: their "
                "quality cannot be compared",
                name,
                "Compare runs of one task; to compare only sizes, give the flatbuffers: tinyml compare "
                "a.tflite "
                "b.tflite",
            )
        if set(manifest.labels) != set(reference.labels):
            raise TinymlError(
                f"`{first}` has the labels {', '.join(reference.labels)}, `{name}` has "
                f"{', '.join(manifest.labels)}: their quality cannot be compared",
                name,
                "Compare runs with the same labels; to compare only sizes, give the flatbuffers.",
            )


def difference_of_items(name: str, found: Quality, reference: str, start: Quality) -> str:
    """Why a model's quality is not of the same items as the reference's; empty where it is.

    Also says what becomes of McNemar's test, which pairs answers to one item.
    """
    if found.right is None or start.right is None:
        lacks = name if found.right is None else reference
        return (
            f"{name}: no McNemar test, because only the overall measure of {lacks} is known, not each answer."
        )
    shared = len(found.right.keys() & start.right.keys())
    if shared == len(found.right) == len(start.right):
        return ""
    what = (
        f"{name} was evaluated on {counted(len(found.right), 'test item')} and {reference} on "
        f"{len(start.right)}; {shared or 'none'} {'is' if shared == 1 else 'are'} shared"
    )
    test = (
        f"McNemar's test covers only these {shared}, the difference covers all"
        if shared
        else "no McNemar test, and the difference may come from the test sets"
    )
    return f"{what}: {test}. Evaluate all on one set: --data DIR --split all."
