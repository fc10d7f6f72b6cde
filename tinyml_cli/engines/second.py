"""A second compiled model beside the first in one program: the same sources under other names."""

from __future__ import annotations

import re
from collections.abc import Mapping

PREFIX = "second"

_FILES = ("network.h", "network.c", "model_settings.h")
# What these files define for others: macros, tables, and functions that are not static.
_DEFINED = re.compile(
    r"^#define (?P<macro>\w+)|^static const [^=\n]*?\b(?P<table>\w+)\[|^[\w* ]+\b(?P<function>network_\w+)\(",
    re.MULTILINE,
)
_WORD_OR_STRING = re.compile(r'"(?:\\.|[^"\\\n])*"|\w+')


def renamed(files: Mapping[str, str]) -> dict[str, str]:
    """network.{h,c} and model_settings.h of one model as second_network.{h,c} and second_model_settings.h.

    Every name that another source could see gets the prefix `second_`, in the case of the name; text in
    quotes stays, but for the names of these files.

    Args:
        files: their texts by name, as `export` writes them for the engine aot.
    """
    names = {
        match[match.lastgroup or 0]
        for name in ("network.h", "model_settings.h")
        for match in _DEFINED.finditer(files[name])
    }

    def rename(match: re.Match[str]) -> str:
        word = match[0]
        if word.startswith('"'):
            return f'"{PREFIX}_{word[1:]}' if word[1:-1] in _FILES else word
        if word not in names:
            return word
        return f"{PREFIX.upper() if word.isupper() else PREFIX}_{word}"

    return {f"{PREFIX}_{name}": _WORD_OR_STRING.sub(rename, files[name]) for name in _FILES}
