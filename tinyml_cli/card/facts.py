"""The facts of a model card: from the manifest, report/metrics.json and report/profile.json."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tinyml_cli import __version__, registry
from tinyml_cli.card.carbon import CarbonAssumptions, of_training
from tinyml_cli.errors import TinymlError
from tinyml_cli.evaluation.frame import ATTACK, METRICS
from tinyml_cli.evaluation.membership import revealed
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Data
from tinyml_cli.next_step import on_this_run
from tinyml_cli.outcomes.attacks import Attacked
from tinyml_cli.outcomes.cards import (
    CardData,
    CardFacts,
    CardLatency,
    CardLeaves,
    CardSecurity,
    CardSize,
    FirmwareSize,
)
from tinyml_cli.profile.outcome import of_this_model
from tinyml_cli.run import MODEL, MODEL_FLOAT32, MODEL_INT8, Run

CARD_VERSION = 1

_QUALITY_KEYS = (
    "note",
    "verdict",
    "data",
    "n",
    "float32",
    "int8",
    "agreement",
    "auc",
    "calibration",
    "noise",
    "speakers",
    "fairness",
    "sizes",
    "low_light",
    "at_threshold",
    "threshold",
    "faults",
    "by_recording",
    "recordings",
    "method",
    "device",
)
_LICENCE_NAMES = ("license", "licence", "copying", "readme")


def gather(run: Run, assumptions: CarbonAssumptions) -> CardFacts:
    """Every figure of the card.

    Raises:
        TinymlError: the run holds no int8 model.
    """
    manifest = run.manifest()
    if MODEL_INT8 not in manifest.artifacts:
        raise TinymlError(
            "The run has no int8 model to describe", str(run.path), f"Run `{on_this_run('convert')}` first."
        )
    training = manifest.metrics.get("train") or {}
    return CardFacts(
        tinyml_card=CARD_VERSION,
        name=run.path.resolve().name,
        tinyml_version=__version__,
        task=manifest.task,
        items=asdict(registry.task(manifest.task).items(manifest)),
        labels=manifest.labels,
        seed=manifest.seed,
        model=manifest.model,
        data=_data(manifest.data) if manifest.data else None,
        features=manifest.features.model_dump() if manifest.features else None,
        recognizer=manifest.recognizer,
        training=training or None,
        quality=_quality(run, manifest),
        security=_security(run, manifest),
        size=_size(manifest),
        latency=_latency(run, manifest),
        carbon=of_training(training, assumptions),
        hashes={
            name: manifest.artifacts[name].sha256
            for name in (MODEL, MODEL_FLOAT32, MODEL_INT8)
            if name in manifest.artifacts
        },
    )


def _data(data: Data) -> CardData:
    """With the files of its folder that may state a licence; people must judge what they say."""
    known = data.model_dump()
    folder = Path(data.path) if data.path else None
    if folder is None or not folder.is_dir():
        return CardData(**known, licence_files=[])
    found = sorted(
        p.name for p in folder.iterdir() if p.is_file() and p.name.lower().startswith(_LICENCE_NAMES)
    )
    return CardData(**known | {"path": folder.name}, licence_files=found)


def _quality(run: Run, manifest: Manifest) -> dict[str, Any] | None:
    """The figures of the last evaluation, if it used the models and labels that the run has now."""
    if not run.is_fresh(manifest, METRICS):
        return None
    outcome = run.read_json(manifest, METRICS)
    if outcome.get("labels", manifest.labels) != manifest.labels:
        return None
    quality = {key: outcome.get(key) for key in _QUALITY_KEYS}
    if quality["data"]:
        quality["data"] = Path(quality["data"]).name
    return quality | {"level": "host"}


def _security(run: Run, manifest: Manifest) -> CardSecurity:
    """Membership is measured now; why it could not be is told as well."""
    task = registry.task(manifest.task)
    membership, why = None, "the task keeps no items of its training"
    try:
        if (losses := task.known_losses(run)) is not None:
            membership = revealed(losses)
    except TinymlError as error:
        why = f"{error.what}. {error.next_step}"
    return CardSecurity(
        membership=membership,
        not_measured=None if membership else why,
        leaves=[CardLeaves(**asdict(each)) for each in task.monitor.sends],
        attack=_attack(run, manifest),
    )


def _attack(run: Run, manifest: Manifest) -> Attacked | None:
    """What the last attack on this very model found."""
    if not run.is_fresh(manifest, ATTACK):
        return None
    try:
        found = Attacked.model_validate(run.read_json(manifest, ATTACK))
    except ValidationError:  # of another version
        return None
    # A card travels: where things lay on this computer is nobody's business.
    defence = found.defence
    return found.model_copy(
        update={
            "run": Path(found.run).name,
            "data": Path(found.data).name if found.data else None,
            "example": Path(found.example).name,
            "picture": Path(found.picture).name,
            "defence": defence and defence.model_copy(update={"run": Path(defence.run).name}),
        }
    )


def _size(manifest: Manifest) -> CardSize:
    firmware = {
        board: FirmwareSize.model_validate({key: sizes.get(key) for key in FirmwareSize.model_fields})
        for board, sizes in manifest.firmware.items()
    }
    return CardSize(
        int8_bytes=manifest.artifacts[MODEL_INT8].bytes,
        arena_bytes=manifest.arena_bytes,
        firmware=firmware,
        level="linked",
    )


def _latency(run: Run, manifest: Manifest) -> CardLatency | None:
    """The result of `tinyml profile` for this very model, with the evidence of each figure."""
    profile = of_this_model(run, manifest)
    if profile is None:
        return None
    try:
        return CardLatency.model_validate({key: profile.get(key) for key in CardLatency.model_fields})
    except ValidationError:  # edited by hand: it is as good as none
        return None
