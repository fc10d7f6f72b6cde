"""What a retraining of the same architecture changes, taken out of the generated C into one struct.

Firmware with model slots reads its network through a pointer: to the struct that was compiled in, or to one
that lies in a slot of the flash. `lift` rewrites the texts of an export of the engine aot: arrays of
constants, numbers that come from scales, thresholds and labels become fields of the struct `model_tables`.
What is left of the texts is the architecture: `Lifted.architecture` is its hash. So tables fit firmware
exactly where the rest of the program is equal; a network that needs other code is never taken for the same.

Every field starts at a multiple of 8 bytes, so that all compilers agree on the layout; numbers are little
endian.
"""

from __future__ import annotations

import ast
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyml_cli.c_text import comment, float_literal, integer_literal, wrapped
from tinyml_cli.engines.aot.kernel import Constant
from tinyml_cli.files import firmware_dir

ALIGNMENT_BYTES = 8
LABEL_BYTES = 32
"""Room for a label in UTF-8 and a zero byte; a label that the firmware was built with may need more."""

_TYPES = {
    "int8_t": "i1", "uint8_t": "u1", "int16_t": "<i2", "uint16_t": "<u2", "int32_t": "<i4", "uint32_t": "<u4",
    "int64_t": "<i8", "uint64_t": "<u8", "float": "<f4", "char": "u1", "bool": "u1",
}  # fmt: skip

_NUMBER = r"-?(?:0x[0-9a-f]+|\d+(?:\.\d+)?(?:e[+-]?\d+)?)[fu]?|\(-2147483647 - 1\)"
_ARRAY = re.compile(
    r"^static const (?:_Alignas\(\d+\) )?(\w+) (\w+)((?:\[\w+\])+) = (\{[^;]*\});\n?", re.MULTILINE
)
_TEXTS = re.compile(r"static const char\* const kLabels\[LABEL_COUNT\] = (\{.*?\});\n?", re.DOTALL)
# Fields of the kernels' parameters that come from scales; sizes and strides are the architecture.
_QUANTISED = re.compile(
    r"(\.(?:\w+_)?(?:offset|zero_point|multiplier|shift|start|unit|lowest|highest|lowest_cell|activation"
    rf"|diff_min) = )(\{{[^{{}}]*\}}|{_NUMBER})"
)
_LEADING = re.compile(rf"(\btinyml_nn_\w+\()((?:(?:{_NUMBER}), )+)")
_MEMSET = re.compile(rf"(memset\([^;]*, )({_NUMBER})(, \d+\);)")
_SIZE = re.compile(r"^#define (\w+) (\d+)$", re.MULTILINE)
_SETTING = re.compile(rf"^#define (\w+) \(?({_NUMBER})\)?$", re.MULTILINE)
_RETRAINED_SETTINGS = re.compile(
    r"(IN|OUT)PUT_(SCALE|ZERO_POINT)|\w+_(MULTIPLIER|SHIFT|ZERO_POINT|OFFSET|Q16)|PRESENCE_\w+_PERMILLE"
    r"|GESTURE_THRESHOLD_Q|AVERAGE_WINDOW_MS|SUPPRESSION_MS|MINIMUM_COUNT|PREFIX_WAIT_MS|TRAINED_\w+"
    r"|FALSE_SHARE_PPM|PRESENCE_FRAMES_\w+|DRIFT_BLOCK_INFERENCES"
)
_UNTRAINED_ARRAYS = ("kSignalCosine",)
# The types that the applications' settings have, of names that end so; int32_t is the rest.
_SETTING_TYPES = {
    "uint8_t": ("IMAGE_SHIFT", "MOTION_SHIFT", "FRAMES_ON", "FRAMES_OFF"),
    "uint16_t": ("PRESENCE_ON_PERMILLE", "PRESENCE_OFF_PERMILLE"),
    "uint32_t": ("FEATURE_MULTIPLIER", "FEATURE_SHIFT", "_MS", "MINIMUM_COUNT", "_PPM"),
}
# What says something about this very training in headers, and nothing of the program depends on.
_INCIDENTAL = re.compile(
    r"^#define (TINYML_VERSION|\w+_MODEL_SHA256|\w+_(SCALE|ZERO_POINT|NAME)) .*\n", re.MULTILINE
)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_MODEL = re.compile(r'^#define TINYML_MODEL_SHA256 "(\w+)"$', re.MULTILINE)
_SHARED_FROM_BYTES = 512


@dataclass(frozen=True, eq=False)
class Field:
    """A field of the struct.

    Attributes:
        c_type: of an element.
        dimensions: as C writes them, `[12][3]`; empty for one number.
        values: in memory order.
    """

    c_type: str
    name: str
    dimensions: str
    values: npt.NDArray[Any]


@dataclass(frozen=True)
class Lifted:
    """An export whose changing parts are fields.

    Attributes:
        texts: the rewritten sources, with model_tables.h and model_tables.c, by file name.
        tables: the struct's bytes.
        architecture: SHA-256 of what is left, 32 bytes.
        golden_output: of the self-test.
    """

    texts: dict[str, str]
    tables: bytes
    architecture: bytes
    golden_output: bytes = b""


