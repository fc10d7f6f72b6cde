"""tinyml course"""

from __future__ import annotations

from typing import Annotated

import typer

from tinyml_cli.commands import options
from tinyml_cli.console import console


def command(
    chapter: Annotated[
        str | None, typer.Argument(metavar="[CHAPTER]", help="Such as 3, 3.5 or 3.5.13; all by default.")
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Show the labs of the HarvardX TinyML course and the command for each; of one chapter, its whole page.

    \b
    Examples:
      tinyml course
      tinyml course 3.5
      tinyml course --json
    """
    from tinyml_cli.learn import course
    from tinyml_cli.outcomes.lessons import CourseMap

    found = course.chosen(chapter)
    if len(found) == 1:
        text = course.page_text(found[0], console.width)
    else:
        for each in found:
            console.table(
                f"{each.number} {each.title}", course.COLUMNS, [course.row(lab) for lab in each.labs]
            )
        text = "A chapter with its questions and answers: tinyml course 3.5"
    console.result(CourseMap(labs=[lab for each in found for lab in each.labs]), text)
