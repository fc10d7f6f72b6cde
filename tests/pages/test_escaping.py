"""What users write appears as text: on pages, in cards, in pictures, in C and in platformio.ini."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from platformio.project.config import ProjectConfig

from tests.pages import figures
from tinyml_cli import registry
from tinyml_cli.build.project_config import ini_text
from tinyml_cli.c_text import comment, string_literal
from tinyml_cli.card import text as card_text
from tinyml_cli.comparison import page
from tinyml_cli.errors import TinymlError
from tinyml_cli.outcomes.cards import CardData, CardFacts, CardLeaves, CardSecurity, CardSize
from tinyml_cli.pages.svg_chart import Chart
from tinyml_cli.pages.templates import code, escape_markdown
from tinyml_cli.tasks.anomaly import report as anomaly_report
from tinyml_cli.tasks.hello import report as hello_report
from tinyml_cli.tasks.kws import report as report_html
from tinyml_cli.tasks.vww import report as image_report
from tinyml_cli.tasks.wand import report as gesture_report
from tinyml_cli.user_text import one_line, prose, visible

PAYLOADS = (
    "<img src=x onerror=alert(1)>",
    "</title></style><script>alert(1)</script>",
    "' onmouseover='x",
    '" autofocus onfocus="x',
    "{{ 7 * 7 }}{% include 'page.css' %}",
    "![x](javascript:alert(1))",
    "](javascript:alert(1))",
    "|table|",
    "`code` *bold* __init__ ~~gone~~ $x$",
    "<!-- tinyml:end -->",
    "- item",
    "1. item",
    "# head",
    "=====",
    "&lt;b&gt; &amp;",
    "http://example.com www.example.com me@example.com",
    "a\\",
    "line\nbreak\r\n\n# head",
    "\u202egnp.exe",
    "\x1b[31m\x00",
    "\ud800",
    "はい ✓ é",
)
TEXTS = st.one_of(st.sampled_from(PAYLOADS), st.text(min_size=1, max_size=24))
# A page takes long to draw: several at once.
MANY = st.lists(TEXTS, min_size=1, max_size=4).map("".join)

PAGES: dict[str, Callable[[str], str]] = {
    "kws": lambda name: report_html.render(
        name, figures.heard(name), figures.manifest("kws", name), figures.clips(name)
    ),
    "vww": lambda name: image_report.render(
        name, figures.seen(name), figures.manifest("vww", name), figures.images(name)
    ),
    "wand": lambda name: gesture_report.render(
        name, figures.moved(name), figures.manifest("wand", name), None
    ),
    "anomaly": lambda name: anomaly_report.render(
        name, figures.abnormal(name), figures.manifest("anomaly", name)
    ),
    "hello": lambda name: hello_report.render(name, figures.drawn(name), figures.manifest("hello", name)),
    "compare": lambda name: page.render(figures.compared(name)),
}


class _Page(HTMLParser):
    """Collects what a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.texts: list[str] = []
        self.values: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.values += [value or "" for _, value in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


@pytest.mark.parametrize("task", PAGES)
@settings(max_examples=12, deadline=None)
@given(name=MANY)
def test_names_add_no_markup_to_a_page(task: str, name: str) -> None:
    plain, nasty = _Page(PAGES[task]("plain")), _Page(PAGES[task](name))
    # The same elements with the same attributes, whatever things are called; "unknown" may sort elsewhere.
    assert sorted(nasty.tags) == sorted(plain.tags)
    assert any(visible(name) in text for text in nasty.texts)
    assert all(value.startswith("data:") for value in nasty.values if value.startswith(("data:", "java")))


@settings(max_examples=50, deadline=None)
@given(name=TEXTS)
def test_charts_are_well_formed_whatever_dots_are_called(name: str) -> None:
    chart = Chart([(0, "0"), (1, name)], [(0, "0"), (1, "1")], name, name)
    chart.dot(0.5, 0.5, "c0", name)
    chart.names([(0.5, 0.5, name)])
    root = ElementTree.fromstring(str(chart.render(name)))
    assert root.attrib["aria-label"].split() == visible(name).split()
    assert len(root.findall("text")) == 2 * 2 + 2 + 1


@settings(max_examples=50, deadline=None)
@given(name=TEXTS)
def test_a_message_shows_its_names_without_backticks(name: str) -> None:
    name = name.replace("`", "'") or "x"
    assert prose(f"750 of `{name}`, 3 of `yes`, 1 `") == f"750 of “{name}”, 3 of “yes”, 1 `"


def _inline(text: str, rule: str = "paragraph_open") -> list[Any]:
    """The tokens of a document that is one line of one block."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    assert [token.type for token in tokens if token.type.endswith("_open")] == [rule]
    return list(tokens[1].children or [])


@settings(max_examples=300, deadline=None)
@given(text=TEXTS)
def test_markdown_shows_text_as_it_is(text: str) -> None:
    if not one_line(text).strip():
        return
    children = _inline(f"{escape_markdown(text)}")
    assert {child.type for child in children} <= {"text", "text_special"}
    assert "".join(child.content for child in children).split() == one_line(text).split()


@settings(max_examples=300, deadline=None)
@given(text=TEXTS)
def test_markdown_shows_code_as_it_is(text: str) -> None:
    children = _inline(f"x {code(text)}")
    tags = [child.content for child in children if child.type == "html_inline"]
    assert tags in ([], ["<code>", "</code>"])
    shown = "".join(child.content for child in children if child.type != "html_inline")
    assert shown.split() == f"x {one_line(text)}".split()


@settings(max_examples=100, deadline=None)
@given(text=TEXTS)
def test_a_cell_stays_one_cell(text: str) -> None:
    row = f"| {escape_markdown(text)} | {code(text)} |"
    tokens = MarkdownIt("commonmark").enable("table").parse(f"| a | b |\n| --- | --- |\n{row}\n")
    assert [token.type for token in tokens].count("td_open") == 2


def _facts(task: str, outcome: dict[str, Any], name: str) -> CardFacts:
    manifest = figures.manifest(task, name)
    keys = ["noise", "speakers", "fairness", "sizes", "low_light", "at_threshold", "threshold", "faults"]
    assert manifest.data is not None
    return CardFacts(
        tinyml_card=1,
        name=name,
        tinyml_version="1",
        task=task,
        items=asdict(registry.task(manifest.task).items(manifest)),
        labels=[] if task in ("anomaly", "hello") else manifest.labels,
        seed=1,
        model=manifest.model,
        data=CardData(**manifest.data.model_dump(), licence_files=[name]),
        features=None,
        recognizer=manifest.recognizer,
        training=None,
        quality=dict.fromkeys(keys) | outcome | {"level": "host"},
        size=CardSize(int8_bytes=1, arena_bytes={name: 1}, firmware={}, level="linked"),
        latency=None,
        carbon=None,
        security=CardSecurity(
            membership=None,
            not_measured=name,
            leaves=[CardLeaves(event=name, when="always", holds=name, is_signal=True)],
            attack=None,
        ),
        hashes={name: "0" * 64},
    )


OUTCOMES = {
    "kws": figures.heard,
    "vww": figures.seen,
    "wand": figures.moved,
    "anomaly": figures.abnormal,
    "hello": figures.drawn,
}


@pytest.mark.parametrize("task", OUTCOMES)
@settings(max_examples=12, deadline=None)
@given(name=MANY)
def test_names_add_no_markup_to_a_card(task: str, name: str) -> None:
    def blocks(name: str) -> list[str]:
        text = card_text.render(_facts(task, OUTCOMES[task](name).as_dict(), name), {})
        return [
            token.type
            for token in MarkdownIt("commonmark").enable("table").parse(text)
            if token.type != "code"
        ]

    assert blocks(name) == blocks("plain")


@given(text=st.one_of(TEXTS, st.text(alphabet='*/\\?"\n ')))
@example("*/ int x; /*")
@example("/*/")
@example("???/")
def test_a_comment_ends_where_it_should(text: str) -> None:
    inside = comment(text)
    assert not {"*/", "/*", "??"} & {inside[i : i + 2] for i in range(len(inside))}
    assert inside.isprintable() and not inside.rstrip().endswith("\\")


def test_a_compiler_reads_names_as_text(tmp_path: Path) -> None:
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("no gcc here")
    words = [*(text for text in PAYLOADS if "\x00" not in text), 'a"; system("x");//', "??/", "*/ x /*"]
    words = [word.encode("utf-8", "backslashreplace").decode() for word in words]
    source = "#include <stdio.h>\n" + "".join(f"/* {comment(w)} */ // {comment(w)}\n" for w in words)
    source += (
        "int main(void) {\n" + "".join(f"  puts({string_literal(w)});\n" for w in words) + "return 0; }\n"
    )
    (tmp_path / "words.c").write_text(source, encoding="utf-8")
    command = [compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", "-trigraphs", "words.c", "-o", "words"]
    subprocess.run(command, check=True, cwd=tmp_path)
    said = subprocess.run([tmp_path / "words"], check=True, capture_output=True).stdout.decode()
    assert said == "".join(f"{word}\n" for word in words)


NAMES = st.one_of(
    st.sampled_from(
        ["a;b", "a ;b", "a #b", "50%", "%(x)s", "$HOME", "${sysenv.HOME}", " a", "a\nb", 'a"b', "[x]", "a=b"]
    ),
    st.text(min_size=1, max_size=12),
)


@settings(max_examples=200, deadline=None)
@given(name=NAMES)
def test_platformio_reads_a_folder_as_it_is_called(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = f"/data/{name}/lib"
    try:
        written = ini_text(folder)
    except TinymlError:
        return
    file = tmp_path_factory.getbasetemp() / "platformio.ini"
    text = f"[env:sim]\nplatform = symlink://{written}\nlib_extra_dirs =\n  {written}\n"
    file.write_text(text, encoding="utf-8")
    config = ProjectConfig(str(file))
    assert config.get("env:sim", "lib_extra_dirs") == [folder]
    assert config.get("env:sim", "platform") == f"symlink://{folder}"


@pytest.mark.parametrize("name", ["plain", "with blanks", "50%", "a;b", "(x) & O'Brien", "日本"])
def test_usual_folders_can_be_written(name: str) -> None:
    assert ini_text(f"/home/{name}").replace("%%", "%") == f"/home/{name}"
