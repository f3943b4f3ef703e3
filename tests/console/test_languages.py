"""Languages: every text of a page is a message, catalogues are those of the code, translations fit their messages."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from xml.etree.ElementTree import Element

import jinja2
import pytest
from babel.messages import Catalog, Message
from babel.messages.pofile import read_po
from jinja2 import nodes

from tests.cli.record_in_memory import public_traces
from tests.console.conftest import Console
from tests.console.pseudo import CODE, pseudo, untranslated
from tests.console.rendered import a_request, an_app, elements, parsed, text_of, trace_page
from tools.client import api
from tools.console import languages, times
from tools.console.forms.fields import fields_of
from tools.console.forms.sheet import Sheet
from tools.console.kinds import form_address, kinds
from tools.console.languages import plural, speaking
from tools.console.messages import TEMPLATE, TRANSLATED, catalogue, updated

TEMPLATES = Path(languages.__file__).with_name("templates")
DRAFTS = ("fr", "ru", "zh")
NAVIGATION = ("Today", "Nominations", "Group", "Meetings", "Mandates", "Recommendations", "Search", "Sign out")
_TAG = re.compile(r"<!--.*?-->|<(script|style|pre)\b.*?</\1>|<[^>]*>", re.DOTALL)
_SPOKEN = re.compile(r'(?:aria-label|title|placeholder|alt)="([^"]*)"')
_TEXTS = frozenset({"text", "html", "titleText", "iconFallbackText", "menuButtonText", "navigationLabel"})
_NAME = "Throughline"


def test_catalogues_are_those_of_the_code() -> None:
    behind = [path.name for path, content in updated() if not path.exists() or path.read_bytes() != content]
    assert behind == [], "run `make messages`"


@pytest.mark.parametrize("language", TRANSLATED)
def test_translations_fit_their_messages(language: str) -> None:
    faults = {message.id: [str(each) for each in errors] for message, errors in catalogue(language).check()}
    assert faults == {}
    wrong = [message.id for message in _translated(catalogue(language)) if not _fits(message)]
    assert wrong == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_main_flow_is_translated_and_marked_for_review(language: str) -> None:
    own = catalogue(language)
    assert ("draft, to be reviewed by a person" in own.header_comment) == (language in DRAFTS)
    assert [name for name in NAVIGATION if not own[name].string] == []
    next_steps = [message.id for message in own if ("next_steps.py", None) in message.locations]
    assert next_steps
    assert [each for each in next_steps if not own[each].string] == []


@pytest.mark.parametrize(
    ("language", "forms"),
    [
        ("en", {1: "1 event", 2: "2 events"}),
        ("fr", {0: "0 événement", 1: "1 événement", 2: "2 événements", 1_000_000: "1\u202f000\u202f000 d’événements"}),
        ("ru", {1: "1 событие", 2: "2 события", 5: "5 событий", 11: "11 событий", 21: "21 событие"}),
        ("zh", {0: "0 个事件", 1: "1 个事件", 2: "2 个事件"}),
    ],
)
def test_counts_are_in_the_forms_of_the_language(language: str, forms: dict[int, str]) -> None:
    with speaking(language):
        assert {n: plural("%(n)s event", "%(n)s events", n) for n in forms} == forms


def test_dates_are_in_the_language_of_the_reader() -> None:
    shown = {}
    for language in languages.LANGUAGES:
        with speaking(language):
            shown[language] = (times.day("2022-05-27"), times.day("2023-09"))
    assert shown == {
        "en": ("27 May 2022", "September 2023"),
        "fr": ("27 mai 2022", "septembre 2023"),
        "ru": ("27 мая 2022\u202fг.", "сентябрь 2023\u202fг."),
        "zh": ("2022年5月27日", "2023年9月"),
    }


def test_a_catalogue_is_read_fast() -> None:
    languages.catalogue_of.cache_clear()
    begun = time.process_time()
    for language in languages.LANGUAGES:
        languages.catalogue_of(language)
    assert time.process_time() - begun < 5 * 0.05 * len(TRANSLATED)


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_no_text_of_a_template_is_left_out(path: Path) -> None:
    """Also where no test renders it."""
    source = path.read_text()
    environment = jinja2.Environment(extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True)  # noqa: S701
    tree = environment.parse(source)
    assert [each for each in _literal(tree) if _is_text(each)] == []


def test_a_forgotten_text_is_seen() -> None:
    tree = jinja2.Environment().parse('<p>Hello {{ x }}</p><a aria-label="There">{{ f({"text": "Again"}) }}</a>')  # noqa: S701
    assert [each.strip() for each in _literal(tree) if _is_text(each)] == ["Hello", "There", "Again"]
    with pseudo():
        page = parsed(
            '<html lang="qps"><p>⟦Hello ⟦there⟧⟧ you</p><p dir="auto">Data</p><p>CED/2022/R1 ⟦a⟧, 7</p></html>'
        )
        assert untranslated(page) == ["⟦Hello ⟦there⟧⟧ you"]


@pytest.mark.parametrize("reference", sorted(public_traces())[:2])
def test_a_trace_has_no_text_that_is_not_translated(reference: str) -> None:
    with pseudo(), speaking(CODE):
        page = parsed(trace_page(public_traces()[reference]))
    assert untranslated(page, frozenset({_NAME, "Synthetic Officer"})) == []


@pytest.mark.parametrize(
    "kind", ["not_here", "services_away", "provider_away", "sign_in_refused", "no_role", "too_large"]
)
def test_errors_have_no_text_that_is_not_translated(kind: str) -> None:
    with pseudo(), speaking(CODE):
        html = an_app().state.renderer.text(a_request("/"), "error.html", kind=kind, service="meetings", limit=1)
    page = parsed(html)
    assert (page.get("lang"), untranslated(page, frozenset({_NAME, "Synthetic Officer", "meetings"}))) == (CODE, [])


@pytest.mark.slow
def test_forms_have_no_text_that_is_not_translated() -> None:
    faults: dict[str, list[str]] = {}
    with pseudo() as messages, speaking(CODE):
        for command in api.commands():
            sheet = Sheet(command, fields_of(command.fields), {}, "synthetic")
            request, content = a_request("/"), {"sheet": sheet, "command": command, "choices": {}}
            page = parsed(an_app().state.renderer.text(request, "form.html", back="/", **content))
            if left := untranslated(page, frozenset({_NAME})):
                faults[command.name] = left
    assert faults == {}
    assert messages.shown - set(_ids()) == set(), "labels that no catalogue has: tools/console/words.py"


def _addresses() -> Iterator[str]:
    yield from ("/", "/group", "/group/members", "/meetings/calendar", "/coverage", "/coverage?by=recommendation")
    yield from (
        "/search?q=water",
        "/audit",
        "/audit/verification",
        "/privacy",
        "/preferences",
        "/signed-out",
        "/nowhere",
    )
    yield from (
        "/recommendations/CED/2022/R1",
        "/traces/CED/2022/R1",
        "/traces/CED/2022/R1/proof",
        "/traces/CED/2029/R1",
    )
    yield from ("/recommendations/CED/2022/R1/do/correct", "/recommendations/CED/2022/R1/do/void?version=1")
    yield from (kind.plural for kind in kinds().values())
    for command in api.commands():
        if "secretariat" in command.roles and (command.is_new or command.noun == "recommendation"):
            yield form_address(command, "" if command.is_new else "CED/2022/R1")


@pytest.mark.servers
def test_pages_have_no_text_that_is_not_translated(console: Console, loaded: object) -> None:
    reader = console.reader()
    reader.client.cookies.set("language", CODE)
    faults: dict[str, list[str]] = {}
    with pseudo() as messages:
        todo, done = list(dict.fromkeys(_addresses())), set[str]()
        while todo:
            address = todo.pop(0)
            done.add(address)
            page = parsed(reader.get(address).text)
            assert page.get("lang") == CODE
            if left := untranslated(page, _known(console)):
                faults[address] = left
            if address in {kind.plural for kind in kinds().values()}:
                todo += [each for each in _records(page, address) if each not in done][:1]
    assert faults == {}
    assert messages.shown - set(_ids()) == set(), "labels that no catalogue has: tools/console/words.py"


def _ids() -> Iterator[str]:
    ids = (message.id for message in read_po(BytesIO(TEMPLATE.read_bytes())))
    return (each if isinstance(each, str) else each[0] for each in ids)


def _known(console: Console) -> frozenset[str]:
    """Return what is data of persons and of the machine: names, the zone without a place, the word searched for."""
    return frozenset({_NAME, "Synthetic Officer", "UTC", "water", *console.stack.urls})


def _records(page: Element, address: str) -> list[str]:
    links = [each.get("href") or "" for each in elements(page, "a")]
    return [
        each for each in links if each.startswith(f"{address}/") and "/new/" not in each and "/calendar" not in each
    ]


@pytest.mark.servers
@pytest.mark.parametrize(("accepted", "language"), [("fr-CH, en;q=0.5", "fr"), ("zh-Hans", "zh"), ("de", "en")])
def test_the_language_is_the_browsers_until_a_person_chooses(console: Console, accepted: str, language: str) -> None:
    reader = console.reader()
    reader.client.headers["Accept-Language"] = accepted
    page = reader.page("/preferences")
    assert page.get("lang") == language
    token = next(each.get("value") for each in elements(page, "input") if each.get("name") == "csrf")
    reader.client.post("/preferences", data={"language": "ru", "zone": "Europe/Moscow", "csrf": token})
    page = reader.page("/preferences")
    assert page.get("lang") == "ru"
    assert "Europe/Moscow" in text_of(page)


def _translated(own: Catalog) -> Iterator[Message]:
    return (message for message in own if message.id and message.string and any(message.string))


def _fits(message: Message) -> bool:
    """Tell whether a translation has the same placeholders; where it counts, every form is there."""
    ids, strings = ((each,) if isinstance(each, str) else each for each in (message.id, message.string))
    names = {name for each in ids for name in re.findall(r"%\((\w+)\)s", each)}
    return (
        all(strings)
        and all(names >= set(re.findall(r"%\((\w+)\)s", each)) for each in strings)
        and (len(ids) > 1 or set(re.findall(r"%\((\w+)\)s", strings[0])) == names)
    )


def _literal(tree: nodes.Template) -> Iterator[str]:
    """Yield the texts that a template holds itself: between its tags, in attributes, given to a macro."""
    whole = "".join(
        each.data if isinstance(each, nodes.TemplateData) else "\0"
        for output in tree.find_all(nodes.Output)
        for each in output.nodes
    )
    yield from re.split("\0", _TAG.sub("\0", whole))
    yield from (text for each in _SPOKEN.findall(whole) for text in each.split("\0"))
    for pair in tree.find_all(nodes.Pair):
        if isinstance(pair.key, nodes.Const) and pair.key.value in _TEXTS:
            yield from (each.value for each in (pair.value, *_outside(pair.value)) if isinstance(each, nodes.Const))


def _outside(node: nodes.Node) -> Iterator[nodes.Node]:
    """Yield the constants of an expression that is shown, outside calls."""
    if isinstance(node, nodes.CondExpr):
        yield from (each for each in (node.expr1, node.expr2) if each is not None)
    if isinstance(node, nodes.Concat):
        yield from node.nodes


def _is_text(text: object) -> bool:
    words = str(text).replace("&nbsp;", " ").replace(_NAME, "")
    return any(map(str.isalpha, words)) and "throughline audit" not in words
