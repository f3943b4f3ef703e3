"""Exports and verifications by a page: whole or not at all, within a limit, for those who may read the logs."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree.ElementTree import Element
from zipfile import ZipFile

import httpx2
import orjson
import pytest
from cryptography.fernet import Fernet
from starlette.datastructures import State

from shared.events.services import SERVICES
from tests.cli.terminal import output_of, throughline
from tests.console.conftest import Console
from tests.console.rendered import ADDRESS, a_visit, an_app, elements, parsed, text_of
from tests.http.asking import Caller
from tests.patience import until
from tools.console.app import make_app
from tools.console.command_line import CommandLine
from tools.console.pages.audit import audit
from tools.console.settings import ConsoleSettings
from tools.local.stack import Stack

CSRF = "synthetic-csrf"
LOG = {"origin": "synthetic", "published": 2_500, "sealed": 2_500}
WORKS = """
import pathlib, sys
if sys.argv[2] == "export":
    pathlib.Path(sys.argv[3]).mkdir()
    (pathlib.Path(sys.argv[3]) / "manifest.json").write_text("synthetic")
else:
    print(REPORT)
    sys.exit(1)
"""
FAILS = "import sys; print('Not exported: synthetic reason.', file=sys.stderr); sys.exit(1)"


def a_report(**more: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    log = {"size": 2_500, "events": 2_500, "key": "synthetic+00", "checkpoints": [1, 2_500], "witnesses": {}}
    report = {
        "verified": True, "checked_at": now.isoformat(), "manifest": {"made_at": now.isoformat()}, "events": 2_500,
        "keys_given": True, "logs": {"meetings": log}, "not_yet_covered": {"count": 0, "first": ""},
        "ahead_of_export": {"count": 0, "first": ""}, "found": 0, "findings": [],
    }  # fmt: skip
    return report | more


FINDING = {"service": "meetings", "kind": "leaf", "what": "<b>not</b> what was signed", "position": 7}
REFUTED = a_report() | {"verified": False, "found": 1, "findings": [FINDING], "keys_given": False}


def settings(**more: Any) -> ConsoleSettings:
    given = {
        "address": ADDRESS, "services": dict.fromkeys(SERVICES, ADDRESS), "issuer": "http://127.0.0.1:1",
        "keys": Fernet.generate_key().decode(),
    }  # fmt: skip
    return ConsoleSettings.model_validate(given | more)


@asynccontextmanager
async def a_console(code: str, log: Any = LOG, **more: Any) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield an auditor's client of a console whose command line is a piece of Python."""
    app = make_app(settings(**more))
    app.state.command_line = CommandLine({}, (sys.executable, "-c", code))

    def answer(request: httpx2.Request) -> httpx2.Response:
        if log is None:
            raise httpx2.ConnectError("down")
        refused = {"rule": "NotYoursToRead", "title": "Synthetic", "detail": "Synthetic refusal"}
        return httpx2.Response(200, json=log) if isinstance(log, dict) else httpx2.Response(log, json=refused)

    person = {"token": "synthetic", "name": "Synthetic Auditor", "actor": "synthetic", "role": "auditor"}
    session = orjson.dumps({"person": person, "csrf": CSRF, "until": int(time.time() + 60)})
    cookies = {"throughline": app.state.settings.cipher().encrypt(session).decode()}
    async with AsyncExitStack() as running:
        app.state.client = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
        transport = httpx2.ASGITransport(app)
        yield await running.enter_async_context(
            httpx2.AsyncClient(transport=transport, base_url=ADDRESS, cookies=cookies)
        )


async def test_an_export_is_one_whole_archive() -> None:
    async with a_console(WORKS) as web:
        answer = await web.get("/audit/export")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
        assert int(answer.headers["content-length"]) == len(answer.content)
        with ZipFile(BytesIO(answer.content)) as archive:
            assert [name.partition("/")[2] for name in archive.namelist()] == ["", "manifest.json"]


@pytest.mark.parametrize("limit", [4 * 2_500, 4 * 2_500 - 1])
async def test_a_record_above_the_limit_is_not_exported(limit: int) -> None:
    async with a_console(FAILS, export_events=limit) as web:
        answers = [await web.get("/audit/export"), await web.post("/audit/verification", data={"csrf": CSRF})]
        form = await web.get("/audit/verification")
    if limit < 4 * 2_500:
        assert {(each.status_code, each.headers.get("location")) for each in answers} == {(303, "/audit#export")}
        assert form.status_code == 303
    else:
        assert {each.status_code for each in answers} == {409}
        assert "gave the console no keys" in text_of(parsed(form.text))
        assert all("Not exported: synthetic reason." in text_of(parsed(each.text)) for each in answers)


@pytest.mark.parametrize(("log", "status"), [(403, 403), (None, 503)])
async def test_nothing_runs_for_those_who_may_not_read_the_logs_nor_without_a_service(log: Any, status: int) -> None:
    async with a_console("raise AssertionError", log) as web:
        for address in ("/audit/export", "/audit/verification"):
            assert (await web.get(address)).status_code == status
        assert (await web.post("/audit/verification", data={"csrf": CSRF})).status_code == status


async def test_nothing_is_verified_for_another_site() -> None:
    async with a_console("raise AssertionError") as web:
        answer = await web.post("/audit/verification", data={"csrf": "forged"})
        assert (answer.status_code, "earlier session" in answer.text) == (403, True)


async def test_a_verification_is_shown_in_words() -> None:
    async with a_console(WORKS.replace("REPORT", repr(orjson.dumps(REFUTED).decode()))) as web:
        answer = await web.post("/audit/verification", data={"csrf": CSRF})
    shown = text_of(parsed(answer.text))
    assert answer.status_code == 200
    for text in ("Not verified 1 finding.", "meetings, position 7: <b>not</b> what was signed", "export's own word"):
        assert text in shown
    assert "Meetings 2,500 2,500 1 synthetic+00 –" in shown


