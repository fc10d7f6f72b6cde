"""tinyml cluster"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import options, shrink_options, tracking_options, training_options


def command(
    run: options.RunArgument = None,
    clusters: Annotated[
        int,
        typer.Option("--clusters", min=3, max=128, help="Maximum number of distinct int8 weights per layer."),
    ] = 16,
    then: shrink_options.Then = None,
    epochs: shrink_options.FineTuneEpochs = 10,
    learning_rate: shrink_options.FineTuneRate = 1e-3,
    samples: shrink_options.FineTuneSamples = 4000,
    variant: shrink_options.Variant = None,
    profile: shrink_options.CountInstructions = True,
    seed: training_options.Seed = None,
    accept_partial: options.AcceptPartial = False,
    track: tracking_options.Track = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Cluster a trained network: the weights of a layer share a few values, so the file compresses well.

    The flatbuffer keeps its size; only its gzipped size shrinks, which helps over-the-air updates. Zeros of
    a pruned network stay zero. The result is a variant of the run with its own int8 model.

    \b
    Examples:
      tinyml cluster runs/kws-yes-no --clusters 16
      tinyml cluster runs/kws-yes-no/variants/pruned-70 --clusters 16 --then qat
    """
    from tinyml_cli.compression.command import Wishes, run_steps
    from tinyml_cli.compression.steps import CompressionStep

    wishes = Wishes(then, epochs, learning_rate, samples, variant, seed, profile)
    run_steps(run, CompressionStep("cluster", clusters=clusters), wishes)
