"""`tinyml footprint`: what all trainings took, and when the devices will have taken as much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyml_cli import run_list
from tinyml_cli.card import carbon
from tinyml_cli.card.carbon import DEFAULT_WATTS, CarbonAssumptions, of_training
from tinyml_cli.console import console
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import runs_dir
from tinyml_cli.manifest import Manifest
from tinyml_cli.model_registry.store import Store
from tinyml_cli.model_registry.versions import is_export
from tinyml_cli.next_step import next_step
from tinyml_cli.outcomes.cards import Carbon
from tinyml_cli.outcomes.footprints import Footprint, InferenceFootprint, TrainingFootprint
from tinyml_cli.project.budgets import Budgets
from tinyml_cli.project.figures import RunFigures
from tinyml_cli.run import MANIFEST, MODEL, Run
from tinyml_cli.run_folder import VARIANTS
from tinyml_cli.training import energy_ledger
from tinyml_cli.wording import counted

_UJ_PER_KWH = 3.6e12


@dataclass(frozen=True)
class DutyCycle:
    """How the model is used.

    Attributes:
        run: whose inferences.
        inferences_per_day: of a device.
        devices: how many.
    """

    run: Run
    inferences_per_day: float
    devices: int = 1


def total(assumptions: CarbonAssumptions, registry: Path | None, duty: DutyCycle | None) -> Footprint:
    """Sums over the life of a project: all that the ledger of its runs folder counted, searches, fine-tuning
    and stopped trainings included, runs that it does not know, and versions of the registry.

    Manifests of variants are left out: they hold the training of the run that they were made from.

    Args:
        assumptions: power and grid, where nothing was measured.
        registry: its folder; the default one where there is one.
        duty: None leaves inference out.

    Raises:
        TinymlError: a damaged registry, or a duty cycle of a run that was not profiled.
    """
    spent: dict[str, list[Carbon]] = {}
    unknown = []
    for name, figures in _figures(registry):
        found = of_training(figures, assumptions)
        if found is None:
            unknown.append(name)
        else:
            spent.setdefault(name, []).append(found)
    kept = set(TrainingFootprint.model_fields)
    trainings = [
        TrainingFootprint(
            run=name, trainings=len(parts), **carbon.total(parts, assumptions).model_dump(include=kept)
        )
        for name, parts in spent.items()
    ]
    energy = sum(each.energy_kwh for each in trainings)
    all_parts = [part for parts in spent.values() for part in parts]
    measured = sum(part.energy_kwh for part in all_parts if part.level == "measured")
    return Footprint(
        trainings=trainings,
        unknown=unknown,
        seconds=sum(each.seconds for each in trainings),
        energy_kwh=energy,
        grams_co2e=sum(each.grams_co2e for each in trainings),
        measured_share=measured / energy if energy else 0.0,
        watts=DEFAULT_WATTS if assumptions.watts is None else assumptions.watts,
        grams_per_kwh=assumptions.grams_per_kwh,
        inference=None if duty is None else _inference(duty, energy),
    )


def _figures(registry: Path | None) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Name and figures of every training, each once; an older tinyml, or another folder, kept no ledger."""
    known = set()
    for spent in energy_ledger.read():
        known.add(spent.model)
        yield spent.run, spent.figures
    for name, manifest in _manifests(registry):
        if manifest.artifacts[MODEL].sha256 not in known:
            yield name, manifest.metrics.get("train") or {}


def _manifests(registry: Path | None) -> Iterator[tuple[str, Manifest]]:
    """Name and manifest of every training, each once."""
    seen: set[str] = set()
    paths = sorted(runs_dir().rglob(MANIFEST), key=lambda path: (is_export(Run(path.parent)), path))
    for path in paths:
        if VARIANTS in path.parts or any(part.is_symlink() for part in path.parents):
            continue
        try:
            manifest = Manifest.load(path)
        except TinymlError as error:
            console.warn(f"{path.parent} is left out: {error.what}")
            continue
        if MODEL in manifest.artifacts and manifest.artifacts[MODEL].sha256 not in seen:
            seen.add(manifest.artifacts[MODEL].sha256)
            yield run_list.name_of(Run(path.parent)), manifest
    store = Store.open_if_there(registry)
    if store is None:
        return
    for name in store.names():
        index = store.index(name)
        for number in index.versions:
            files = store.version(index, number).files
            if MODEL in files and files[MODEL] not in seen:
                seen.add(files[MODEL])
                yield f"{name}@{number}", Manifest.load(store.require(files[MANIFEST]))


def _inference(duty: DutyCycle, training_kwh: float) -> InferenceFootprint:
    figure = RunFigures(duty.run, Budgets().board).of_budget("energy_uj")
    if figure is None:
        raise TinymlError(
            "The energy of an inference is not known",
            str(duty.run.path),
            f"Run `{next_step('profile', duty.run.path)}` first.",
        )
    per_day = figure.value * duty.inferences_per_day * duty.devices / _UJ_PER_KWH
    return InferenceFootprint(
        run=str(duty.run.path),
        energy_uj=figure.value,
        inferences_per_day=duty.inferences_per_day,
        devices=duty.devices,
        energy_kwh_per_day=per_day,
        days_until_training=training_kwh / per_day if training_kwh and per_day else None,
    )


def show(outcome: Footprint) -> None:
    """The table for people; none where nothing was trained."""
    if not outcome.trainings:
        return
    rows = [
        (
            each.run,
            each.trainings,
            f"{each.seconds:,.0f}",
            _amount(each.energy_kwh * 1000),
            _amount(each.grams_co2e),
            each.level,
        )
        for each in outcome.trainings
    ]
    console.table("Trainings", ("run", "trainings", "seconds", "Wh", "g CO2e", "evidence"), rows)


def sentences(outcome: Footprint) -> str:
    """The sums, and what they rest on."""
    n = sum(each.trainings for each in outcome.trainings)
    text = (
        f"{counted(n, 'training')}: {outcome.seconds:,.0f} s, {_amount(outcome.energy_kwh * 1000)} Wh, "
        f"{_amount(outcome.grams_co2e)} g CO2e at an assumed {outcome.grams_per_kwh:g} g per kWh."
    )
    if outcome.trainings and outcome.measured_share < 1:
        text += (
            f" Measured: {outcome.measured_share:.0%} of the energy; the rest is estimated with "
            f"{outcome.watts:g} W."
        )
    if outcome.unknown:
        text += f" Of unknown length: {', '.join(outcome.unknown)}."
    if (use := outcome.inference) is not None:
        takes = "takes" if use.devices == 1 else "take"
        text += (
            f"\n{counted(use.devices, 'device')} with {use.inferences_per_day:,.0f} inferences a day {takes} "
            f"{_amount(use.energy_kwh_per_day * 1000)} Wh a day (processor alone, estimated)"
        )
        days = use.days_until_training
        text += "." if days is None else f": as much as all trainings after {_amount(days)} days."
    return text


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
