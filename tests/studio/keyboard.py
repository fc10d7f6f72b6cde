"""A page without a mouse: Tab to what is wanted, which has to show that it has the focus, then keys."""

from __future__ import annotations

from typing import Any

_MOST_TABS = 250
# What has the focus, in this page or in one inside it: its name, and whether one sees it.
_FOCUSED = """() => {
  let element = document.activeElement;
  while (element?.tagName === "IFRAME") element = element.contentDocument.activeElement;
  const label = element.labels?.[0]?.querySelector("span") ?? element.labels?.[0];
  const name = element.getAttribute("aria-label") ?? label?.textContent ?? element.textContent;
  const style = element.ownerDocument.defaultView.getComputedStyle(element);
  return [name.trim(), element.tagName, style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0];
}"""


class Keyboard:
    """Keys of a page of Playwright."""

    def __init__(self, page: Any) -> None:
        self._page = page

    def focused(self) -> str:
        """The name of what has the focus."""
        name: str = self._page.evaluate(_FOCUSED)[0]
        return name

    def to(self, name: str, tag: str = "") -> None:
        """Tab, until what has the focus has this name (or begins so, where an ellipsis ends it) and tag."""
        is_wanted = str.startswith if name.endswith("…") else str.__eq__
        passed = []
        for _ in range(_MOST_TABS):
            found, its_tag, is_seen = self._page.evaluate(_FOCUSED)
            if is_wanted(found, name.removesuffix("…")) and tag in ("", its_tag):
                assert is_seen, f"`{name}` has the focus, and does not show it"
                return
            passed.append(found[:20])
            self._page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not lead to `{name}`: {passed}")

    def press(self, name: str, key: str = "Enter") -> None:
        """Goes there, and presses a key."""
        self.to(name)
        self._page.keyboard.press(key)

    def fill(self, name: str, text: str) -> None:
        """Goes to a field, and types over what is in it."""
        self.to(name, "INPUT")
        self._page.keyboard.press("Control+a")
        self._page.keyboard.type(text)
