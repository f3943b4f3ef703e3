"""Options that follow the table: words that differ by service, pages of any size, lists, and what else a page says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_input import NOWHERE
from tools.cli.callers import connection_of
from tools.cli.record_commands import command_of
from tools.cli.record_queries import query_of
from tools.client import api
from tools.client.api import Parameter, Query
from tools.client.errors import BadInput

LIMIT, AFTER = Parameter("limit", "integer", maximum=2), Parameter("after", "string")
WAITING = Query(
    service="meetings", noun="waiting", plural="waiting", word="list", typed="waiting", one=False, name="waiting",
    path="/waiting", roles=("auditor", "secretariat"), summary="Synthetic.",
    parameters=(LIMIT, AFTER, Parameter("kind", "string", words=("confirmation",))),
)  # fmt: skip
OTHER = replace(
    WAITING, service="notifications", parameters=(LIMIT, AFTER, Parameter("kind", "string", words=("mail_failed",)))
)
ITEMS = {
    "meetings": [{"kind": "confirmation", "id": number} for number in range(5)],
    "notifications": [{"kind": "mail_failed", "id": 7}],
}
Sent = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """Answer each request by pages of the items, with a count beside them; return the requests."""
    sent: Sent = []

    def get(_: object, service: str, path: str, **query: Any) -> dict[str, Any]:
        sent.append((service, query))
        begin = int(query["after"] or 0)
        end = begin + query["limit"]
        rest = {"next": str(end)} if end < len(ITEMS[service]) else {}
        return {"items": ITEMS[service][begin:end], "count": len(ITEMS[service]), **rest}

    monkeypatch.setattr("tools.client.services.Services.get", get)
    for name, value in NOWHERE.items():
        monkeypatch.setenv(name, value)
    return sent


def output(command: Any, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        command.main([*arguments])
    shown = capsys.readouterr()
    assert ended.value.code == 0, shown
    return shown.out


def test_a_word_of_one_service_is_put_to_that_one_alone(requests: Sent, capsys: pytest.CaptureFixture[str]):
    shown = json.loads(output(query_of([WAITING, OTHER]), capsys, "--kind", "mail_failed", "--format", "json"))
    assert shown == {"notifications": {"count": 1, "items": ITEMS["notifications"]}}
    assert [service for service, _ in requests] == ["notifications"]


def test_a_word_of_none_is_refused_with_the_words_of_all(requests: Sent, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        query_of([WAITING, OTHER]).main(["--kind", "mail"])
    assert ended.value.code == 2
    assert "they are confirmation, mail_failed" in capsys.readouterr().err
    assert requests == []


def test_pages_are_as_large_as_the_service_gives_and_are_read_to_the_end(
    requests: Sent, capsys: pytest.CaptureFixture[str]
):
    shown = json.loads(output(query_of([WAITING]), capsys, "--format", "json"))
    assert shown == {"count": 5, "items": ITEMS["meetings"]}
    assert [(query["limit"], query["after"]) for _, query in requests] == [(2, None), (2, "2"), (2, "4")]
    assert len(json.loads(output(query_of([WAITING]), capsys, "--limit", "3", "--format", "json"))["items"]) == 3
    assert len(requests) == 5
    text = output(query_of([WAITING]), capsys)
    assert text.startswith("count: 5\n")
    assert "confirmation" in text


def test_a_list_is_an_option_that_is_repeated(requests: Sent, capsys: pytest.CaptureFixture[str]):
    actors = Parameter("actor", "array", required=True, description="actors of events")
    output(query_of([replace(WAITING, parameters=(LIMIT, AFTER, actors))]), capsys, "--actor", "a", "--actor", "b")
    assert requests[0][1]["actor"] == ["a", "b"]


def test_a_command_that_is_only_validated_says_that_nothing_was_recorded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], requests: Sent
):
    queries: list[dict[str, Any]] = []

    def execute(*_: object, **query: Any) -> dict[str, Any]:
        queries.append(query)
        event = {"type": "throughline.meetings.MeetingHeld.v1", "version": 3, "data": {}}
        validated = {"validated": True} if query["validate"] else {}
        return {"stream": "meeting/m1", "version": 3, "events": [event], "replayed": False, **validated}

    monkeypatch.setattr("tools.client.services.Services.execute", execute)
    held = api.command("meeting", "hold")
    row = replace(held, parameters=(*held.parameters, Parameter("validate", "boolean", description="decide only")))
    says = "meeting/m1 would be at version 3: MeetingHeld. Nothing was recorded.\n"
    assert output(command_of(row), capsys, "m1", "--validate") == says
    assert output(command_of(row), capsys, "m1") == "meeting/m1 is at version 3: MeetingHeld.\n"
    assert [query["validate"] for query in queries] == [True, None]
    assert requests == []


def test_a_new_record_has_no_id_to_type_whatever_else_its_address_takes():
    opened = api.command("call", "open")
    assert replace(opened, parameters=(Parameter("validate", "boolean"),)).is_new
    assert not api.command("call", "close").is_new


@pytest.mark.parametrize(
    ("role", "name", "claims"),
    [
        (None, None, {}),
        ("auditor", "auditor", {}),
        ("expert", "expert", {}),
        ("expert:synthetic-person", "expert", {"expert": "synthetic-person"}),
        ("focal_point:FJI", "focal_point", {"member": "FJI"}),
    ],
)
def test_a_role_names_whom_it_stands_for(role: str | None, name: str | None, claims: dict[str, str]):
    row = replace(WAITING, roles=("auditor", "expert", "focal_point", "secretariat"))
    connection, chosen = connection_of([row], role, Path("synthetic"), None)
    assert (chosen, connection.claims) == (name, claims)


@pytest.mark.parametrize("role", ["auditor:x", "expert:a b", "expert:../x", "focal_point", "focal_point:", "expert:\n"])
def test_a_role_that_stands_for_nobody_is_refused(role: str):
    row = replace(WAITING, roles=("auditor", "expert", "focal_point", "secretariat"))
    with pytest.raises(BadInput, match="as in focal_point:FJI"):
        connection_of([row], role, Path("synthetic"), None)
