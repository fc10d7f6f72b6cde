"""JSON and YAML of any origin: read whole, or refused with a reason, in little time and memory."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tinyml_cli.documents import MAX_DEPTH, UnreadableError, load_json, parse_json
from tinyml_cli.yaml_documents import load_yaml, parse_yaml

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_json_comes_back(value: Any) -> None:
    assert parse_json(json.dumps(value)) == value
    assert parse_json(json.dumps(value, ensure_ascii=False)) == value


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_json, parse_yaml):
        try:
            parse(text)
        except UnreadableError as error:
            assert str(error)


def test_yaml_comes_back() -> None:
    recipe = {"words": ["yes", "no", "はい"], "seed": 7, "rate": 1.5e-3, "none": None, "date": "2020-13-45"}
    assert parse_yaml(yaml.safe_dump(recipe, allow_unicode=True)) == recipe
    assert parse_yaml("a: &x {k: 1}\nb: {<<: *x, j: 2}\nc: *x")["b"] == {"k": 1, "j": 2}


BOMB = "\n".join(["a0: &a0 [x,x,x,x,x,x,x,x,x,x]", *(
    f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)
)])  # fmt: skip


@pytest.mark.parametrize(
    ("parse", "text", "says"),
    [
        (parse_json, "", "empty"),
        (parse_json, '{"a": 1', "line 1"),
        (parse_json, "[" * 100_000, "levels deep"),
        (parse_json, '{"a":' * 600 + "1" + "}" * 600, "levels deep"),
        (parse_json, '"' + '\\"' * 300_000, "line 1"),
        (parse_json, '{"a": 1, "a": 2}', "`a` appears twice"),
        (parse_json, "1e999", "too large"),
        (parse_json, "9" * 30, "too large"),
        (parse_json, "9" * 10_000, "too large"),
        (parse_json, "NaN", "not a number"),
        (parse_json, "[-Infinity]", "not a number"),
        (parse_json, r'"\u0000"', "NUL"),
        (parse_json, r'"\ud800"', "surrogate"),
        (parse_yaml, "a: [" + "[" * 100_000, "levels deep"),
        (parse_yaml, "\n".join(" " * n + "a:" for n in range(200)), "levels deep"),
        (parse_yaml, BOMB, "values"),
        (parse_yaml, "a: &a\n  b: *a", "contains itself"),
        (parse_yaml, "a: &a [*a]", "contains itself"),
        (parse_yaml, "a: 1\nb:\n  c: 1\n  c: 2", "`c` appears twice"),
        (parse_yaml, "a: .inf", "finite"),
        (parse_yaml, "a: .nan", "finite"),
        (parse_yaml, "a: 0x" + "f" * 400, "too large"),
        (parse_yaml, "a: !!python/object/apply:os.system [id]", "constructor"),
        (parse_yaml, "a: !!set {b}", "constructor"),
        (parse_yaml, "a: !!int b", "tag"),
        (parse_yaml, "a: !!bool maybe", "tag"),
        (parse_yaml, "[a", "line 1"),
        (parse_yaml, "a: b\n---\na: c", "line 2"),
        (parse_yaml, '"\\0"', "NUL"),
        (parse_yaml, "\x07", "unacceptable"),
    ],
)
def test_refused(parse: Callable[[str], Any], text: str, says: str) -> None:
    with pytest.raises(UnreadableError, match=says):
        parse(text)


@pytest.mark.parametrize("load", [load_json, load_yaml])
@pytest.mark.parametrize("kind", ["folder", "missing", "pipe", "latin", "large", "locked"])
def test_files_that_cannot_be_read(tmp_path: Path, load: Callable[[Path], Any], kind: str) -> None:
    path = tmp_path / "file"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        if sys.platform == "win32":
            pytest.skip("no named pipes")
        os.mkfifo(path)
    elif kind == "latin":
        path.write_bytes("é".encode("latin-1"))
    elif kind == "large":
        with path.open("wb") as stream:
            stream.truncate(1 << 30)
    elif kind == "locked":
        path.write_text("{}")
        path.chmod(0)
        if os.access(path, os.R_OK):
            pytest.skip("this user may read everything")
    with pytest.raises(UnreadableError):
        load(path)


def test_depth_is_counted_outside_of_strings_only() -> None:
    assert parse_json(json.dumps(["[" * 100])) == ["[" * 100]
    nested = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert parse_json(nested) == json.loads(nested)


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert load_json(tmp_path / "a.json") == {"a": 1}