@dataclass
class _Lift:
    sizes: dict[str, str]
    fields: list[Field] = field(default_factory=list)
    integers: list[int] = field(default_factory=list)
    reals: list[float] = field(default_factory=list)

    def number(self, literal: str) -> str:
        """The C expression in place of a number."""
        value = _value(literal)
        if isinstance(value, float):
            self.reals.append(value)
            return f"MODEL_TABLES->network_reals[{len(self.reals) - 1}]"
        self.integers.append(value)
        return f"MODEL_TABLES->network_integers[{len(self.integers) - 1}]"

    def numbers(self, text: str) -> str:
        return re.sub(_NUMBER, lambda match: self.number(match[0]), text)

    def array(self, match: re.Match[str]) -> str:
        c_type, name, dimensions, initialiser = match.groups()
        if name in _UNTRAINED_ARRAYS:
            return match[0]
        dimensions = re.sub(r"[A-Z]\w+", lambda size: self.sizes[size[0]], dimensions)
        values = np.array([_value(each) for each in re.findall(_NUMBER, initialiser)], _TYPES[c_type])
        self.fields.append(Field(c_type, name, dimensions, values))
        return ""


def may_share(constant: Constant) -> bool:
    """Whether equal arrays are one, as those of an unrolled layer: not where they may be equal by chance."""
    return constant.values.nbytes >= _SHARED_FROM_BYTES


def lift(exports: dict[str, str], golden: tuple[bytes, bytes], tolerance: int = 0) -> Lifted:
    """Rewrites an export.

    Args:
        exports: network.c, network.h and model_settings.h, and what else the firmware's model consists of.
        golden: an input of the network and the output that belongs to it, all tensors of each in a row.
        tolerance: by how many steps each byte of that output may differ on the board.
    """
    found = _Lift(dict(_SIZE.findall(exports["model_settings.h"])))
    settings = _lift_settings(exports["model_settings.h"], found)
    network = _lift_network(exports["network.c"], found)
    for side, data in zip(("input", "output"), golden, strict=True):
        found.fields.append(
            Field("uint8_t", f"golden_{side}", f"[{len(data)}]", np.frombuffer(data, np.uint8))
        )
    found.fields.append(Field("int32_t", "golden_tolerance", "", np.array([tolerance], "<i4")))
    for c_type, name, numbers in (
        ("int32_t", "network_integers", found.integers),
        ("float", "network_reals", found.reals),
    ):
        values = np.array(numbers or [0], np.int64 if c_type == "int32_t" else np.float32)
        found.fields.append(Field(c_type, name, f"[{len(values)}]", values.astype(_TYPES[c_type])))
    tables = b"".join(_padded(each.values.tobytes()) for each in found.fields)
    include = '#include "model_tables.h"\n'
    texts = exports | {
        "model_settings.h": settings.replace("#include <stdint.h>\n", f"#include <stdint.h>\n\n{include}", 1),
        "network.c": network.replace('#include "network.h"\n', f'#include "network.h"\n{include}', 1),
        "model_tables.h": _header(found.fields, len(tables)),
    }
    architecture = _architecture(texts, found.fields)
    texts["model_tables.c"] = _source(found.fields, architecture)
    return Lifted(texts, tables, architecture, golden[1])


def _lift_network(text: str, found: _Lift) -> str:
    text = _ARRAY.sub(found.array, text)
    text = _QUANTISED.sub(lambda match: match[1] + found.numbers(match[2]), text)
    text = _LEADING.sub(lambda match: match[1] + found.numbers(match[2]), text)
    text = _MEMSET.sub(lambda match: match[1] + found.number(match[2]) + match[3], text)
    # An initialiser that reads tables is made anew for each call.
    return re.sub(
        r"static (const \w+ \w+ = \{[^;]*\};)",
        lambda match: match[1] if "MODEL_TABLES" in match[1] else match[0],
        text,
    )


def _lift_settings(text: str, found: _Lift) -> str:
    def labels(match: re.Match[str]) -> str:
        names = [_text(each) for each in re.findall(r'"(?:[^"\\]|\\.)*"', match[1])]
        longest = max(map(len, names), default=0) + 1
        room = -(-longest // LABEL_BYTES) * LABEL_BYTES
        values = np.frombuffer(b"".join(name.ljust(room, b"\0") for name in names), np.uint8)
        found.fields.append(Field("char", "label_texts", f"[{len(names)}][{room}]", values))
        return ""

    def setting(match: re.Match[str]) -> str:
        if not _RETRAINED_SETTINGS.fullmatch(match[1]):
            return match[0]
        value = _value(match[2])
        c_type = "float" if isinstance(value, float) else _setting_type(match[1], match[2])
        found.fields.append(Field(c_type, match[1], "", np.array([value], _TYPES[c_type])))
        return f"/* {match[1]}: model_tables.h */"

    model = _MODEL.search(text)
    name = model[1].encode() if model else b""
    found.fields.append(
        Field("char", "TINYML_MODEL_SHA256", "[16]", np.frombuffer(name.ljust(16, b"\0"), np.uint8))
    )
    text = _MODEL.sub("/* TINYML_MODEL_SHA256: model_tables.h */", text)
    return _SETTING.sub(setting, _ARRAY.sub(found.array, _TEXTS.sub(labels, text)))


def _setting_type(name: str, literal: str) -> str:
    if literal.endswith("u"):
        return "uint32_t"
    return next((c_type for c_type, ends in _SETTING_TYPES.items() if name.endswith(ends)), "int32_t")


def _value(literal: str) -> int | float:
    if literal.startswith("("):
        return -(1 << 31)
    if literal.endswith("f") and not literal.startswith(("0x", "-0x")):
        return float(literal[:-1])
    return int(literal.removesuffix("u"), 0)


def _text(literal: str) -> bytes:
    """The bytes of a C string literal of c_text.string_literal."""
    value: bytes = ast.literal_eval(f"b{literal}")
    return value


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % ALIGNMENT_BYTES)


