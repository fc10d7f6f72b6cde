"""The stages prune and cluster: a smaller network as a variant of its run, compared with the run."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import asdict

import keras

from tinyml_cli import recipes, variants
from tinyml_cli.comparison import judge
from tinyml_cli.comparison.cost import cost_of
from tinyml_cli.comparison.subjects import ComparedModel
from tinyml_cli.compression import kept, structured
from tinyml_cli.compression.steps import CompressionStep, check_order, steps_of
from tinyml_cli.console import console
from tinyml_cli.conversion.convert import convert
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import atomic_path
from tinyml_cli.manifest import Manifest
from tinyml_cli.manifest_sections import Model
from tinyml_cli.models import count_macs
from tinyml_cli.next_step import next_step
from tinyml_cli.outcomes.comparisons import Compressed, MeasuredModel, StepTaken
from tinyml_cli.run import MODEL, MODEL_INT8, RECIPE, Run
from tinyml_cli.stages.calibrate import quantize
from tinyml_cli.tracking import seam
from tinyml_cli.training import network
from tinyml_cli.training.constraints import (
    MIN_WEIGHTS,
    ClusteredKernel,
    Constraints,
    channels_last,
    large_layers,
)
from tinyml_cli.training.energy_ledger import spending
from tinyml_cli.training.fine_tune import FineTuneSettings, fine_tune, load, predict, training_inputs
from tinyml_cli.variants import STEPS
from tinyml_cli.wording import counted


def compress(
    run: Run,
    steps: Sequence[CompressionStep],
    settings: FineTuneSettings | None = None,
    name: str | None = None,
    seed: int | None = None,
    on_board: bool = True,
) -> Compressed:
    """Carries out steps one after another, each on the outcome of the last, and makes int8 of the result.

    Args:
        run: a trained run, or a variant of one.
        steps: what to do, in this order.
        settings: of the fine-tuning in each step.
        name: of the variant; made of the steps by default.
        seed: fixes everything; the run's by default.
        on_board: whether to count instructions on the virtual board.

    Raises:
        TinymlError: steps that undo each other, a network that cannot be changed, or no training data.
    """
    settings = settings or FineTuneSettings()
    settings.check()
    for step in steps:
        step.check()
    manifest = run.manifest()
    earlier = steps_of(manifest)
    check_order([*earlier, *steps])
    seed = manifest.seed if seed is None else seed
    qat = any(step.method == "qat" for step in steps)

    def work(variant: Run) -> Compressed:
        started = variants.start(run, variant)
        loss = _train(run, variant, started, [step for step in steps if step.method != "qat"], settings, seed)
        return finish(run, variant, [*earlier, *steps], settings.epochs if qat else None, loss, on_board)

    called = name or "-".join(step.name for step in [*earlier, *steps])
    title = f"{run.path.name} {called}"
    with seam.stage("compress", run.path, title=title) as ended, spending(run.root, str):
        compressed: Compressed = ended(variants.make(run, called, work))
    return compressed


def finish(
    run: Run,
    variant: Run,
    steps: Sequence[CompressionStep],
    qat_epochs: int | None,
    loss: float | None,
    on_board: bool,
) -> Compressed:
    """Makes int8 of a variant that has a model, and measures it beside its run; returns as `compress`.

    Args:
        run: what the variant was made from.
        variant: with a model and a manifest.
        steps: all that was done to its model.
        qat_epochs: of training with rounding; None quantises after training.
        loss: of the last training.
        on_board: whether to count instructions.
    """
    quantize(variant, "ptq" if qat_epochs is None else "qat", epochs=qat_epochs)
    convert(variant)
    model, metrics = variant.file(MODEL_INT8).read_bytes(), variant.manifest().metrics
    return Compressed(
        run=str(variant.path),
        steps=[StepTaken(**step.as_dict()) for step in steps],
        loss=loss,
        kept=kept.check(model, MIN_WEIGHTS, metrics, str(variant.path)),
        before=_measure(run, on_board),
        after=_measure(variant, on_board),
    )


def _train(
    run: Run,
    variant: Run,
    manifest: Manifest,
    steps: Sequence[CompressionStep],
    settings: FineTuneSettings,
    seed: int,
) -> float | None:
    """Writes the variant's model and manifest; the last loss."""
    recipe = recipes.load(run.file(RECIPE))
    model = network.fold(load(run.require(run.manifest(), MODEL)))
    check_effect(model, steps, str(run.path))
    original = variants.parent_of(run)
    teacher = load(original.require(original.manifest(), MODEL))
    loss = None
    if steps:
        inputs = training_inputs(run, recipe, settings.samples, seed)
        targets = predict(teacher, inputs)
    for step in steps:
        console.info(f"[{step.name}]")
        constraints = Constraints.of(model, manifest)
        model = _changed(model, step, constraints)
        project = functools.partial(constraints.project, model)
        with seam.under(step.name):
            loss = fine_tune(model, inputs, targets, settings, seed, project)
        constraints.project(model, 1.0)
        done = [*manifest.metrics.get(STEPS, []), step.as_dict()]
        manifest.metrics[STEPS] = done
    with atomic_path(variant.file(MODEL)) as temporary:
        model.save(temporary, include_optimizer=False)
    made_by = manifest_command(run.manifest())
    variant.record(manifest, MODEL, made_by)
    if manifest.model is not None:
        manifest.model = Model(
            name=manifest.model.name, parameters=model.count_params(), macs=count_macs(model)
        )
    variant.save(manifest)
    return loss


