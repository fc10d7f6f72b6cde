"""The stage quantize: the user's options override the recipe, in the run itself or in a variant of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinyml_cli import recipes, variants
from tinyml_cli.errors import TinymlError
from tinyml_cli.outcomes.stages import Quantized
from tinyml_cli.quantization.scheme import COMPARISONS, Scheme, checked, refuse_float_layers
from tinyml_cli.run import RECIPE, Run
from tinyml_cli.stages.calibrate import quantize


@dataclass(frozen=True)
class Choices:
    """What the user said; None leaves the recipe's value."""

    method: str | None = None
    samples: int | None = None
    ranges: str | None = None
    per_channel: bool | None = None
    bias_correction: bool | None = None
    equalise: bool | None = None
    epochs: int | None = None


def quantize_run(
    run: Run,
    choices: Choices,
    keep_float: str | None = None,
    variant: str | None = None,
    pictures: bool = False,
) -> Quantized:
    """Quantises a run; with `variant`, a copy of it below `variants/`, which is converted too.

    Raises:
        TinymlError: see `calibrate.quantize`; a layer that shall stay float, or a comparison as a variant.
    """
    if keep_float is not None:
        raise refuse_float_layers(keep_float)
    if variant is None:
        return _quantize(run, choices, _scheme(run, choices), pictures)
    if choices.method in COMPARISONS:
        raise TinymlError(
            f"A comparison model is stored in the run itself, as model_{choices.method}.tflite",
            "--as",
            "Omit --as.",
        )
    scheme = _scheme(run, choices)
    from tinyml_cli.conversion.convert import convert

    def work(copy: Run) -> Quantized:
        manifest = variants.start(run, copy)
        variants.copy_model(run, copy, manifest)
        copy.save(manifest)
        outcome = _quantize(copy, choices, scheme, pictures)
        return outcome.model_copy(update={"int8": convert(copy).int8})

    return variants.make(run, variant, work)


def _quantize(run: Run, choices: Choices, scheme: Scheme | None, pictures: bool) -> Quantized:
    return quantize(
        run, choices.method, choices.samples, scheme=scheme, pictures=pictures, epochs=choices.epochs
    )


def _scheme(run: Run, choices: Choices) -> Scheme | None:
    """The recipe's scheme with what the user said in its place; None for a run that has no recipe."""
    if not run.manifest().has_task:
        return None
    wanted = recipes.load(run.file(RECIPE)).quantization

    def value(name: str) -> Any:
        mine = getattr(choices, name)
        return getattr(wanted, name) if mine is None else mine

    return checked(value("ranges"), value("per_channel"), value("bias_correction"), value("equalise"))
