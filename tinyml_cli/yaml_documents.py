"""YAML of any origin: PyYAML's safe loader with bounds; see documents.py."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, ClassVar

import yaml

from tinyml_cli.documents import MAX_DEPTH, UnreadableError, check_text, integer, shown, text_of

MAX_BYTES = 256 << 10
MAX_VALUES = 20_000

_TAG = "tag:yaml.org,2002:"
_TIMESTAMP = _TAG + "timestamp"
# What JSON has too; dates, sets, pairs and bytes are in no document of ours.
_KINDS = ("null", "bool", "int", "float", "str", "seq", "map")


def load_yaml(path: Path) -> Any:
    """The document of a YAML file; dates stay text.

    Raises:
        UnreadableError: as load_json; and a value that contains itself, or aliases that stand for too many.
    """
    text = text_of(path, MAX_BYTES)
    if not text.strip():  # as a full disk leaves it; budgets of nothing would let everything pass
        raise UnreadableError("it is empty")
    return parse_yaml(text)


def parse_yaml(text: str) -> Any:
    """The document of a YAML text; raises as load_yaml."""
    try:
        return yaml.load(text, _BoundedLoader)
    except UnreadableError:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        raise UnreadableError(f"{line}{error.problem or error.context}") from error
    except (yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        # The constructors of tags (`!!int x`, `!!timestamp x`) raise whatever they trip over.
        reason = str(error).splitlines()[0] if isinstance(error, yaml.YAMLError) and str(error) else ""
        raise UnreadableError(reason or "a value does not match its tag") from error


class _BoundedLoader(yaml.SafeLoader):
    """Counts levels and values while the document is composed, so that nothing large is ever built."""

    yaml_constructors: ClassVar[dict[Any, Any]] = {
        tag: constructor
        for tag, constructor in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.removeprefix(_TAG) in _KINDS
    }
    yaml_implicit_resolvers = {  # noqa: RUF012  declared so by PyYAML
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._values = 0
        self._sizes: dict[int, int] = {}  # id of a composed node -> values it stands for

    def compose_node(self, parent: Any, index: Any) -> Any:
        """One node with all below it.

        Raises:
            UnreadableError: too deep, too many values, or an alias of a value that is still open.
        """
        is_alias = self.check_event(yaml.AliasEvent)
        before, self._depth = self._values, self._depth + 1
        if self._depth > MAX_DEPTH:
            raise UnreadableError(f"it is nested more than {MAX_DEPTH} levels deep")
        node = super().compose_node(parent, index)
        self._depth -= 1
        if isinstance(node, yaml.ScalarNode):
            check_text(node.value)
        if not is_alias:
            self._values += 1
            self._sizes[id(node)] = self._values - before
        elif id(node) in self._sizes:
            self._values += self._sizes[id(node)]
        else:
            raise UnreadableError("a value contains itself")
        if self._values > MAX_VALUES:
            raise UnreadableError(f"it expands to more than {MAX_VALUES:,} values")
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """A mapping.

        Raises:
            UnreadableError: a key is there twice.
        """
        seen = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key, yaml.ScalarNode):
                if (key.tag, key.value) in seen:
                    raise UnreadableError(f"the key `{shown(key.value)}` appears twice")
                seen.add((key.tag, key.value))
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: Any) -> int:
        """A whole number of at most 64 bits."""
        value: int = super().construct_yaml_int(node) if len(node.value) < 80 else 1 << 64
        return value if abs(value) < 1 << 64 else integer(node.value)

    def construct_yaml_float(self, node: Any) -> float:
        """A finite number."""
        value: float = super().construct_yaml_float(node)
        if not math.isfinite(value):
            raise UnreadableError(f"`{shown(node.value)}` is not a finite number")
        return value


_BoundedLoader.add_constructor(_TAG + "int", _BoundedLoader.construct_yaml_int)
_BoundedLoader.add_constructor(_TAG + "float", _BoundedLoader.construct_yaml_float)