def check_effect(model: keras.Model, steps: Sequence[CompressionStep], where: str) -> None:
    """Refuses steps that would change nothing: single weights go, and are shared, in large kernels alone.

    Raises:
        TinymlError: the network has no kernel of at least `MIN_WEIGHTS` weights.
    """
    for step in steps:
        by_weight = step.method in ("prune", "cluster") and not step.structured
        if by_weight and not large_layers(model):
            raise TinymlError(
                f"`{step.method}` would change nothing: no layer of this network has {MIN_WEIGHTS} weights",
                where,
                "Compress a larger network, or remove whole channels with --structured.",
            )


def manifest_command(manifest: Manifest) -> str:
    """The command that made a run's model: what training left with it stays with its variants."""
    return manifest.artifacts[MODEL].made_by


def _changed(model: keras.Model, step: CompressionStep, constraints: Constraints) -> keras.Model:
    """The network as the step's training starts with it; enters what it must keep."""
    if step.structured:
        return structured.shrink(model, step.sparsity or 0.0)
    if step.method == "prune":
        constraints.sparsity = step.sparsity
    if step.method == "cluster":
        for layer in large_layers(model):
            weights = channels_last(layer)
            constraints.clusters[layer.name] = ClusteredKernel.of(
                weights, step.clusters or 0, layer.name in constraints.masks
            )
    return model


def _measure(run: Run, on_board: bool) -> MeasuredModel | None:
    """Cost and quality of a run's int8 model; None where it has none."""
    manifest = run.manifest()
    if MODEL_INT8 not in manifest.artifacts or not run.is_fresh(manifest, MODEL_INT8):
        return None
    path = run.file(MODEL_INT8)
    data, sha256 = path.read_bytes(), manifest.artifacts[MODEL_INT8].sha256
    subject = ComparedModel("int8", "int8", path, data, sha256, run)
    quality = judge.judge([subject], None, None).get("int8")
    cost = asdict(cost_of(data, str(path), on_board))
    if quality is None:
        return MeasuredModel(**cost, measure=None, value=None, ci95=None)
    return MeasuredModel(**cost, measure=quality.measure, value=quality.value, ci95=quality.ci95, n=quality.n)


def show(outcome: Compressed) -> None:
    """A table: before and after."""
    names = ("bytes", "gzip_bytes", "macs", "flash_bytes", "ram_bytes", "instructions")
    first, second = outcome.before, outcome.after
    rows: list[list[object]] = []
    for name in names:
        before, after = (getattr(side, name, None) for side in (first, second))
        change = f"{after / before - 1:+.1%}" if before and after else "–"
        rows.append(
            [name.replace("_", " "), *("–" if v is None else f"{v:,}" for v in (before, after)), change]
        )
    if second is not None and second.value is not None:
        known = first is not None and first.value is not None
        points = 100 * (second.value - (first.value or 0)) if first is not None else 0.0
        change = f"{points:+.1f} points" if known else "–"
        rows.append([str(second.measure), _interval(first), _interval(second), change])
    console.table("int8, before and after", ["", "Before", "After", "Change"], rows)


def _interval(side: MeasuredModel | None) -> str:
    if side is None or side.value is None or side.ci95 is None:
        return "–"
    low, high = side.ci95
    return f"{side.value:.3f} ({low:.3f}–{high:.3f})"


def sentence(outcome: Compressed) -> str:
    """The outcome in a line."""
    distinct = max((row.distinct for row in outcome.kept.layers), default=0)
    return (
        f"{outcome.run}: {outcome.kept.sparsity:.1%} of the large int8 kernels are zero; at "
        f"most {counted(distinct, 'distinct value')} per kernel. Next: "
        f"{next_step('compare', variants.root_of(outcome.run))}"
    )
