"""Rules of the package's own source that no linter knows."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

from tests.conftest import REPOSITORY
from tests.sources import PACKAGE, sources, trees
from tinyml_cli import registry

_LONGEST_COMMAND = 120  # lines: options and help, no logic

# Where names that are also those of tasks mean something else, or belong.
_OTHER_NAMES = {
    "registry.py",
    "build/project.py",  # firmware applications
    "commands/bench.py",  # MLPerf Tiny's benchmarks
    "completion.py",  # the same, and data sets
}


def test_a_class_name_means_one_thing() -> None:
    """Private names count too: whoever reads `_Row` has another module's `Row` in mind."""
    places = defaultdict(list)
    for path, text in sources("class "):
        for name in re.findall(r"^ *class _*(\w+)", text, re.MULTILINE):
            places[name].append(path)
    assert len(places) > 300
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}


def test_tasks_are_listed_in_the_registry_alone() -> None:
    names = set(registry.built_in())
    found = {}
    for place, tree in trees("|".join(f'"{name}"' for name in names)):
        path = place.relative_to(PACKAGE).as_posix()
        if path in _OTHER_NAMES or path.startswith("tasks/"):
            continue
        for node in ast.walk(tree):
            values = node.keys if isinstance(node, ast.Dict) else getattr(node, "elts", None)
            values = node.args if isinstance(node, ast.Call) else values
            listed = {each.value for each in values or () if isinstance(each, ast.Constant)} & names
            if len(listed) > 1:
                found[f"{path}:{node.lineno}"] = listed
    assert found == {}


def test_commands_are_short() -> None:
    lengths = {
        path.name: len(path.read_text(encoding="utf-8").splitlines())
        for path in PACKAGE.glob("commands/**/*.py")
    }
    assert len(lengths) > 30
    assert {path: length for path, length in lengths.items() if length > _LONGEST_COMMAND} == {}


def test_benchmarks_and_scripts_import_what_is_there() -> None:
    """Nothing else runs them, so a name that has moved would be found by the next person who measures."""
    missing = []
    for path in sorted(
        each for folder in ("benchmarks", "scripts") for each in (REPOSITORY / folder).glob("*.py")
    ):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "tinyml_cli":
                place = REPOSITORY.joinpath(*str(node.module).split("."))
                missing += [
                    f"{path.name}: {node.module}.{each.name}"
                    for each in node.names
                    if each.name not in _names_in(place)
                ]
    assert missing == []


def _names_in(place: Path) -> set[str]:
    """What can be imported from a module or package."""
    source = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    inside = {each.stem for each in place.iterdir()} if place.is_dir() else set()
    if not source.is_file():
        return inside
    tree = ast.parse(source.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            inside.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            inside.add(node.id)
        elif isinstance(node, ast.alias):
            inside.add(node.asname or node.name)
    return inside
