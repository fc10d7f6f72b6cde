"""Which of many C and C++ sources some of them need."""

from __future__ import annotations

import re
from collections.abc import Mapping

_INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
# At the start of a line, up to the brace: a definition, not a declaration; `static` ones are nobody else's.
_DEFINED = re.compile(
    r"^(?!static\b|typedef\b|else\b|return\b|#)[A-Za-z_][\w\s*]*?\b(\w+)\s*\([^;{}]*\)\s*\{", re.MULTILINE
)
_DECLARED = re.compile(r"^[A-Za-z_][\w\s*]*\([^;{}]*\)\s*;", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z_]\w*")


def needed_sources(first: Mapping[str, str], available: Mapping[str, str]) -> dict[str, str]:
    """`first` and, of `available`, what it needs directly or by others; texts by file name.

    A file needs the headers that it includes, the C++ sources called like them, and the C sources that define
    a function whose name it has. Names are those of files: no two files may share one.
    """
    plain = {name: _COMMENT.sub(" ", text) for name, text in available.items()}
    defined_in = {
        match[1]: name
        for name, text in plain.items()
        if name.endswith(".c")
        for match in _DEFINED.finditer(text)
    }
    taken = dict(first)
    waiting = list(first)
    while waiting:
        file = waiting.pop()
        text = _COMMENT.sub(" ", taken[file])
        if file.endswith(".h"):  # what it declares is not used by it
            text = _DECLARED.sub(" ", text)
        headers = [path.rsplit("/", 1)[-1] for path in _INCLUDE.findall(text)]
        wanted = [*headers, *(header.removesuffix(".h") + ".cpp" for header in headers)]
        wanted += [defined_in[word] for word in set(_WORD.findall(text)) if word in defined_in]
        for name in wanted:
            if name in available and name not in taken:
                taken[name] = available[name]
                waiting.append(name)
    return taken
