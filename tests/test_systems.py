"""Nothing is called on Linux, macOS and Windows that some of them lack, unless a branch asks for the system.

What each system has is taken from typeshed, whose stubs ask for `sys.platform`; mypy brings it along.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import tinyml_cli
from tests.firmware.native import REPOSITORY

SYSTEMS = ("linux", "darwin", "win32")
PACKAGE = Path(tinyml_cli.__file__).parent
# Run on every computer, though not all of them lie in the package.
SOURCES = [*sorted(PACKAGE.rglob("*.py")), *sorted((REPOSITORY / "firmware/platforms").rglob("*.py"))]


def holds(test: ast.expr, system: str) -> bool | None:
    """Whether a condition of a stub holds on a system; None where it is about something else."""
    match test:
        case ast.Compare(ast.Attribute(ast.Name("sys"), "platform"), [operator], [ast.Constant(value)]):
            return (system == value) == isinstance(operator, ast.Eq)
        case ast.BoolOp(operator, values):
            answers = [answer for each in values if (answer := holds(each, system)) is not None]
            return (all(answers) if isinstance(operator, ast.And) else any(answers)) if answers else None
        case ast.UnaryOp(ast.Not(), inner):
            answer = holds(inner, system)
            return None if answer is None else not answer
    return None


def defined(statements: list[ast.stmt], system: str) -> Iterator[str]:
    """The names that a stub gives a system."""
    for each in statements:
        match each:
            case ast.If(test, body, orelse):
                answer = holds(test, system)
                yield from defined(body, system) if answer is not False else ()
                yield from defined(orelse, system) if answer is not True else ()
            case ast.FunctionDef(name) | ast.ClassDef(name) | ast.AnnAssign(ast.Name(name)):
                yield name
            case ast.Assign([ast.Name(name)]):
                yield name
            case ast.ImportFrom(names=names):  # what a stub passes on it names twice
                yield from (alias.name for alias in names if alias.asname == alias.name or alias.name == "*")


@cache
def lacking(module: str) -> dict[str, frozenset[str]]:
    """Names of a module of the standard library, and the systems that lack each."""
    mypy = pytest.importorskip("mypy", reason="brings typeshed")
    stubs = Path(mypy.__file__).parent / "typeshed" / "stdlib" / module.replace(".", "/")
    path = stubs / "__init__.pyi" if stubs.is_dir() else stubs.with_suffix(".pyi")
    if not path.is_file():
        return {}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {system: set(defined(tree.body, system)) for system in SYSTEMS}
    if "*" in names["linux"]:  # signal, socket: constants of a private module
        for each in tree.body:
            if isinstance(each, ast.ImportFrom) and each.module:
                names = {system: names[system] | set(lacking(each.module)) for system in SYSTEMS}
    known = set().union(*names.values())
    return {name: frozenset(system for system in SYSTEMS if name not in names[system]) for name in known}


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
    leaves = (ast.Return, ast.Raise, ast.Continue, ast.Break)
    return isinstance(statement, ast.If) and asks(statement.test) and isinstance(statement.body[-1], leaves)


def unguarded(node: ast.AST) -> Iterator[ast.AST]:
    """All that is reached on every system, as far as can be seen."""
    if isinstance(node, ast.If | ast.IfExp) and asks(node.test):
        return
    if isinstance(node, ast.BoolOp) and asks(node.values[0]):
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


def test_every_call_is_one_that_all_systems_have() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in SOURCES}
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
            found[path.name] = foreign(ast.parse(text))
    assert {name: lines for name, lines in found.items() if lines} == {}


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
