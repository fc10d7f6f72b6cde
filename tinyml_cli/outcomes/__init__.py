"""What each command prints with --json: frozen models, and the JSON Schemas made of them.

A command has several models where options, or what the run's model takes, decide between them.
"""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

from tinyml_cli.errors import TinymlError, did_you_mean

if TYPE_CHECKING:
    from pydantic import BaseModel

ERROR = "error"
"""Stands for what every command prints when it fails."""

_BOARD_EVENTS = (
    *("Ready", "Detection", "Led", "Scores", "Features", "Audio", "Status", "Anomaly", "Calibrated"),
    "Drift",
    *("Fault", "Image", "Person", "Gate", "Input", "Stroke", "Gesture", "Wave", "Text"),
)

# Read on demand: importing pydantic and the models would slow down every command.
_PLACES = {
    "init": ["projects:ProjectMade"],
    "check": ["projects:ProjectChecked"],
    "pipeline": ["pipelines:Pipeline"],
    "studio": ["housekeeping:StudioOpened"],
    "serve": ["services:ServiceOpened"],
    "train": ["stages:Trained"],
    "federate": ["federations:Federated"],
    "teach": ["teaching:WordsTaught", "teaching:WordLearned"],
    "quantize": ["stages:Quantized"],
    "convert": ["stages:Converted"],
    "export-c-array": ["stages:Exported"],
    "export-library": ["stages:ExportedLibrary"],
    "build": ["stages:Built"],
    "flash": ["stages:Flashed", "updates:ModelUpdated"],
    "keys new": ["updates:Key"],
    "keys public": ["updates:Key"],
    "keys sign": ["updates:ModelUpdated"],
    "evaluate": [
        "evaluations:EvaluatedClips",
        "evaluations:EvaluatedImages",
        "evaluations:EvaluatedGestures",
        "anomalies:EvaluatedRecordings",
        "anomalies:EvaluatedFiles",
        "curves:EvaluatedCurve",
    ],
    "explain": ["explanations:ExplainedClip", "explanations:ExplainedRecording"],
    "attack": ["attacks:Attacked"],
    "inspect": [
        "inspection:Inspected",
        "inspection:Difference",
        "inspection:Edited",
        "inspection:SeenLayers",
    ],
    "card": ["cards:Card"],
    "data download": ["data:DatasetList", "data:Downloaded"],
    "data import": ["data:Imported"],
    "data check": ["data:Checked", "data:Restored"],
    "data preview": ["data:Previewed"],
    "data snapshot": ["data:SnapshotTaken"],
    "data build-vww": ["data:BuiltVww"],
    "data synth": ["data:Spoken"],
    "data record words": ["data:RecordedWords"],
    "data record images": ["data:RecordedImages"],
    "data record strokes": ["data:RecordedStrokes"],
    "tune": ["comparisons:Tuned", "comparisons:Searched"],
    "prune": ["comparisons:Compressed"],
    "cluster": ["comparisons:Compressed"],
    "distill": ["comparisons:Compressed"],
    "compare": ["comparisons:Compared"],
    "evaluate-stream": ["streams:EvaluatedStream"],
    "fairness": ["fairness:FairnessFound", "fairness:GroupsFile"],
    "drift": ["boards:Drifted"],
    "watch-drift": ["boards:DriftWatched"],
    "bench": ["boards:Benchmarked", "boards:Served"],
    "profile": ["profiles:Profiled"],
    "monitor": [
        "monitoring:PlayedClip",
        "stages:Replayed",
        # By name: what a board says lies above this package.
        *(f"tinyml_cli.link.protocol.events:{name}" for name in _BOARD_EVENTS),
    ],
    "boards": ["housekeeping:BoardList"],
    "recipes": ["housekeeping:RecipeList"],
    "recipes list": ["housekeeping:RecipeList"],
    "recipes show": ["housekeeping:RecipeShown"],
    "recipes copy": ["housekeeping:RecipeCopied"],
    "footprint": ["footprints:Footprint"],
    "lineage": ["lineages:Lineage"],
    "tracking": ["trackings:TrackingState"],
    "tracking list": ["trackings:TrackingState"],
    "tracking send": ["trackings:TrackingState"],
    "tracking drop": ["trackings:TrackingState"],
    "retrain": ["retraining:Retrained"],
    "registry": ["registries:RegistryList"],
    "registry add": ["registries:VersionAdded"],
    "registry list": ["registries:RegistryList"],
    "registry show": ["registries:VersionShown"],
    "registry promote": ["registries:Promoted"],
    "registry rollback": ["registries:RolledBack"],
    "registry export": ["registries:VersionExported", "registries:VersionRegistered"],
    "registry verify": ["registries:RegistryVerified"],
    "fleet": ["fleets:FleetShown"],
    "fleet serve": ["fleets:FleetServed"],
    "fleet bridge": ["fleets:GatewayOpened"],
    "fleet list": ["fleets:FleetShown"],
    "fleet show": ["fleets:DeviceHealth"],
    "fleet rollout": ["fleets:RolloutShown"],
    "fleet rollout start": ["fleets:RolloutShown"],
    "fleet rollout status": ["fleets:RolloutShown"],
    "fleet rollout pause": ["fleets:RolloutShown"],
    "fleet rollout resume": ["fleets:RolloutShown"],
    "fleet rollout abort": ["fleets:RolloutShown"],
    "fleet rollout history": ["fleets:FleetHistory"],
    "runs": ["housekeeping:RunList"],
    "runs list": ["housekeeping:RunList"],
    "runs show": ["housekeeping:RunShown"],
    "runs rename": ["housekeeping:RunRenamed"],
    "runs rm": ["housekeeping:RunsRemoved"],
    "learn loss": ["lessons:JudgedLine"],
    "learn descent": ["lessons:Descended"],
    "learn neuron": ["lessons:Neurons"],
    "learn digits": ["lessons:LearnedDigits"],
    "learn filter": ["lessons:Filtering"],
    "learn overfit": ["lessons:Overfitted"],
    "learn quantize": ["lessons:QuantizedMatrix"],
    "container base": ["containers:ContainerBase"],
    "container build": ["containers:ContainerBuilt"],
    "course": ["lessons:CourseMap"],
    "doctor": ["housekeeping:Diagnosis"],
    "completion": ["housekeeping:CompletionScript", "housekeeping:CompletionInstalled"],
    "schema": ["housekeeping:SchemaList"],
    ERROR: ["base:Failure"],
}