async def test_a_verification_without_a_report_is_none() -> None:
    async with a_console(WORKS.replace("REPORT", "'verified'")) as web:
        answer = await web.post("/audit/verification", data={"csrf": CSRF})
    assert (answer.status_code, "printed no report" in answer.text) == (409, True)


@pytest.mark.parametrize(("content", "says"), [(None, "cannot be read"), ("\n", "holds no key")])
async def test_nothing_is_verified_without_the_keys_that_the_operators_named(
    content: str | None, says: str, tmp_path: Path
) -> None:
    file = tmp_path / "public.vkeys"
    file.write_text(content or "")
    async with a_console("raise AssertionError", trusted_keys_file=file) as web:
        if content is None:
            file.unlink()
        answer = await web.post("/audit/verification", data={"csrf": CSRF})
    assert (answer.status_code, says in answer.text) == (409, True)


async def audit_page(role: str = "auditor", **more: Any) -> Element:
    request = a_visit("/audit", {"/log": LOG}, role=role)
    state = State({"settings": settings(**more), "renderer": an_app().state.renderer})
    request.scope["app"] = SimpleNamespace(state=state)
    return parsed(bytes((await audit(request)).body).decode())


@pytest.mark.parametrize(("role", "limit", "offered"), [
    ("auditor", 10_000, True), ("secretariat", 10_000, True), ("auditor", 9_999, False), ("operator", 10_000, False),
])  # fmt: skip
async def test_the_page_offers_an_export_within_the_limit(role: str, limit: int, offered: bool) -> None:
    page = await audit_page(role, export_events=limit)
    links = {each.get("href") for each in elements(page, "a")}
    assert ("/audit/export" in links, "/audit/verification" in links) == (offered, offered)
    assert ("10,000 events. A page exports and verifies up to 9,999;" in text_of(page)) == (limit == 9_999)
    assert "throughline audit export DIR" in text_of(page)


async def test_the_page_shows_the_last_verification(tmp_path: Path) -> None:
    file, old = tmp_path / "verification.json", datetime.now(UTC) - timedelta(days=9)
    assert "Nobody has set up a verification" in text_of(await audit_page())
    assert "There is none yet" in text_of(await audit_page(verification_file=file))
    for content, says in (
        (b"", "cannot be read"),
        (orjson.dumps(a_report(events="many")), "cannot be read"),
        (orjson.dumps(a_report()), "Verified Everything holds."),
        (orjson.dumps(REFUTED), "Not verified 1 finding."),
        (orjson.dumps(a_report(checked_at=old.isoformat())), "It is old"),
        (orjson.dumps(a_report(manifest={"made_at": old.isoformat()})), "It is old"),
    ):
        file.write_bytes(content)
        shown = text_of(await audit_page(verification_file=file))
        assert says in shown
        assert ("It is old" in shown) == (says == "It is old")


@pytest.fixture
def signed(loaded: Stack, web: httpx2.Client) -> Stack:
    """The stack with the public record, all of it under checkpoints."""
    auditor = Caller(loaded, web, "auditor")

    def are_signed() -> bool:
        logs = [auditor.get(service, "/log").json() for service in SERVICES]
        return all(each["sealed"] >= each["published"] for each in logs)

    until(are_signed)
    return loaded


@pytest.mark.servers
def test_a_downloaded_export_verifies_and_a_changed_byte_is_found(
    console: Console, signed: Stack, tmp_path: Path
) -> None:
    answer = console.reader("auditor").get("/audit/export")
    assert answer.status_code == 200, answer.text
    with ZipFile(BytesIO(answer.content)) as archive:
        archive.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    verified = throughline(None, "audit", "verify", str(folder))
    assert (verified.exit_code, "verified:" in output_of(verified)) == (0, True)
    entries = next(each for each in sorted((folder / "meetings/tile/entries").rglob("*")) if each.is_file())
    entries.write_bytes(entries.read_bytes().replace(b"secretariat", b"sacretariat", 1))
    assert throughline(None, "audit", "verify", str(folder)).exit_code == 1


@pytest.mark.drill
@pytest.mark.servers
def test_a_verification_on_the_page_finds_nothing(console: Console, signed: Stack) -> None:
    auditor = console.reader("auditor")
    assert "nothing is recorded" in text_of(auditor.page("/audit/verification"))
    answer = auditor.client.post("/audit/verification", data={"csrf": CSRF})
    assert answer.status_code == 200, answer.text
    assert "Verified Everything holds." in text_of(parsed(answer.text))


@pytest.mark.servers
def test_a_downloaded_proof_is_proven(console: Console, signed: Stack, tmp_path: Path) -> None:
    answer = console.reader("auditor").get("/traces/CED/2022/R1/proof.json")
    assert answer.status_code == 200, answer.text
    assert 'filename="CED-2022-R1.proof.json"' in answer.headers["content-disposition"]
    file = tmp_path / "proof.json"
    file.write_bytes(answer.content)
    assert "proven: CED/2022/R1" in output_of(throughline(None, "audit", "verify-proof", str(file)))


@pytest.mark.servers
def test_a_focal_point_gets_none_of_them(console: Console, loaded: Stack) -> None:
    focal_point = console.reader("focal_point", member="FJI")
    answers = [focal_point.get(each) for each in ("/audit/export", "/traces/CED/2022/R1/proof.json")]
    answers.append(focal_point.client.post("/audit/verification", data={"csrf": CSRF}))
    assert [each.status_code for each in answers] == [403, 403, 403]
