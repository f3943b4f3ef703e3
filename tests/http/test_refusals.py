"""Every refusal of an authenticated caller is stored for good, without the request's body."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tests.http.asking import Caller, Records, accepted, draft, meeting, new_id
from tools.deployment import grants
from tools.local.stack import ALL_FOUR, Stack

pytestmark = pytest.mark.servers
Call = Callable[..., Caller]
SECRET = "synthetic words that nobody may keep"


def test_a_refusal_says_who_when_which_command_and_which_rule(caller: Call, records: Records) -> None:
    asking, chair = caller(), caller("chair")
    keys = [new_id("command") for _ in range(7)]
    begun = datetime.now(UTC) - timedelta(seconds=1)
    known = draft()
    accepted(asking.post("recommendations", "/recommendations", known))
    asking.post("recommendations", "/recommendations", draft(title=SECRET, surprise=SECRET), key=keys[0])
    asking.post(
        "recommendations",
        f"/recommendations/{known['reference']}/transmit",
        {"session": 999, "note": SECRET},
        key=keys[1],
    )
    asking.post("recommendations", "/recommendations", known | {"title": SECRET}, key=keys[2])
    asking.post(
        "recommendations",
        f"/recommendations/{known['reference']}/revise",
        {"title": SECRET},
        key=keys[3],
        If_Match='"7"',
    )
    asking.post("recommendations", "/recommendations", draft(text="ป" * 19_000, note="ป" * 19_000), key=keys[4])
    asking.raw("recommendations", "/recommendations", b"{" + SECRET.encode(), Idempotency_Key=keys[5])
    chair.post("recommendations", "/recommendations", draft(title=SECRET), key=keys[6])
    refusals = [records.refusals("recommendations", command_id=key) for key in keys]
    assert all(len(each) == 1 for each in refusals)
    assert [(each["rule"], each["request"]) for [each] in refusals] == [
        ("SchemaViolation", "POST /recommendations"),
        ("NamesUnknownSession", "TransmitRecommendation"),
        ("OutOfOrder", "DraftRecommendation"),
        ("VersionConflict", "ReviseRecommendation"),
        ("EventTooLarge", "DraftRecommendation"),
        ("BodyNotJson", "POST /recommendations"),
        ("RoleMayNot", "POST /recommendations"),
    ]
    for [each] in refusals:
        assert (each["actor"], each["role"]) in {(asking.actor, "secretariat"), (chair.actor, "chair")}
        assert begun < each["at"].replace(tzinfo=UTC) < datetime.now(UTC) + timedelta(seconds=1)
        assert SECRET not in str(each)
    assert records.stored_by(asking, "recommendations") == 1


def test_a_refused_read_is_stored_and_a_missing_resource_is_no_refusal(caller: Call, records: Records) -> None:
    expert, key = caller("expert"), new_id("meeting")
    assert expert.get("meetings", f"/streams/meeting/{key}").status_code == 403
    assert expert.get("meetings", "/meetings", limit="many").status_code == 422
    assert expert.get("meetings", f"/meetings/{key}").status_code == 404
    assert expert.get("meetings", f"/meetings/{key}", at_least=5, wait=0).status_code == 409
    assert expert.get("meetings", "/meetings").status_code == 200
    refusals = records.refusals("meetings", actor=expert.actor)
    assert [(each["rule"], each["request"]) for each in refusals] == [
        ("RoleMayNot", "GET /streams/{stream:path}"),
        ("SchemaViolation", "GET /meetings"),
    ]


def test_auditors_see_the_newest_refusals(caller: Call) -> None:
    asking, key = caller("chair"), new_id("command")
    asking.post("meetings", "/meetings", meeting(new_id("meeting")), key=key)
    auditor = caller("auditor")
    [newest] = auditor.get("meetings", "/refusals", limit=1).json()
    assert (newest["actor"], newest["rule"], newest["command_id"]) == (asking.actor, "RoleMayNot", key)
    assert datetime.fromisoformat(newest["at"]).utcoffset() == timedelta(0)
    assert len(auditor.get("meetings", "/refusals", limit=3).json()) == 3
    for odd in ("0", "1001", "x"):
        assert auditor.get("meetings", "/refusals", limit=odd).status_code == 422


def test_refusals_are_listed_by_role_however_many_of_others_are_newer(caller: Call) -> None:
    auditor, asking, key = caller("auditor"), caller("chair"), new_id("command")
    asking.post("meetings", "/meetings", meeting(new_id("meeting")), key=key)
    caller("expert").get("meetings", f"/streams/meeting/{new_id('meeting')}")
    [newest] = auditor.get("meetings", "/refusals", limit=1, role="chair").json()
    assert newest["command_id"] == key
    assert {each["role"] for each in auditor.get("meetings", "/refusals", role="system").json()} <= {"system"}
    assert auditor.get("meetings", "/refusals", role="anybody").status_code == 422


@pytest.mark.parametrize("service", ALL_FOUR)
def test_a_service_can_neither_change_nor_delete_a_refusal(service: str, stack: Stack, caller: Call) -> None:
    caller("chair").post(service, "/operations/rebuild")
    with MongoClient(stack.mongodb_uri(service)) as own:
        refusals = own[grants.database(service)].refusals
        assert refusals.find_one() is not None
        for attempt in (
            lambda: refusals.update_many({}, {"$set": {"rule": "forged"}}),
            lambda: refusals.replace_one({}, {}),
            lambda: refusals.delete_many({}),
            refusals.drop,
        ):
            with pytest.raises(OperationFailure, match="not authorized"):
                attempt()
