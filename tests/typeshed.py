"""What each system's Python has, by typeshed, whose stubs ask for `sys.platform`; mypy brings it along."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SYSTEMS = ("linux", "darwin", "win32")


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
