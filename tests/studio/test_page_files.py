"""The modules of the page: what one imports, another one gives; and the page asks for what is there."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess

import pytest
from starlette.testclient import TestClient

from tinyml_cli.download import uplot
from tinyml_cli.studio import page_files
from tinyml_cli.studio.app import ENDPOINTS

MODULES = sorted(name for name in page_files.files() if name.endswith(".mjs"))
_IMPORT = re.compile(r'import (?:\{([^}]*)\} from )?"([^"]+)"|import\("([^"]+)"\)|addModule\("([^"]+)"\)')
_EXPORT = re.compile(r"^export (?:default )?(?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)
_ADDRESS = re.compile(r'["`](/api/[a-z/-]+)["`?]')


def text_of(name: str) -> str:
    return page_files.files()[name].read_text(encoding="utf-8")


@pytest.mark.parametrize("name", MODULES)
def test_imports_are_exported(name: str) -> None:
    for names, *places in _IMPORT.findall(text_of(name)):
        module = next(place for place in places if place).rsplit("/", 1)[-1]
        if module.startswith("uPlot"):
            assert module in {file.rsplit("/", 1)[-1] for file in uplot.FILES}
            continue
        assert module in MODULES
        wanted = {each.split(" as ")[0].strip() for each in names.split(",") if each.strip()}
        assert wanted <= set(_EXPORT.findall(text_of(module))), module


@pytest.mark.parametrize("name", MODULES)
def test_addresses_exist(name: str) -> None:
    known = {each.path for each in ENDPOINTS} | {"/api/enter", "/api/openapi.json"}
    assert set(_ADDRESS.findall(text_of(name))) <= known


def test_every_file_of_the_page_is_served(stranger: TestClient) -> None:
    shell = stranger.get("/data").text
    for address in re.findall(r'(?:href|src)="(/web/[^"]+)"', shell):
        assert stranger.get(address).status_code == 200, address


@pytest.mark.parametrize("name", MODULES)
def test_commands_are_quoted(name: str) -> None:
    """What a user has named is never put into a line for a shell as it is."""
    assert not re.findall(r"`tinyml [^`]*\$\{", text_of(name))


def test_a_quoted_command_is_that_of_the_package() -> None:
    if shutil.which("node") is None:
        pytest.skip("no node here")
    given = ["tinyml", "a b", "it's", "$(x)", "; rm -rf ~", "<b>", "runs/x-1", "--set", "a=1", "é", ""]
    words = json.dumps(given)
    module = page_files.files()["command.mjs"].as_uri()
    program = f'const {{ commandLine }} = await import("{module}"); console.log(commandLine(...{words}));'
    preamble = 'Object.defineProperty(globalThis, "navigator", { value: { userAgent: "Linux" } });'
    done = subprocess.run(
        ["node", "--input-type=module", "-e", preamble + program], capture_output=True, text=True, check=True
    )
    assert done.stdout.rstrip("\n") == " ".join(shlex.quote(word) for word in given)
