"""tinyml prune"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import options, shrink_options, tracking_options, training_options


def command(
    run: options.RunArgument = None,
    sparsity: Annotated[
        float,
        typer.Option("--sparsity", min=0.01, max=0.98, help="Share of weights set to zero or removed."),
    ] = 0.7,
    structured: Annotated[
        bool, typer.Option("--structured", help="Remove whole channels: the model gets smaller and faster.")
    ] = False,
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
    """Prune a trained network: set small weights to zero or, with --structured, remove whole channels.

    Fine-tuning teaches the network to keep its answers, on the training split and without labels. The
    result is a variant of the run with its own int8 model, whose zeros are counted.

    \b
    Examples:
      tinyml prune runs/kws-yes-no --sparsity 0.7
      tinyml prune --sparsity 0.5 --structured
      tinyml prune --sparsity 0.6 --then cluster=16 --then qat
    """
    from tinyml_cli.compression.command import Wishes, run_steps
    from tinyml_cli.compression.steps import CompressionStep

    wishes = Wishes(then, epochs, learning_rate, samples, variant, seed, profile)
    run_steps(run, CompressionStep("prune", sparsity, structured), wishes)
