"""Pages for people: links between them hold, and the site's navigation has every page."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
FOLDERS = ("*.md", "docs/**/*.md", "firmware/**/*.md", ".github/**/*.md")
PAGES = sorted(path for pattern in FOLDERS for path in ROOT.glob(pattern))
_CODE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\)|<(?:img|a)\b[^>]*?(?:src|href)=[\"']([^\"']+)")


def _prose(page: Path) -> str:
    return _CODE.sub("", page.read_text(encoding="utf-8"))


def _anchors(page: Path) -> set[str]:
    """What GitHub calls the headings of a page."""
    seen: Counter[str] = Counter()
    found = set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", page.read_text(encoding="utf-8")))
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", _prose(page), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def broken_links(page: Path, root: Path = ROOT) -> list[str]:
    """Relative links of a page that lead nowhere; those of the site's pages must stay in docs/."""
    inside = root / "docs" if root / "docs" in page.parents else root
    broken = []
    for match in _LINK.finditer(re.sub(r"`[^`\n]*`", "", _prose(page))):
        target = match[1] or match[2]
        if re.match(r"[a-z][a-z+.-]*:", target):
            continue
        name, _, anchor = target.partition("#")
        place = (page.parent / name).resolve() if name else page
        holds = place.exists() and place.is_relative_to(inside)
        if not holds or (anchor and place.suffix == ".md" and anchor not in _anchors(place)):
            broken.append(target)
    return broken


def test_relative_links_hold() -> None:
    found = {page.relative_to(ROOT).as_posix(): broken_links(page) for page in PAGES}
    assert {page: broken for page, broken in found.items() if broken} == {}


def test_broken_links_are_found(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "page.md"
    page.parent.mkdir()
    (tmp_path / "README.md").touch()
    good = "[a](page.md#a-b) [b](#a-b) [c](https://example.org/none)\n```\n[d](none)\n```\n`[e](none)`\n"
    page.write_text(f"# A `b`\n{good}[f](page.md#f) [g](g.md) ![h](h.png) [i](../README.md) <img src='i'>\n")
    assert broken_links(page, tmp_path) == ["page.md#f", "g.md", "h.png", "../README.md", "i"]


def test_navigation_has_every_page_once() -> None:
    site = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert Counter(_entries(site["nav"])) == Counter(
        path.relative_to(DOCS).as_posix() for path in PAGES if DOCS in path.parents
    )


def _entries(nav: object) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    below = nav.values() if isinstance(nav, dict) else nav
    assert not isinstance(below, str)
    return [entry for part in below for entry in _entries(part)]


def test_architecture_names_every_folder_and_only_modules_that_exist() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    package = ROOT / "tinyml_cli"
    folders = {path.parent.name for path in package.glob("*/__init__.py")}
    assert {name for name in folders if not re.search(rf"`(tinyml_cli/)?{name}\b", text)} == set()
    modules = set(re.findall(r"`(?:tinyml_cli/)?([a-z_/]+\.py)`", text))
    assert {name for name in modules if not (package / name).is_file()} == set()
