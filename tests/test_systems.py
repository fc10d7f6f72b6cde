"""Nothing is called that Linux, macOS or Windows lacks, unless a branch asks for the system."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

import tinyml_cli
from tests.firmware.native import REPOSITORY
from tests.typeshed import lacking

PACKAGE = Path(tinyml_cli.__file__).parent
# Run on every computer, though not all of them lie in the package.
SOURCES = [*sorted(PACKAGE.rglob("*.py")), *sorted((REPOSITORY / "firmware/platforms").rglob("*.py"))]


def asks(node: ast.AST) -> bool:
    """Whether an expression asks which system this is, or whether it has something."""
    for each in ast.walk(node):
        match each:
            case ast.Attribute(ast.Name("sys"), "platform") | ast.Attribute(ast.Name("os"), "name"):
                return True
            case ast.Call(ast.Name("hasattr")):
                return True
    return False


def decides(statement: ast.stmt) -> bool:
    """Whether what follows a statement is reached by some systems alone."""
    if isinstance(statement, ast.Assert):
        return asks(statement.test)
    if not isinstance(statement, ast.If) or not asks(statement.test):
        return False
    last = statement.body[-1]
    is_skip = isinstance(last, ast.Expr) and ast.unparse(last).startswith("pytest.skip(")
    return is_skip or isinstance(last, ast.Return | ast.Raise | ast.Continue | ast.Break)


def unguarded(node: ast.AST) -> Iterator[ast.AST]:
    """All that is reached on every system, as far as can be seen."""
    if isinstance(node, ast.If | ast.IfExp) and asks(node.test):
        return
    if isinstance(node, ast.BoolOp) and any(asks(each) for each in node.values[:-1]):
        return
    yield node
    for _, value in ast.iter_fields(node):
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, ast.AST):
                yield from unguarded(each)
            if isinstance(each, ast.stmt) and decides(each):
                break


def foreign(tree: ast.Module) -> list[str]:
    """What is called, or imported, that some system lacks."""
    found = []
    for node in unguarded(tree):
        match node:
            case ast.Import(names):
                wanted = [(alias.name, "") for alias in names]
            case ast.ImportFrom(module=str(module), names=names, level=0):
                wanted = [(module, alias.name) for alias in names]
            case ast.Attribute(ast.Name(module), name):
                wanted = [(module, name)]
            case _:
                continue
        for module, name in wanted:
            names_of = lacking(module)
            lacks = names_of.get(name, frozenset()) if name else frozenset()
            if not name and names_of:  # nothing of it is there
                lacks = frozenset.intersection(*names_of.values())
            if lacks:
                found.append(
                    f"line {node.lineno}: {module}.{name or '*'} (not on {', '.join(sorted(lacks))})"
                )
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import os\nos.killpg(1, 9)", 1),
        ("import fcntl", 1),
        ("import signal\nsignal.SIGKILL", 1),
        ("from os import fork", 1),
        ("import os, sys\nif sys.platform != 'win32':\n    os.killpg(1, 9)", 0),
        ("import os, sys\ndef f():\n    if sys.platform == 'win32':\n        return\n    os.geteuid()", 0),
        ("import os, sys\nassert sys.platform != 'win32'\nos.geteuid()", 0),
        ("import os, sys\ndef f():\n    assert sys.platform != 'win32'\ndef g():\n    os.geteuid()", 1),
        ("import os, sys\nx = sys.platform != 'win32' and os.geteuid() == 0", 0),
        ("import os\nx = hasattr(os, 'getuid') and os.getuid()", 0),
        ("import os\nos.replace('a', 'b')", 0),
        ("import msvcrt", 1),
        ("import os\nos.sched_getaffinity(0)", 1),
    ],
)
def test_the_rule_tells_what_some_system_lacks(text: str, found: int) -> None:
    assert len(foreign(ast.parse(text))) == found


def foreign_in(paths: Iterable[Path], parse: Callable[[str], ast.Module] = ast.parse) -> dict[str, list[str]]:
    """`foreign` of many files, without parsing those that cannot have any."""
    texts = {path: path.read_text(encoding="utf-8") for path in paths}
    imported = {name for text in texts.values() for name in re.findall(r"(?:import|from) ([a-z]\w*)", text)}
    rare = {module: [name for name, lacks in lacking(module).items() if lacks] for module in imported}
    written = {f"{module}.{name}" for module, names in rare.items() for name in names}
    passed_on = {f"from {module} import" for module, names in rare.items() if names}
    passed_on |= {
        f"import {module}" for module, names in rare.items() if names and len(names) == len(lacking(module))
    }
    found = {}
    for path, text in texts.items():
        calls = written & set(re.findall(r"\b\w+\.\w+", text))
        if calls or passed_on & set(re.findall(r"\bfrom \w+ import|\bimport \w+", text)):
            found[path.name] = foreign(parse(text))
    return {name: lines for name, lines in found.items() if lines}


def test_every_call_is_one_that_all_systems_have() -> None:
    assert foreign_in(SOURCES) == {}


def imported_only(text: str) -> ast.Module:
    """A module without the bodies of its functions: what its import runs."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [ast.Pass()]
    return tree


