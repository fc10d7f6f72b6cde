"""tinyml data synth"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyml_cli import checks
from tinyml_cli.commands import options, speech_options
from tinyml_cli.console import console


def command(
    words: Annotated[str, typer.Option("--words", help="Words to speak, comma-separated.")],
    out: Annotated[
        Path,
        typer.Option(
            "--out", callback=options.given(checks.output_folder), help="The output folder; must be new."
        ),
    ],
    clips: Annotated[int, typer.Option("--clips", min=8, max=20_000, help="Clips per word.")] = 500,
    unknown: Annotated[
        int, typer.Option("--unknown", min=0, max=50_000, help="Clips of other words, in total.")
    ] = 1000,
    language: speech_options.Language = None,
    pronounce: speech_options.Pronounce = None,
    engines: Annotated[
        str, typer.Option("--engines", help="Speech engines, comma-separated: espeak, flite, kokoro.")
    ] = "espeak,flite",
    sample_rate: Annotated[
        int, typer.Option("--sample-rate", min=4000, max=48_000, help="Sample rate of the clips, in Hz.")
    ] = 16_000,
    clip_ms: Annotated[
        int, typer.Option("--clip-ms", min=200, max=3000, help="Length of a clip, in ms.")
    ] = 1000,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=options.MOST_SEED, help="Seed for voices, rates and pitches.")
    ] = 0,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write WAV files of the synthetic speech that training without recordings uses.

    \b
    Examples:
      tinyml data synth --words yes,no --out synthetic/
      tinyml data synth --words marvin --clips 200 --unknown 400 --seed 7 --out marvin/
      tinyml data synth --words yes,no --engines espeak,flite,kokoro --out natural/
      tinyml data synth --words ja,nein --language de --out german/
      tinyml train kws --words yes,no --data synthetic/
    """
    from tinyml_cli.datasets import synth_files
    from tinyml_cli.speech import pronunciation
    from tinyml_cli.tasks.kws.checks import check_words

    listed = options.word_list(words, "--words") or []
    check_words(listed)
    languages = options.word_list(language, "--language")
    how = pronunciation.chosen(listed, languages, pronunciation.spellings(pronounce))
    pronunciation.tell_default(listed, languages)
    document = synth_files.write_speech(
        listed,
        out,
        clips,
        unknown,
        options.word_list(engines, "--engines") or [],
        sample_rate,
        clip_ms * sample_rate // 1000,
        seed,
        how,
    )
    console.result(document, synth_files.text(document, listed))
