"""The modules of the page fit together; no build step would say where they do not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tinyml_cli.studio import page_files
from tinyml_cli.studio.app import PAGES

MODULES = {name: path for name, path in page_files.files().items() if name.endswith(".mjs")}
_IMPORT = re.compile(r'import\s+(?:\{([^}]*)\}\s+from\s+)?"\./([\w.]+)"')
_LAZY = re.compile(r'import\("\./([\w.]+)"\)')
_EXPORT = re.compile(r"^export (?:async )?(?:function|const|let|class) (\w+)", re.MULTILINE)


@pytest.mark.parametrize("name", MODULES)
def test_what_a_module_imports_is_there(name: str) -> None:
    text = MODULES[name].read_text(encoding="utf-8")
    for names, source in _IMPORT.findall(text):
        wanted = {each.split(" as ")[0].strip() for each in names.split(",") if each.strip()}
        assert source in MODULES
        assert wanted <= set(_EXPORT.findall(MODULES[source].read_text(encoding="utf-8"))), source
    assert set(_LAZY.findall(text)) <= set(MODULES)


def test_every_page_has_a_module() -> None:
    shown = Path(MODULES["studio.mjs"]).read_text(encoding="utf-8")
    for name in PAGES:
        assert f'{name}: {{ title: "' in shown
        assert "export default" in MODULES[f"{name}.mjs"].read_text(encoding="utf-8")
