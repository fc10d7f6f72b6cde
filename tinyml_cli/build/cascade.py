"""An image model that runs only after another model has detected a word: the gate rule, for the firmware."""

from __future__ import annotations

from tinyml_cli.c_text import string_literal
from tinyml_cli.errors import TinymlError
from tinyml_cli.features.image_settings import GateRule
from tinyml_cli.run import Run

APP = "cascade"
_FIRST_WORD = 2  # labels start with silence, unknown


def check_gate(listens: Run, looks: Run) -> GateRule:
    """The rule of the run that looks, its word filled in.

    Args:
        listens: the run of keyword spotting.
        looks: the run of visual wake words; its recipe's `gate` is the rule.

    Raises:
        TinymlError: the first does not listen, the second does not look, or the rule's word is none that the
            first model knows.
    """
    first, second = listens.manifest(), looks.manifest()
    for run, fits, does, how in (
        (listens, first.features is not None, "listen", "train kws"),
        (looks, second.image is not None, "look", "train vww"),
    ):
        if not fits:
            raise TinymlError(f"The run does not {does}", str(run.path), f"Create one: tinyml {how}")
    gate = second.gate or GateRule()
    words = first.labels[_FIRST_WORD:]
    word = gate.when or words[0]
    if word not in words:
        raise TinymlError(
            f"The gate word is `{word}`, which the first model does not know",
            str(looks.path),
            f"Its words: {', '.join(words)}. Run the training command again with --resume --set "
            f"'gate.when=\"{words[0]}\"'; "
            "nothing is retrained.",
        )
    return gate.model_copy(update={"when": word})


def gate_defines(listens: Run, looks: Run) -> dict[str, str]:
    """Macros of tinyml_build.h: the word that opens the camera, and for how long.

    Raises:
        TinymlError: as of `check_gate`.
    """
    gate = check_gate(listens, looks)
    assert gate.when is not None
    return {"GATE_LABEL": string_literal(gate.when), "GATE_HOLD_MS": str(gate.hold_ms)}
