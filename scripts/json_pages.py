"""Writes the tables of docs/json.md from the models of the commands' outcomes; --check only compares."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tinyml_cli import outcomes
from tinyml_cli.outcomes.base import Outcome

PAGE = Path(__file__).resolve().parent.parent / "docs" / "json.md"
_WRITTEN = re.compile(r"(?<=<!-- written by scripts/json_pages.py -->\n).*?(?=<!-- end -->)", re.DOTALL)
_OWN: dict[str, str] = {}
for _command in outcomes.commands():
    for _model in outcomes.models(_command):
        _OWN.setdefault(_model.__name__, _command)
_NAMES = {"string": "text", "boolean": "true or false", "null": "null", "None": "value"}

Schema = dict[str, Any]


def tables() -> str:
    """A section per command, with a table per model."""
    parts = []
    for command in outcomes.commands():
        if command == outcomes.ERROR or command in (
            "recipes list",
            "runs list",
            "registry list",
            "fleet list",
        ):
            continue
        parts.append(f"### `{command}`")
        # What a board says is described in docs/protocol.md.
        printed = [model for model in outcomes.models(command) if issubclass(model, Outcome)]
        first = _OWN[printed[0].__name__]
        parts += (
            [_table(model.model_json_schema()) for model in printed]
            if first == command
            else [f"As `{first}`."]
        )
    return "\n" + "\n\n".join(parts) + "\n\n"


def _table(schema: Schema) -> str:
    rows = "\n".join(f"| `{key}` | {kind} | {meaning} |" for key, kind, meaning in _rows(schema, schema, ""))
    return f"{schema['description']}\n\n| key | value | meaning |\n|---|---|---|\n{rows}"


def _rows(whole: Schema, schema: Schema, before: str) -> Iterator[tuple[str, str, str]]:
    """Dotted key, kind of value and meaning of each property, those of inner objects after them."""
    required = schema.get("required", [])
    for name, found in schema.get("properties", {}).items():
        kind, inner, suffix = _kind(whole, found)
        meaning = found.get("description") or (inner or {}).get("description", "").rstrip(".")
        if name not in required:
            kind = kind.replace(" or null", "") + ", or missing"
        yield before + name, kind, _cell(meaning)
        # Models that have a table of their own are not repeated in that of the pipeline.
        if inner is not None and not _has_own_table(inner):
            yield from _rows(whole, inner, f"{before}{name}{suffix}.")


def _kind(whole: Schema, found: Schema) -> tuple[str, Schema | None, str]:
    """How the value is called, the schema of objects in it, and what leads from the key to them."""
    if "$ref" in found:
        inner = whole["$defs"][found["$ref"].rpartition("/")[2]]
        return (f"as `{_has_own_table(inner)}`" if _has_own_table(inner) else "object"), inner, ""
    if "anyOf" in found:
        kinds = [_kind(whole, each) for each in found["anyOf"]]
        names = list(dict.fromkeys(name for name, _, _ in kinds))
        inners = [(inner, suffix) for _, inner, suffix in kinds if inner is not None]
        inner, suffix = inners[0] if inners else (None, "")
        if len(inners) > 1:
            merged: Schema = {}
            for each, _ in inners:
                merged |= each.get("properties", {})
            inner = {**inners[0][0], "properties": merged}
        return " or ".join(names), inner, suffix
    if "const" in found or "enum" in found:
        return " or ".join(f"`{value}`" for value in found.get("enum", [found.get("const")])), None, ""
    if found.get("type") == "array":
        if "prefixItems" in found:
            name, _, _ = _kind(whole, found["prefixItems"][0])
            return f"list of 2 {_plural(name)}", None, ""
        name, inner, suffix = _kind(whole, found["items"])
        return f"list of {_plural(name)}", inner, f"[]{suffix}"
    if found.get("type") == "object":
        values = found.get("additionalProperties")
        if not isinstance(values, dict):
            return "object", None, ""
        name, inner, suffix = _kind(whole, values)
        return f"object of {_plural(name)}", inner, f".*{suffix}"
    if found.get("minimum") == 0 and found.get("maximum") == 1:
        return "share", None, ""
    return _NAMES.get(str(found.get("type")), str(found.get("type"))), None, ""


def _plural(kind: str) -> str:
    if kind.startswith(("list of", "object of")):
        return re.sub("^(list|object)", r"\1s", kind)
    return {"text": "texts", "true or false": "booleans"}.get(kind) or re.sub(r"^(\w+)", r"\1s", kind)


def _has_own_table(schema: Schema) -> str:
    """The command whose outcome the model is, "" if none."""
    return _OWN.get(str(schema.get("title")), "")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    page = PAGE.read_text(encoding="utf-8")
    wanted = _WRITTEN.sub(lambda _: tables(), page)
    if "--check" not in sys.argv:
        PAGE.write_text(wanted, encoding="utf-8")
    elif page != wanted:
        print("stale: docs/json.md; run: python scripts/json_pages.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