def imports(tree: ast.AST, names: frozenset[str]) -> bool:
    """Whether one of these doubles is imported on every system."""
    return any(
        isinstance(node, ast.ImportFrom) and str(node.module).removeprefix("tests.doubles.") in names
        for node in unguarded(tree)
    )


def doubles_of_posix() -> frozenset[str]:
    """The doubles that cannot be imported everywhere, since they import what some system lacks."""
    trees = {
        path.stem: imported_only(path.read_text(encoding="utf-8"))
        for path in (REPOSITORY / "tests/doubles").glob("*.py")
    }
    found = frozenset(name for name, tree in trees.items() if foreign(tree))
    while more := {name for name, tree in trees.items() if imports(tree, found)} - found:
        found |= more
    return found


def test_every_test_can_be_collected_on_every_system() -> None:
    # Doubles of boards are programs; tests that import those must be skipped elsewhere before they do.
    tests = [path for path in (REPOSITORY / "tests").rglob("*.py") if path.parent.name != "doubles"]
    assert foreign_in(tests, imported_only) == {}
    doubles = doubles_of_posix()
    assert "desk" in doubles
    for path in tests:
        text = path.read_text(encoding="utf-8")
        if "tests.doubles." in text:
            assert not imports(imported_only(text), doubles), path


def unstated(tree: ast.Module) -> list[str]:
    """Text files whose code page, or whose line ends where they are written, are left to the system."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        given = {keyword.arg for keyword in node.keywords}
        of = getattr(getattr(node.func, "value", None), "id", "")
        if None in given or of in ("tarfile", "wave"):  # **options; no text
            continue
        modes = [each.value for each in node.args if isinstance(each, ast.Constant)]
        mode = next((str(each) for each in modes if re.fullmatch(r"[rwaxt+]+b?[+]?", str(each))), "")
        if name == "read_text" or (name == "open" and mode and set(mode) <= set("rt")):
            missing = {"encoding"} - given
        elif name == "write_text" or (name == "open" and mode and "b" not in mode):
            missing = {"encoding", "newline"} - given
        else:
            continue
        if missing and not (name == "read_text" and len(node.args) > 0):
            found.append(f"line {node.lineno}: {name} without {', '.join(sorted(missing))}")
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("path.read_text()", 1),
        ("path.read_text(encoding='utf-8')", 0),
        ("path.write_text(t, encoding='utf-8')", 1),
        ("path.write_text(t, encoding='utf-8', newline='\\n')", 0),
        ("path.open('a', encoding='utf-8')", 1),
        ("open(path, 'w')", 1),
        ("path.open('rb')", 0),
        ("path.open('wb')", 0),
        ("Run.open(path)", 0),
        ("tarfile.open(path, 'w')", 0),
    ],
)
def test_the_rule_tells_what_is_left_to_the_system(text: str, found: int) -> None:
    assert len(unstated(ast.parse(text))) == found


def test_every_text_file_has_the_same_bytes_on_every_system() -> None:
    found = {}
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        if re.search(r"_text\(|open\(", text):
            found[path.relative_to(PACKAGE.parent).as_posix()] = unstated(ast.parse(text))
    assert {name: lines for name, lines in found.items() if lines} == {}
