"""Each check of a page in the browser passes on a good page and turns red on a bad one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.checks import axe, press, reflows, tab_to, type_into
from tests.browser.conftest import NewPage
from tests.browser.page_log import PageLog
from tests.browser.site import render, served

TABLE = """<div class="tl-region" role="region" tabindex="0" aria-label="Made-up table"><table class="govuk-table">
<caption class="govuk-visually-hidden">Made-up table</caption><thead><tr>
{% for n in range(9) %}<th scope="col" class="govuk-table__header">Column {{ n }}</th>{% endfor %}</tr></thead>
<tbody><tr>{% for n in range(9) %}<td class="govuk-table__cell">Incomprehensibilities</td>{% endfor %}</tr></tbody>
</table></div>"""
FORM = """{% from "govuk_frontend_jinja/components/input/macro.html" import govukInput %}
{% from "govuk_frontend_jinja/components/button/macro.html" import govukButton %}
{% from "govuk_frontend_jinja/components/checkboxes/macro.html" import govukCheckboxes %}
{% from "govuk_frontend_jinja/components/details/macro.html" import govukDetails %}
<form method="get" action="/answer" hx-get="/answer" hx-target="#results" hx-select="#results" hx-swap="outerHTML"
hx-push-url="true">{{ govukInput({"id": "words", "name": "words", "label": {"text": "Words"}}) }}
{{ govukCheckboxes({"name": "stage", "idPrefix": "stage", "fieldset": {"legend": {"text": "Stage"}},
"items": [{"value": "a", "text": "Convened"}, {"value": "b", "text": "Held"}]}) }}
{{ govukButton({"text": "Apply"}) }}</form>"""
RESULTS = """<div id="results"><p class="govuk-body">{}</p>
{{% from "govuk_frontend_jinja/components/character-count/macro.html" import govukCharacterCount %}}
{{{{ govukCharacterCount({{"id": "note", "name": "note", "maxlength": 20, "label": {{"text": "Note"}}}}) }}}}</div>"""
GOOD = '<h1 class="govuk-heading-l">A made-up page</h1><p class="govuk-body tl-text">' + "long" * 200 + "</p>"
PAGES = {
    "/good": render(GOOD + FORM + RESULTS.format("Nothing yet") + TABLE, "Good"),
    "/answer": render(GOOD + FORM + RESULTS.format("The answer"), "Answer"),
    "/bad": '<!doctype html><html><head></head><body><img src="/static/vendor/images/icon-document.svg">'
    '<a href="/good"></a><input><p style="color:#999">Grey</p></body></html>',
    "/wide": render("<h1>Wide</h1>" + TABLE.replace("tl-region", "wide"), "Wide"),
    "/unseen": '<!doctype html><html lang="en"><head><title>Unseen</title><link rel="icon" href="/static/icon.svg">'
    '<link rel="stylesheet" href="/unseen.css"></head><body><a href="/good">Here</a></body></html>',
    "/unseen.css": "",
    "/inline": render('<h1>Inline</h1><p onclick="alert()" style="color: red">Text</p><script>alert()</script>'),
    "/thrown": render('<h1>Thrown</h1><script type="module" src="/static/vendor/absent.js"></script>'),
}


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with served(PAGES) as address:
        yield address


def test_a_good_page_passes_every_check(page: Page, site: str):
    page.goto(f"{site}/good")
    axe(page)
    reflows(page)
    assert page.evaluate("[innerWidth, innerHeight, devicePixelRatio]") == [1280, 900, 1]
    assert page.evaluate("document.fonts.check('16px \"Noto Sans\"')")


def test_axe_names_what_is_wrong_with_a_page(page: Page, site: str, page_log: PageLog):
    page_log.expect("inline style")
    page.goto(f"{site}/bad")
    with pytest.raises(AssertionError) as refusal:
        axe(page)
    for rule in ("document-title", "html-has-lang", "image-alt", "link-name", "label"):
        assert f"\n{rule}: " in f"\n{refusal.value}", rule


def test_a_page_that_is_wider_than_a_small_screen_is_refused(page: Page, site: str):
    page.goto(f"{site}/wide")
    axe(page)  # it does not see the width
    with pytest.raises(AssertionError, match=r"1\d\d\d pixels wide at .*\n<table"):
        reflows(page)


def test_a_page_that_is_wider_once_it_is_zoomed_is_refused(page: Page, site: str):
    css = "@media (min-resolution: 4dppx) and (height: 256px) { body { min-width: 600px } }"
    page.route("**/unseen.css", lambda route: route.fulfill(body=css, content_type="text/css"))
    page.goto(f"{site}/unseen")
    with pytest.raises(AssertionError, match=r"\d\d\d pixels wide at .*'deviceScaleFactor': 4"):
        reflows(page)


def test_a_form_is_filled_in_by_keyboard_alone_and_answered_without_leaving_the_page(page: Page, site: str):
    page.goto(f"{site}/good")
    page.evaluate("window.stayed = true")
    type_into(page, page.get_by_label("Words"), "clean air")
    press(page, page.get_by_label("Held"), "Space")
    assert page.get_by_label("Held").is_checked()
    press(page, page.get_by_role("button", name="Apply"))
    page.wait_for_url("**/answer?words=clean+air&stage=b")
    page.get_by_text("The answer").wait_for()
    assert page.evaluate("window.stayed") is True


def test_what_htmx_put_in_is_given_its_components_once(page: Page, site: str):
    page.goto(f"{site}/good")
    page.get_by_role("button", name="Apply").click()
    page.get_by_text("The answer").wait_for()
    page.get_by_label("Note").fill("0123456789")
    page.locator(".govuk-character-count__status").get_by_text("You have 10 characters remaining").wait_for()
    assert page.locator(".govuk-character-count__status").count() == 1
    page.go_back()
    page.get_by_text("Nothing yet").wait_for()
    page.get_by_label("Note").fill("01234")
    page.locator(".govuk-character-count__status").get_by_text("You have 15 characters remaining").wait_for()


def test_the_same_form_is_answered_without_javascript(page_without_scripts: Page, site: str):
    page = page_without_scripts
    page.goto(f"{site}/good")
    assert not page.evaluate("document.body.classList.contains('js-enabled')")
    page.get_by_label("Words").fill("clean air")
    page.get_by_role("button", name="Apply").click()
    assert page.url.endswith("/answer?words=clean+air")
    assert page.get_by_text("The answer").is_visible()


def test_an_element_that_does_not_show_its_focus_is_refused(page: Page, site: str):
    page.route("**/unseen.css", lambda route: route.fulfill(body="a:focus{outline:none}", content_type="text/css"))
    page.goto(f"{site}/unseen")
    with pytest.raises(AssertionError, match="nothing shows the focus"):
        tab_to(page, page.get_by_role("link"))


def test_an_element_that_tab_does_not_reach_is_refused(page: Page, site: str):
    page.goto(f"{site}/good")
    with pytest.raises(AssertionError, match="does not lead to"):
        tab_to(page, page.get_by_role("heading", name="A made-up page"))


@pytest.mark.parametrize(
    ("path", "line"),
    [("/inline", "inline style"), ("/inline", "inline script"), ("/thrown", r"status of 404.*absent\.js")],
)
def test_what_the_console_of_a_page_says_is_refused(
    path: str, line: str, new_page: NewPage, site: str, page_log: PageLog
):
    new_page().goto(site + path)
    with pytest.raises(AssertionError, match=line):
        page_log.check()
    page_log.entries.clear()


def test_an_address_elsewhere_is_refused(new_page: NewPage, site: str, page_log: PageLog):
    page = new_page()
    page.route("**/*", lambda route: route.fulfill(body="<!doctype html><title>Elsewhere</title>"))
    page.goto("http://synthetic.example/")
    with pytest.raises(AssertionError, match=r"outside: http://synthetic\.example/"):
        page_log.check()
    page_log.entries.clear()


def test_a_dialog_is_refused(page: Page, site: str, page_log: PageLog):
    page.goto(f"{site}/good")
    page.evaluate("alert('Synthetic')")
    with pytest.raises(AssertionError, match="dialog: Synthetic"):
        page_log.check()
    page_log.entries.clear()


def test_a_page_that_is_not_there_is_no_fault_of_the_console(page: Page, site: str):
    answer = page.goto(f"{site}/absent")
    assert answer is not None
    assert answer.status == 404
