"""Hostile input: whatever is typed into whatever field comes back as text to the letter, and no page fails on it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote, urlencode
from xml.etree.ElementTree import Element

import httpx2
import pytest
from fastapi.routing import APIRoute

from shared.events.recommendations import RecommendationDrafted
from tests.console.conftest import values_of
from tests.console.rendered import CSRF, a_session, an_app, elements, parsed, text_of
from tests.console.test_trace_page import HOSTILE_LINE
from tools.client import api
from tools.console.forms.corrections import fields_of_event
from tools.console.forms.fields import Field, fields_of, leaves, row
from tools.console.pages import ROUTERS
from tools.console.pages.forms import page_of

pytestmark = pytest.mark.slow

TYPED = f"=cmd|' /C calc'!A1 {HOSTILE_LINE} \x00\x01\x1b[2J\x7f\x85\ufffe\u2028 e\u0301"
LONG = f"{HOSTILE_LINE}{'x' * 20_000}"[:20_000]
DRAFTED = RecommendationDrafted(reference="SYN/2031/R1", title="Synthetic").model_dump(mode="json", exclude_none=True)
EVENT = {
    "streamversion": 1, "type": RecommendationDrafted.type_name(), "time": "2031-01-01T00:00:00Z",
    "actor": "synthetic", "role": "secretariat", "data": DRAFTED,
}  # fmt: skip


def texts_among(fields: Sequence[Field]) -> Iterator[Field]:
    """Yield the fields into which a person types, those of a first row included."""
    for field in leaves(fields):
        if field.kind == "rows":
            yield from texts_among(row(field, 0))
        elif field.kind not in ("choice", "flag", "checks"):
            yield field


def fields_shown(command: api.Command) -> tuple[Field, ...]:
    """Return the fields of a command's form: of a correction those of the entry, too."""
    fields = fields_of(command.fields)
    if command.word not in ("correct", "void"):
        return fields
    own = tuple(each for each in fields if each.own not in ("corrects", "voids", "data"))
    return own + (fields_of_event(EVENT["type"]) if command.word == "correct" else ())


def refusing(fields: Sequence[Field]) -> Any:
    """Return a service that has one event of every stream, and refuses every field of a command."""
    faults = [{"field": f"body.{each.name}", "message": f"is refused {HOSTILE_LINE}"} for each in fields]
    problem = {"rule": "SchemaViolation", "title": "Synthetic", "detail": HOSTILE_LINE, "errors": faults}

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.method == "POST":
            return httpx2.Response(422, json=problem)
        if request.url.path.startswith("/streams/"):
            return httpx2.Response(200, json=[EVENT])
        return httpx2.Response(404, json={"rule": "NotOnRecord", "detail": HOSTILE_LINE})

    return answer


def assert_is_data(document: Element) -> None:
    """Check that no text of a page has become markup or a script."""
    assert not list(elements(document, "img"))
    assert not any("alert" in "".join(each.itertext()) for each in elements(document, "script"))
    assert not any(name.startswith("on") or name == "style" for each in document.iter() for name in each.attrib)


def address_of(command: api.Command) -> str:
    """Return the address of a command's form, of a made-up record."""
    names = dict.fromkeys((each.name for each in command.in_path), "x")
    return page_of(command).address.format_map(names)


@pytest.mark.parametrize("command", api.commands(), ids=lambda each: f"{each.noun} {each.word}")
async def test_a_hostile_text_in_every_field_comes_back_to_the_letter(command: api.Command) -> None:
    fields = list(texts_among(fields_shown(command)))
    typed = {each.name: TYPED for each in fields} | {each.name: LONG for each in fields[:1]}
    role = "secretariat" if "secretariat" in command.roles else command.roles[0]
    async with a_session(refusing(fields), role) as web:
        answer = await web.post(address_of(command), data=typed | {"csrf": CSRF, "entry": "1"})
    document = parsed(answer.text)
    assert answer.status_code == 422
    assert_is_data(document)
    form = next(each for each in elements(document, "form") if "enctype" in each.attrib)
    shown = dict(values_of(form))
    assert {name: shown.get(name) for name in typed} == {
        name: text.replace("\x00", "\ufffd") for name, text in typed.items()
    }
    ids = {each.get("id") for each in document.iter()}
    assert [each.id for each in fields if f"{each.id}-error" not in ids] == []
    assert answer.text.count("is refused &lt;/textarea&gt;") == 2 * len(fields)


async def draft(content: bytes, kind: str) -> httpx2.Response:
    """Send the form of a draft as bytes."""
    async with a_session(refusing(fields_of(api.command("recommendation", "draft").fields))) as web:
        return await web.post("/recommendations/new/draft", content=content, headers={"Content-Type": kind})


