"""One correlation id through answer, events and log; and the log says no name."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from tests.http.asking import Caller, Records, accepted, meeting, new_id, nomination
from tests.patience import AT_MOST_SECONDS
from tools.local.stack import ALL_FOUR, Stack

pytestmark = pytest.mark.servers
Call = Callable[..., Caller]


def lines(stack: Stack, service: str) -> list[str]:
    return (stack.home / "logs" / f"{service}.log").read_text().splitlines()


def about(stack: Stack, service: str, word: str) -> list[dict[str, Any]]:
    """Return the log entries that contain a word, once there is one."""
    until = time.monotonic() + AT_MOST_SECONDS
    while not (entries := [json.loads(line) for line in lines(stack, service) if word in line]):
        assert time.monotonic() < until, f"nothing of {word} in the log of {service}"
        time.sleep(0.05)
    return entries


def events(records: Records, service: str, **query: Any) -> list[dict[str, Any]]:
    return [json.loads(bytes(raw)) for commit in records.commits(service, **query) for raw in commit["events"]]


def test_a_given_correlation_id_is_kept_everywhere(stack: Stack, caller: Call, records: Records) -> None:
    asking, given, key = caller(), new_id("correlation"), new_id("command")
    answer = asking.post("meetings", "/meetings", meeting(new_id("meeting")), key=key, X_Correlation_Id=given)
    accepted(answer)
    assert answer.headers["X-Correlation-Id"] == given
    assert [event["correlationid"] for event in events(records, "meetings", command_id=key)] == [given]
    [line] = about(stack, "meetings", given)
    assert (line["event"], line["command"], line["actor"], line["role"], line["service"], line["level"]) == (
        *("command_accepted", "ProposeMeeting", asking.actor, "secretariat", "meetings", "info"),
    )
    refused = asking.post("meetings", "/meetings", meeting(new_id("meeting")), key=key, X_Correlation_Id=f"{given}-2")
    assert refused.headers["X-Correlation-Id"] == f"{given}-2"
    [line] = about(stack, "meetings", f"{given}-2")
    assert (line["event"], line["rule"]) == ("command_refused", "CommandIdReused")


def test_a_retry_has_its_own_correlation_id_and_the_event_keeps_the_first(caller: Call, records: Records) -> None:
    asking, key, body = caller(), new_id("command"), meeting(new_id("meeting"))
    ids = [new_id("correlation") for _ in range(2)]
    answers = [asking.post("meetings", "/meetings", body, key=key, X_Correlation_Id=each) for each in ids]
    assert [answer.headers["X-Correlation-Id"] for answer in answers] == ids
    assert [event["correlationid"] for event in events(records, "meetings", command_id=key)] == ids[:1]


@pytest.mark.parametrize("given", ["", "x" * 101, "with space", 'quo"te', "ünïcode", "{}", "a,b"])
def test_a_correlation_id_of_another_form_is_replaced(given: str, caller: Call) -> None:
    answer = caller().request("GET", "meetings", "/meetings", headers={b"X-Correlation-Id": given.encode()})
    assert answer.status_code == 200
    assert UUID(answer.headers["X-Correlation-Id"])


def test_every_answer_names_its_own_correlation_id(caller: Call, stack: Stack) -> None:
    asking = caller()
    paths = ("/healthz", "/metrics", "/meetings", "/nothing-here", "/meetings/nothing", "/openapi.json")
    answers = [asking.get("meetings", path) for path in paths] + [
        asking.client.get(f"{stack.urls['meetings']}/meetings")
    ]
    assert len({answer.headers["X-Correlation-Id"] for answer in answers}) == len(answers)


def test_a_policys_command_continues_the_correlation(stack: Stack, caller: Call, records: Records) -> None:
    asking, given, key = caller(), new_id("correlation"), new_id("nomination")
    accepted(asking.post("nominations", "/nominations", nomination(key)))
    accepted(asking.post("nominations", f"/nominations/{key}/accept", X_Correlation_Id=given))
    [event] = [
        event
        for event in events(records, "nominations", **{"_id.s": f"nomination/{key}"})
        if event["streamversion"] == 2
    ]
    until = time.monotonic() + AT_MOST_SECONDS
    while not (
        begun := [e for e in events(records, "nominations", actor={"$ne": asking.actor}) if e["correlationid"] == given]
    ):
        assert time.monotonic() < until
        time.sleep(0.1)
    assert [(each["type"], each["causationid"], each["role"]) for each in begun] == [
        ("throughline.nominations.MembershipBegan.v1", event["id"], "system")
    ]


@pytest.mark.parametrize("service", ALL_FOUR)
def test_every_line_of_the_log_is_json_with_the_time_and_the_service(service: str, stack: Stack, caller: Call) -> None:
    caller("chair").post(service, "/operations/rebuild")
    logged = lines(stack, service)
    assert logged
    for line in logged:
        record = json.loads(line)
        assert record["service"] == service, line
        assert re.fullmatch(r"[0-9-]{10}T[0-9:.]{8,15}Z", record["timestamp"]), line
        assert record["level"] in {"debug", "info", "warning", "error", "critical"}


def test_no_log_holds_a_name_or_an_address(stack: Stack, caller: Call) -> None:
    name, contact, about_ = f"Synthetic {new_id('Person')}", f"{new_id('a')}@example.org", new_id("confidence")
    details = {"name": name, "contact": contact, "about": about_}
    fiji, asking, given, key = (
        caller("focal_point", member="FJI"),
        caller(),
        new_id("correlation"),
        new_id("nomination"),
    )
    accepted(fiji.post("nominations", "/nominations", nomination(key, details=details)))
    for body in (
        nomination(key, details=details),
        nomination(new_id("n"), details=details | {name: contact}),
        nomination(new_id("n"), details=details | {"contact": f"{contact}\n"}),
        nomination(new_id("n"), "TUV", details=details),
        nomination(new_id("n"), details=[name, contact]),
    ):
        answer = fiji.post("nominations", "/nominations", body, X_Correlation_Id=given)
        assert answer.status_code in {409, 422}
    broken = b'{"details":{"name":"%b","contact":"%b"' % (name.encode(), contact.encode())
    assert fiji.raw("nominations", "/nominations", broken, X_Correlation_Id=given).status_code == 400
    assert asking.get("nominations", f"/nominations/{key}", at_least=1, wait=20).json()["state"]["details"] == details
    body = {"details": {"name": name, "address": contact}, "events": ["MeetingHeld"]}
    accepted(asking.post("notifications", "/subscriptions", body))
    assert asking.post("notifications", "/subscriptions", body | {"events": []}).status_code == 422
    assert about(stack, "nominations", given)
    for log in (stack.home / "logs").iterdir():
        text = log.read_text(errors="replace")
        assert not [word for word in (name, contact, about_, name.partition(" ")[2]) if word in text], log.name
