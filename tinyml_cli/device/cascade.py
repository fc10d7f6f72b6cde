"""A model that looks only when another one has heard a word: the gate rule, for the firmware."""

from __future__ import annotations

from tinyml_cli.engines.c_text import string_literal
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.image_settings import Gate
from tinyml_cli.run import Run

APP = "cascade"
_FIRST_WORD = 2  # labels start with silence, unknown


def gate_defines(listens: Run, looks: Run) -> dict[str, str]:
    """Macros of tinyml_build.h: the word that opens the camera, and for how long.

    Args:
        listens: the run of keyword spotting.
        looks: the run of visual wake words; its recipe's `gate` is the rule.

    Raises:
        TinymlError: the rule's word is none that the first model knows.
    """
    gate = looks.manifest().gate or Gate()
    words = listens.manifest().labels[_FIRST_WORD:]
    word = gate.when or words[0]
    if word not in words:
        raise TinymlError(
            f"The gate opens at `{word}`, which the first model does not know",
            str(looks.path),
            f"Its words: {', '.join(words)}. Train again with --set gate.when={words[0]}",
        )
    return {"GATE_LABEL": string_literal(word), "GATE_HOLD_MS": str(gate.hold_ms)}