def _header(fields: list[Field], size: int) -> str:
    count = next((_sizes(each)[0] for each in fields if each.name == "label_texts"), 0)
    members = "\n".join(
        f"  MODEL_TABLES_FIELD {each.c_type} {each.name}{each.dimensions};" for each in fields
    )
    macros = "\n".join(
        f"#define {each.name} (MODEL_TABLES->{each.name})"
        for each in fields
        if not each.name.startswith(("golden_", "label_texts", "network_"))
    )
    pointers = (
        f"\n/* Points to the labels of the tables in use. */\nextern const char* model_labels[{count}];\n"
        "#define kLabels model_labels\n"
        if count
        else ""
    )
    return f"""\
/* All that a retraining changes. Generated by tinyml; do not edit. See docs/updates.md. */
#ifndef TINYML_MODEL_TABLES_H
#define TINYML_MODEL_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
#define MODEL_TABLES_FIELD alignas({ALIGNMENT_BYTES})
extern "C" {{
#else
#define MODEL_TABLES_FIELD _Alignas({ALIGNMENT_BYTES})
#endif

#define MODEL_TABLES_BYTES {size}
#define MODEL_TABLES_LABELS {count}

typedef struct {{
{members}
}} model_tables;

/* The tables that were compiled in, those in use, and the hash of the architecture they belong to. */
extern const model_tables model_tables_built_in;
extern const model_tables* model_tables_in_use;
extern const uint8_t model_architecture[32];
#define MODEL_TABLES model_tables_in_use
{pointers}
/* From now on by these tables. */
void model_tables_use(const model_tables* tables);

#ifdef __cplusplus
}}
#endif

{macros}

#endif /* TINYML_MODEL_TABLES_H */
"""


def _source(fields: list[Field], architecture: bytes) -> str:
    rows = "\n".join(f"    /* {comment(each.name)} */\n    {_initialiser(each)}," for each in fields)
    digest = "\n".join(wrapped(f"0x{byte:02x}" for byte in architecture))
    return f"""\
/* The model's tables as they were trained. Generated by tinyml; do not edit. */
#include "model_tables.h"

_Static_assert(sizeof(model_tables) == MODEL_TABLES_BYTES, "all compilers agree on the layout");

const uint8_t model_architecture[32] = {{
{digest}
}};

const model_tables model_tables_built_in = {{
{rows}
}};

const model_tables* model_tables_in_use = &model_tables_built_in;

#if MODEL_TABLES_LABELS > 0
const char* model_labels[MODEL_TABLES_LABELS];
#endif

void model_tables_use(const model_tables* tables) {{
  model_tables_in_use = tables;
#if MODEL_TABLES_LABELS > 0
  for (int i = 0; i < MODEL_TABLES_LABELS; ++i) {{
    model_labels[i] = tables->label_texts[i];
  }}
#endif
}}
"""


def _initialiser(each: Field) -> str:
    literal = float_literal if each.c_type == "float" else integer_literal
    values = [literal(value.item()) for value in each.values]
    if not each.dimensions:
        return values[0]
    if len(sizes := _sizes(each)) > 1:
        values = [f"{{{', '.join(values[at : at + sizes[-1]])}}}" for at in range(0, len(values), sizes[-1])]
    return "{\n" + "\n".join(wrapped(values, indent=" " * 8)) + "\n    }"


def _sizes(each: Field) -> list[int]:
    return [int(size) for size in re.findall(r"\d+", each.dimensions)]


def _architecture(texts: dict[str, str], fields: list[Field]) -> bytes:
    """SHA-256 of the program around the tables, and of the kernels, which define the order in them."""
    digest = hashlib.sha256()
    for name in sorted(texts):
        if name.endswith((".c", ".h")):
            text = _INCIDENTAL.sub("", _COMMENT.sub("", texts[name]))
            digest.update(f"{name}\n{text}\n".encode())
    digest.update("\n".join(f"{each.c_type} {each.name} {each.values.size}" for each in fields).encode())
    for source in sorted((firmware_dir() / "lib" / "tinyml_nn").glob("*.[ch]")):
        digest.update(Path(source).read_bytes())
    return digest.digest()
