"""A second compiled model in one program with the first: the same sources under other names."""

from __future__ import annotations

import re
from collections.abc import Mapping

PREFIX = "second"

_FILES = {
    "aot": ("network.h", "network.c", "model_settings.h"),
    "tflm": ("model_data.h", "model_data.cc", "op_resolver.h", "model_settings.h"),
}
# What these files define for others: macros, tables, constants, types, and functions that are not static.
_DEFINED = re.compile(
    r"^#define (?P<macro>\w+)|^static const [^=\n]*?\b(?P<table>\w+)\[|^[\w* ]+\b(?P<function>network_\w+)\("
    r"|^constexpr [\w ]+\b(?P<constant>k\w+) =|^extern const [\w ]+\b(?P<array>k\w+)\["
    r"|^using (?P<type>\w+) =|^inline bool (?P<inline>\w+)\(",
    re.MULTILINE,
)
_WORD_OR_STRING = re.compile(r'"(?:\\.|[^"\\\n])*"|\w+')


def renamed(files: Mapping[str, str], engine: str = "aot") -> dict[str, str]:
    """What one model was exported to, as `second_NAME`, so that another one's export fits beside it.

    Every name that another source could see gets the prefix `second_`, in the case of the name; text in
    quotes stays, except for the names of these files.

    Args:
        files: their texts by name, as `export` writes them for the engine.
        engine: "aot" or "tflm".
    """
    wanted = _FILES[engine]
    headers = [name for name in wanted if name.endswith(".h")]
    names = {match[match.lastgroup or 0] for name in headers for match in _DEFINED.finditer(files[name])}

    def rename(match: re.Match[str]) -> str:
        word = match[0]
        if word.startswith('"'):
            return f'"{PREFIX}_{word[1:]}' if word[1:-1] in wanted else word
        if word not in names:
            return word
        return f"{PREFIX.upper() if word.isupper() else PREFIX}_{word}"

    return {f"{PREFIX}_{name}": _WORD_OR_STRING.sub(rename, files[name]) for name in wanted}
