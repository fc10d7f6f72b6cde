"""PyYAML's safe loader with bounds; see documents.py."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import yaml

from tinyml_cli.documents import MAX_DEPTH, MAX_YAML_VALUES, UnreadableError, check_text, integer, shown

_TAG = "tag:yaml.org,2002:"
_TIMESTAMP = _TAG + "timestamp"
# What JSON has too; dates, sets, pairs and bytes are in no document of ours.
_KINDS = ("null", "bool", "int", "float", "str", "seq", "map")


class BoundedLoader(yaml.SafeLoader):
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
        if self._values > MAX_YAML_VALUES:
            raise UnreadableError(f"it expands to more than {MAX_YAML_VALUES:,} values")
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


BoundedLoader.add_constructor(_TAG + "int", BoundedLoader.construct_yaml_int)
BoundedLoader.add_constructor(_TAG + "float", BoundedLoader.construct_yaml_float)
