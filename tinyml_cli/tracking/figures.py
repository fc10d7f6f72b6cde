"""Outcomes and recipes as MLflow keeps them: flat names, numbers and short texts."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

_MAX_NAME, _MAX_VALUE = 250, 6000  # MLflow's own limits
_NOT_IN_NAMES = re.compile(r"[^\w.\- :/]", re.ASCII)
# What MLflow would take for a path that leads out, or through nothing.
_NO_PATH = re.compile(r"(?<![^/])\.{0,2}(?=/|\Z)")


def name_of(text: str) -> str:
    """A name that MLflow takes; different texts have different names, up to its limit of 250 characters."""
    plain = _NOT_IN_NAMES.sub(lambda match: f"_u{ord(match[0]):04x}_", text)
    plain = _NO_PATH.sub(lambda match: match[0].replace(".", "_u002e_") or "_", plain)
    if len(plain) <= _MAX_NAME:
        return plain
    import hashlib

    return f"{plain[: _MAX_NAME - 9]}_{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def params_of(document: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Dotted name -> value as text, of all leaves that have a value; a list is one leaf."""
    found: dict[str, str] = {}
    for key, value in document.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found |= params_of(value, f"{name}.")
        elif value is not None:
            text = value if isinstance(value, str) else _as_text(value)
            found[name_of(name)] = text if len(text) <= _MAX_VALUE else text[: _MAX_VALUE - 1] + "…"
    return found


def metrics_of(document: Mapping[str, Any]) -> dict[str, float]:
    """Dotted name -> number, of all leaves that are numbers; an interval's ends are `.low` and `.high`.

    Longer lists stay in the reports, which are artifacts.
    """
    return dict(_numbers(document, ""))


def _numbers(document: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, float]]:
    for key, value in document.items():
        # `metrics` says nothing among metrics.
        name = prefix if key == "metrics" else f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, Mapping):
            yield from _numbers(value, name)
        elif isinstance(value, list | tuple):
            if len(value) == 2 and all(_is_number(each) for each in value):
                yield from zip((f"{name}.low", f"{name}.high"), map(float, value), strict=True)
        elif _is_number(value):
            yield name, float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, bool | int | float) and math.isfinite(value)


def _as_text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
