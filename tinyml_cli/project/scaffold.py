"""`tinyml init`: a project's folder, from templates."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tinyml_cli import __version__, checks, recipes, registry, temporary, undo
from tinyml_cli.boards.boards import load_board
from tinyml_cli.card import answers
from tinyml_cli.errors import TinymlError
from tinyml_cli.files import disk_error, make_folder, remove_empty, write_atomic
from tinyml_cli.outcomes.projects import ProjectMade
from tinyml_cli.project.budgets import BUDGETS, Budgets
from tinyml_cli.project.gates import BUDGET_KINDS
from tinyml_cli.project.rules import RULES, RetrainRules
from tinyml_cli.recipes import catalogue
from tinyml_cli.run import RECIPE

if TYPE_CHECKING:
    from jinja2 import Environment

CI_FILES = {"github": ".github/workflows/model.yml", "gitlab": ".gitlab-ci.yml"}
"""CI system -> its file, and by the file's last part its template."""

CARD = "card.md"
BOARD = "sim"

_FILES = {
    "README.md": "README.md",
    "Makefile": "Makefile",
    "dvc.yaml": "dvc.yaml",
    ".gitignore": "gitignore",
    ".pre-commit-config.yaml": "pre-commit-config.yaml",
    BUDGETS: "budgets.yaml",
    RULES: "retrain.yaml",
    "data/README.md": "data-README.md",
    "data/.gitignore": "data-gitignore",
}
# Make splits words at blanks and gives `$`, `#`, `%` and `:` meanings of their own.
_NAME = re.compile(r"\w[\w.-]{0,60}")


def make_project(path: Path, task: str, ci: str | None) -> ProjectMade:
    """Writes a new project, whole or not at all.

    Args:
        path: of its folder, which is not there yet or is empty; its name is the project's.
        task: what its model does.
        ci: "github", "gitlab" or None.

    Raises:
        TinymlError: a name that Make cannot take, an unknown task, a folder that holds something, or one
            that cannot be written.
    """
    spec = registry.trained_task(task)
    name = path.absolute().name
    if not _NAME.fullmatch(name):
        raise TinymlError(
            f"`{name}` is not a valid project name",
            "NAME",
            "Use letters, digits, dots, hyphens and underscores; the files are for Make, which splits names "
            "at spaces.",
        )
    checks.file_name(name, "NAME", "project name")
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        what = "The folder is not empty" if path.is_dir() else "There is a file of that name"
        raise TinymlError(f"{what}; nothing was written", str(path), "Choose another name.")
    checks.output_folder(path, "NAME")
    texts = _texts(name, spec, ci)
    place = path.absolute()
    missing = make_folder(place.parent)
    with (
        undo.if_it_fails(functools.partial(remove_empty, missing)),
        temporary.folder("init", beside=place) as folder,
    ):
        for file, text in texts.items():
            write_atomic(Path(folder, file), text)
        _put(Path(folder), place)
    return ProjectMade(project=str(path), task=task, files=sorted(texts))


def _put(made: Path, place: Path) -> None:
    """Moves what was made to its place; an empty folder there stays, since a shell may be in it."""
    try:
        place.mkdir(exist_ok=True)
        for entry in sorted(made.iterdir()):
            entry.rename(place / entry.name)
    except OSError as error:
        raise disk_error(error, place) from error


def _texts(name: str, spec: Any, ci: str | None) -> dict[str, str]:
    """File -> its text."""
    templates = _environment()
    values = {
        "name": name,
        "task": spec.name,
        "kind": spec.data_kind,
        "takes_data": recipes.schema_of(spec.name).takes_data,
        "run": f"runs/{name}",
        "board": BOARD,
        "version": __version__,
        "budgets": _budget_lines(spec.budgets),
        "rules": _rule_lines(),
    }
    chosen = _FILES | ({CI_FILES[ci]: Path(CI_FILES[ci]).name.lstrip(".")} if ci else {})
    texts = {file: templates.get_template(template).render(**values) for file, template in chosen.items()}
    texts[RECIPE] = _recipe(spec)
    texts[CARD] = _card(name)
    return texts


def _recipe(spec: Any) -> str:
    """The recipe that the task begins with, comments included, and what it needs before there are data."""
    name = spec.first_recipe(has_data=False) or spec.name
    text, more = catalogue.show(name).text.rstrip("\n"), spec.starter_recipe
    has_it = re.search(rf"^{re.escape(more.partition(':')[0])}:", text, re.MULTILINE)
    return f"{text}\n" if has_it or not more else f"{text}\n\n{more}\n"


def _card(name: str) -> str:
    """The card's questions, which `tinyml card` keeps the answers of when it adds the figures."""
    blocks = "\n\n".join(answers.block(question, {}) for question in answers.QUESTIONS)
    return answers.stamped(
        f"# Model card: {name}\n\nAnswer what only people can know, between the marks; `make card` adds the "
        f"figures and keeps the answers.\n\n{blocks}\n"
    )


def _budget_lines(wanted: dict[str, float]) -> str:
    """Every budget with its direction; those that the task does not set are comments."""
    board = load_board(BOARD)
    limits = {"flash_bytes": board.flash_bytes, "ram_bytes": board.ram_bytes, **wanted}
    lines = []
    for name, kind in BUDGET_KINDS.items():
        limit = limits.get(name)
        text = f"{name}: {'…' if limit is None else yaml.safe_dump(limit).splitlines()[0]}"
        side = "at most" if kind.at_most else "at least"
        what = Budgets.model_fields[name].description
        lines.append(f"{'' if limit is not None else '# '}{text:<24} # {side}; {what}")
    return "\n".join(lines)


def _rule_lines() -> str:
    """Every rule with its default."""
    fields = RetrainRules.model_fields.items()
    lines = [(f"{name}: {field.default:g}", field.description) for name, field in fields if name != "version"]
    return "\n".join(f"{line:<24} # {what}" for line, what in lines)


def _environment() -> Environment:
    """Templates in which `{{ }}` and `${{ }}` belong to the files that are written."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("tinyml_cli.project"),
        undefined=StrictUndefined,
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # no page: Make, YAML and Markdown of values that were checked
    )
