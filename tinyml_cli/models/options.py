"""Names and options of the architectures, checked without importing TensorFlow."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from tinyml_cli import checks
from tinyml_cli.documents import shown
from tinyml_cli.errors import TinymlError
from tinyml_cli.models.architectures import ARCHITECTURES
from tinyml_cli.validation import option_problem

# What an annotation of an option may name.
_KINDS = {"int": int, "float": float, "bool": bool, "str": str, "Sequence": Sequence, "None": None}
# Filters, kernels and factors are positive, and at most this.
_LARGEST = 65_536


def check(name: str, options: Mapping[str, Any], where: str = "--model") -> None:
    """Whether there is such an architecture, and whether it takes these options.

    Raises:
        TinymlError: which name, option or value it is not.
    """
    checks.choice(name, ARCHITECTURES, where, "model")
    known = signature(name)
    for option, value in options.items():
        key = f"model.options.{option}"
        checks.choice(option, known, f"the recipe's model.options of {name}", "option")
        try:
            TypeAdapter(known[option], config=ConfigDict(allow_inf_nan=False, strict=True)).validate_python(
                value
            )
        except ValidationError as error:
            raise TinymlError(option_problem(error, f"`{key}`", None, None), key, _defaults(name)) from error
        largest = 0.99 if option == "dropout" else _LARGEST
        smallest = 0 if option == "dropout" else 0.001
        fits = all(smallest <= number <= largest for number in _numbers(value))
        if not fits or not _is_alike(value, _default_of(name, option)):
            raise TinymlError(f"`{key}` cannot be {shown(value)}", key, _defaults(name))


def signature(name: str) -> dict[str, Any]:
    """Option -> its type, from the source of the architecture's `build`."""
    return {
        argument.arg: eval(ast.unparse(argument.annotation), {"__builtins__": {}}, dict(_KINDS))
        for argument in _arguments(name)
        if argument.annotation is not None
    }


def _is_alike(value: Any, default: Any) -> bool:
    """Whether a list is not empty, and its rows are as long as those of the default."""
    if not isinstance(value, list | tuple):
        return True
    rows = [len(row) for row in value if isinstance(row, list | tuple)]
    return bool(value) and all(length == len(default[0]) for length in rows)


def _default_of(name: str, option: str) -> Any:
    names = [argument.arg for argument in _arguments(name)]
    return ast.literal_eval(_build(name).args.defaults[names.index(option)])


def _defaults(name: str) -> str:
    build = _build(name)
    pairs = zip(_arguments(name), build.args.defaults, strict=True)
    return "Defaults: " + ", ".join(f"{arg.arg}={ast.unparse(value)}" for arg, value in pairs) + "."


def _arguments(name: str) -> list[ast.arg]:
    """The options: those arguments that have a default."""
    arguments = _build(name).args
    return arguments.args[len(arguments.args) - len(arguments.defaults) :]


def _build(name: str) -> ast.FunctionDef:
    spec = importlib.util.find_spec(ARCHITECTURES[name])
    assert spec is not None and spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    return next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "build")


def _numbers(value: Any) -> list[float]:
    if isinstance(value, list | tuple):
        return [number for inner in value for number in _numbers(inner)]
    return [value] if isinstance(value, int | float) and not isinstance(value, bool) else []