# Tasks of other packages print more than this package knows.
_ELSEWHERE = {"evaluate": ("evaluations", "EvaluatedElsewhere")}
_SAME_FOR_ALL_TASKS = ("federate", "pipeline", "train")


def commands() -> list[str]:
    """The commands whose outcomes have models, and `error`."""
    return list(_PLACES)


def models(command: str) -> list[type[BaseModel]]:
    """The models of the outcome of a command, such as `runs show`, or `train kws`.

    Raises:
        TinymlError: it has none; those that have are named.
    """
    first = command.partition(" ")[0]
    command = first if first in _SAME_FOR_ALL_TASKS else command
    if command not in _PLACES:
        raise TinymlError(
            f"No schema for `{command}`",
            "COMMAND",
            did_you_mean(command, _PLACES)
            + f"Commands with a schema: {', '.join(_PLACES)}; docs/json.md describes all.",
        )
    places = (place.partition(":") for place in _PLACES[command])
    return [_model(module, name) for module, _, name in places]


def _model(module: str, name: str) -> type[BaseModel]:
    place = module if "." in module else f"{__name__}.{module}"
    found: type[BaseModel] = getattr(importlib.import_module(place), name)
    return found


def schema(command: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a command's outcome.

    Raises:
        TinymlError: as in `models`.
    """
    from pydantic.json_schema import models_json_schema

    found = models(command)
    if command in _ELSEWHERE:
        found.append(_model(*_ELSEWHERE[command]))
    references, definitions = models_json_schema(
        [(model, "validation") for model in found], title=f"tinyml {command} --json"
    )
    choices = [references[model, "validation"] for model in found]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **definitions,
        **(choices[0] if len(choices) == 1 else {"anyOf": choices}),
    }


def as_text(document: dict[str, Any]) -> str:
    """A schema as people read it."""
    return json.dumps(document, indent=2, ensure_ascii=False)