@pytest.mark.parametrize("text", [b"\xed\xa0\x80", b"\xff\xfe\x00", b"\xc3", b"%ED%A0%80", b"%00%0d%0aX-Header: x"])
@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
async def test_bytes_that_are_no_text_are_refused_by_the_service_and_not_by_a_failure(text: bytes, kind: str) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
    fields = {b"csrf": CSRF.encode(), b"title": b"<b>" + text}
    many = b"".join(part % each for each in fields.items()) + b"--x--\r\n"
    body = many if kind.startswith("multipart") else b"&".join(b"%s=%s" % each for each in fields.items())
    answer = await draft(body, kind)
    assert answer.status_code == 422
    assert dict(values_of(parsed(answer.text)))["title"].startswith("<b>")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("command_id", "\u0661" * 32),
        ("command_id", "line\r\nX-Header: x"),
        ("version", "9" * 5_000),
        ("version", "\u0663"),
        ("renditions." + "9" * 5_000 + ".language", "en"),
        ("csrf", "\u0661"),
        ("unknown\u202e<img src=x>", HOSTILE_LINE),
    ],
)
async def test_a_hostile_value_of_a_field_that_nobody_sees_fails_no_page(name: str, text: str) -> None:
    command = api.command("meeting", "disseminate-document")
    async with a_session(refusing(fields_of(command.fields))) as web:
        answer = await web.post(address_of(command), data={"csrf": CSRF, "title": HOSTILE_LINE, name: text})
    document = parsed(answer.text)
    assert answer.status_code == (403 if name == "csrf" else 422)
    assert_is_data(document)
    form = next(each for each in elements(document, "form") if "enctype" in each.attrib)
    assert dict(values_of(form))["title"] == HOSTILE_LINE


async def test_a_document_of_a_hostile_name_and_type_is_stored_and_its_form_comes_back() -> None:
    command = api.command("nomination", "submit")
    body = (
        f'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{CSRF}\r\n--x\r\nContent-Disposition: form-data; '
        f'name="note_verbale.digest.file"; filename="../\u202e<img src=x>.pdf"\r\nContent-Type: \u0661/\u202e\r\n\r\n'
        "Synthetic\r\n--x--\r\n"
    ).encode()
    sent: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(201, json={}) if request.method == "PUT" else refusing(())(request)

    async with a_session(answer) as web:
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        shown = await web.post(address_of(command), content=body, headers=kind)
    [stored] = [each for each in sent if each.method == "PUT"]
    assert (shown.status_code, stored.headers["Content-Type"]) == (422, "application/octet-stream")
    assert_is_data(parsed(shown.text))


async def test_a_document_that_is_too_large_is_refused_in_words_and_nothing_typed_is_lost() -> None:
    command, most = api.command("nomination", "submit"), an_app().state.settings.upload_bytes
    typed = {each.name: HOSTILE_LINE for each in texts_among(fields_of(command.fields))}
    sent: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return refusing(())(request)

    async with a_session(answer) as web:
        files = {"note_verbale.digest.file": ("synthetic.pdf", bytes(most + 1), "application/pdf")}
        shown = await web.post(address_of(command), data=typed | {"csrf": CSRF}, files=files)
        unread = await web.post(address_of(command), content=b"", headers={"Content-Length": str(5 * most)})
    document = parsed(shown.text)
    assert shown.status_code == 413
    assert text_of(document).count("the document is too large: it may hold 20,000,000 bytes") == 2
    form = next(each for each in elements(document, "form") if "enctype" in each.attrib)
    assert typed.items() <= dict(values_of(form)).items()
    assert not [each for each in sent if each.method != "GET"]
    assert (unread.status_code, "A document may hold" in unread.text) == (413, True)


HOSTILE_PARTS = ("..", "\x00\r\nX-Header: x?forged=1#y", "{7*7}%s\u202e<img src=x>" + "\u0661" * 300)
FORMS = ("draft", "record-attendance-list", "order-agenda", "correct")
"""Commands whose forms stand for those of all others."""


def paths() -> list[str]:
    """Return the paths of the console's pages, of forms only some."""
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    pages = sorted({each.path for each in routes if "GET" in each.methods})
    return [each for each in pages if not re.search("/(do|new)/", each) or each.endswith(FORMS)]


@pytest.mark.parametrize("part", HOSTILE_PARTS)
async def test_a_hostile_id_in_an_address_finds_nothing_and_fails_no_page(part: str) -> None:
    paths_requested: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        paths_requested.append(request.url.raw_path.decode())
        return httpx2.Response(404, json={"rule": "NotOnRecord", "detail": HOSTILE_LINE})

    async with a_session(answer) as web:
        for path in paths():
            if "{" in path:
                shown = await web.get(re.sub("{[^}]*}", lambda _: quote(part, safe=""), path))
                assert shown.status_code in (200, 303, 404), path
                assert "<img" not in shown.text, path
    assert paths_requested
    assert not [each for each in paths_requested if "?forged" in each or "/.." in each]


async def test_a_hostile_query_fails_no_page() -> None:
    names = ("text", "stage", "member", "theme", "on", "month", "q", "kind", "as_of", "known_local", "after", "person")
    query = urlencode(dict.fromkeys((*names, "call", "by", "nominated", "answered", "print"), TYPED))
    async with a_session(refusing(())) as web:
        for path in (each for each in paths() if "{" not in each or each.startswith("/traces/")):
            shown = await web.get(f"{re.sub('{[^}]*}', 'x', path)}?{query}", follow_redirects=True)
            assert shown.status_code in (200, 404, 422), path
            assert_is_data(parsed(shown.text))
