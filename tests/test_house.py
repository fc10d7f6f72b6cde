"""Rules of the package's own source that no linter knows."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator

from tests.conftest import REPOSITORY
from tinyml_cli import registry

PACKAGE = REPOSITORY / "tinyml_cli"
_LONGEST_COMMAND = 120  # lines: options and help, no logic

# Where names that are also those of tasks mean something else, or belong.
_OTHER_NAMES = {
    "registry.py",
    "build/project.py",  # firmware applications
    "commands/bench.py",  # MLPerf Tiny's benchmarks
    "completion.py",  # the same, and data sets
}


def _sources() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def test_a_class_name_means_one_thing() -> None:
    """Private names count too: whoever reads `_Row` has another module's `Row` in mind."""
    places = defaultdict(list)
    for path, tree in _sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name.lstrip("_")].append(path)
    assert len(places) > 300
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}


def test_tasks_are_listed_in_the_registry_alone() -> None:
    names = set(registry.built_in())
    found = {}
    for path, tree in _sources():
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
        path: len((PACKAGE / path).read_text(encoding="utf-8").splitlines())
        for path, _ in _sources()
        if path.startswith("commands/")
    }
    assert {path: length for path, length in lengths.items() if length > _LONGEST_COMMAND} == {}
