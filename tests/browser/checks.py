"""Checks of one page in the browser: accessibility by axe, reflow, and use by keyboard alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page

AXE = Path(__file__).with_name("vendor") / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ZOOMED = {"width": 320, "height": 256, "deviceScaleFactor": 4, "mobile": False}
"""A window of 1280 by 1024 at 400 %, as WCAG 1.4.10 has it: so many CSS pixels are left, each four by four."""

_RUN = "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})"


def axe(page: Page) -> None:
    """Check a page by axe-core against WCAG 2.2 A and AA, and the practices that it calls best.

    It judges neither text in a drawing nor reflow nor the order of the keyboard.
    """
    page.evaluate(AXE.read_text(encoding="utf-8"))  # a script tag would be refused by our own policy
    violations = page.evaluate(_RUN, TAGS)["violations"]
    assert violations == [], f"{page.url}\n" + "\n".join(map(_described, violations))


def _described(violation: dict[str, Any]) -> str:
    parts = "".join(f"\n    {node['html'][:200]}\n      {node['failureSummary']}" for node in violation["nodes"])
    return f"{violation['id']}: {violation['help']}{parts}"


_TOO_WIDE = """() => {
  const scrolls = e => e && e !== document.body && e !== document.documentElement
    && (["auto", "scroll"].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  const wide = e => e.getBoundingClientRect().right > innerWidth + 0.5 && !scrolls(e.parentElement);
  return [document.documentElement.scrollWidth, [...document.querySelectorAll("body *")].filter(wide)
    .slice(0, 10).map(e => e.outerHTML.slice(0, 120))];
}"""


def reflows(page: Page) -> None:
    """Check that a page at 400 % zoom is no wider than 320 CSS pixels, those of a small screen too (WCAG 1.4.10)."""
    before = page.viewport_size
    devtools = page.context.new_cdp_session(page)
    devtools.send("Emulation.setDeviceMetricsOverride", ZOOMED)
    width, parts = page.evaluate(_TOO_WIDE)
    assert width <= ZOOMED["width"], f"{page.url} is {width} pixels wide at {ZOOMED}:\n" + "\n".join(parts)
    devtools.detach()
    if before:  # detaching leaves the window's own size, and the size that is known to be set is not set again
        page.set_viewport_size({**before, "height": before["height"] + 1})
        page.set_viewport_size(before)


_LOOK = """() => {
  const looks = e => ["", "::before", "::after"].map(part => {
    const s = getComputedStyle(e, part || null);
    return [s.outlineStyle, s.outlineWidth, s.outlineColor, s.boxShadow, s.backgroundColor, s.borderColor,
            s.borderWidth, s.textDecoration, s.stroke, s.strokeWidth, s.fill, s.opacity, s.clip, s.position].join();
  }).join();
  const parts = e => [e, ...e.children, ...(e.labels ?? [])];
  const focused = document.activeElement, all = parts(focused), look = () => all.map(looks).join("|");
  const name = focused.outerHTML.slice(0, 200), seen = look();
  focused.blur();
  const changed = look() !== seen;
  focused.focus();
  return {name, changed, lost: document.activeElement !== focused};
}"""


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until an element has the focus, and check at each stop that the focus is seen (WCAG 2.4.7)."""
    handle = target.element_handle()
    rounds = 0
    while not handle.evaluate("element => element === document.activeElement"):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement === document.body"):
            rounds += 1
            assert rounds < 2, f"{page.url}: Tab does not lead to {target}"
        else:
            stop = page.evaluate(_LOOK)
            assert stop["changed"], f"{page.url}: nothing shows the focus on {stop['name']}"
            assert not stop["lost"], f"{page.url}: the focus does not stay on {stop['name']}"


def press(page: Page, target: Locator, key: str = "Enter") -> None:
    """Reach an element by Tab and press a key on it: Enter follows a link or a button, Space ticks a box."""
    tab_to(page, target)
    page.keyboard.press(key)


def type_into(page: Page, target: Locator, text: str) -> None:
    """Reach a field by Tab and type a text."""
    tab_to(page, target)
    page.keyboard.type(text)
