"""A model card as Markdown.

The sections follow M. Mitchell et al., "Model Cards for Model Reporting", FAT* 2019.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyml_cli.card.answers import QUESTIONS, block
from tinyml_cli.outcomes.cards import CardFacts
from tinyml_cli.pages.templates import code, markdown

if TYPE_CHECKING:
    from markupsafe import Markup


def render(facts: CardFacts, answers: dict[str, str]) -> str:
    """The whole card; `answers` are people's answers, by the names of QUESTIONS."""
    from markupsafe import Markup

    data = facts.data
    counted = {label for counts in data.counts.values() for label in counts} if data else set()
    return markdown(
        "card.md",
        **dict(facts),
        # People write Markdown between the marks: it is not escaped.
        block=lambda name: Markup(block(name, answers)),
        others=[name for name in answers if name not in QUESTIONS],
        made_from=_made_from(facts),
        data_labels=facts.labels or sorted(counted),
        recall_columns=[f"recall of {label}" for label in facts.labels],
    )


def _made_from(facts: CardFacts) -> str | Markup:
    from markupsafe import Markup

    data, items = facts.data, facts.items
    if data is None or data.source in ("synthetic", "procedural"):
        return items["made_up"].capitalize()
    return Markup("{} (folder {})").format(items["collected"].capitalize(), code(str(data.path)))
