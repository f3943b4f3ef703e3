"""Each script is drawn with the console's own fonts, and a font is loaded only where a page needs it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.site import render, served
from tests.console.synthetic_document import SCRIPTS

PLAIN = render("<h1>Plain</h1><p class='govuk-body'>Recommendations of session 7</p>", "Plain")
ALL = "".join(
    f'<p class="govuk-body tl-text" dir="auto" id="{script}">{text} <b>{text}</b></p>'
    for script, text in SCRIPTS.items()
)
PAGES = {"/plain": PLAIN, "/all": render(f"<h1>All scripts</h1>{ALL}", "All scripts")}


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with served(PAGES) as address:
        yield address


def loaded(page: Page) -> list[str]:
    """Return the names of the font files that a page loaded."""
    page.evaluate("document.fonts.ready.then(() => null)")
    entries = page.evaluate("performance.getEntriesByType('resource').map(entry => entry.name)")
    return sorted(entry.rpartition("/")[2] for entry in entries if entry.endswith(".woff2"))


def test_a_page_in_english_loads_two_small_fonts(page: Page, site: str):
    page.goto(f"{site}/plain")
    assert loaded(page) == ["noto-sans-latin-400-normal.woff2", "noto-sans-latin-700-normal.woff2"]


def test_each_script_is_drawn_with_fonts_of_the_console(page: Page, site: str):
    page.goto(f"{site}/all")
    assert "noto-sans-sc-chinese-simplified-400-normal.woff2" in loaded(page)
    devtools = page.context.new_cdp_session(page)
    devtools.send("DOM.enable")
    devtools.send("CSS.enable")
    root = devtools.send("DOM.getDocument")["root"]["nodeId"]
    for script in SCRIPTS:
        node = devtools.send("DOM.querySelector", {"nodeId": root, "selector": f"#{script}"})["nodeId"]
        fonts = devtools.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        assert fonts, script
        assert [font["familyName"] for font in fonts if not font["isCustomFont"]] == [], script


def test_a_text_from_right_to_left_begins_at_the_right(page: Page, site: str):
    page.goto(f"{site}/all")
    assert page.locator("#Arabic").evaluate("element => getComputedStyle(element).direction") == "rtl"
    assert page.locator("#Latin").evaluate("element => getComputedStyle(element).direction") == "ltr"
