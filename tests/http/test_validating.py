"""A command that is only validated: decided as it would be, and nothing of it recorded, in any service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.http.asking import Caller, Records, accepted, draft, meeting, new_id, nomination, problem
from tools.deployment import grants

pytestmark = pytest.mark.servers
Call = Callable[..., Caller]


def subscription(key: str) -> dict[str, Any]:
    details = {"name": "Synthetic Reader", "address": "synthetic.reader@example.org"}
    return {"subscription": key, "details": details, "events": ["MeetingConvened"]}


FIRST: dict[str, tuple[str, Callable[[str], dict[str, Any]], str]] = {
    "meetings": ("/meetings", meeting, "MeetingProposed"),
    "nominations": ("/nominations", nomination, "NominationSubmitted"),
    "notifications": ("/subscriptions", subscription, "SubscriptionAdded"),
    "recommendations": ("/recommendations", lambda _: draft(), "RecommendationDrafted"),
}


def validated(asking: Caller, service: str, path: str, body: Any = None, **headers: str) -> Any:
    return asking.post(service, f"{path}?validate=true", {} if body is None else body, **headers)


def nothing_recorded(asking: Caller, service: str, records: Records) -> bool:
    return records.stored_by(asking, service) == 0 and records.refusals(service, actor=asking.actor) == []


@pytest.mark.parametrize("service", FIRST)
def test_a_valid_command_says_what_it_would_record(service: str, caller: Call, records: Records) -> None:
    asking, key = caller(), new_id("validated")
    path, body_of, event = FIRST[service]
    body = body_of(key)
    answer = validated(asking, service, path, body, key=key)
    document = accepted_only(answer)
    assert (document["version"], document["replayed"], answer.headers["ETag"]) == (1, False, '"0"')
    [shown] = document["events"]
    assert (shown["type"], shown["version"], "id" in shown) == (f"throughline.{service}.{event}.v1", 1, False)
    assert shown["data"]
    assert "sealed" not in shown["data"]
    assert nothing_recorded(asking, service, records)
    done = accepted(asking.post(service, path, body, key=key))
    assert (done["stream"], done["version"], done["replayed"]) == (document["stream"], 1, False)
    again = validated(asking, service, path, body, key=key)
    assert accepted(again)["replayed"]


def accepted_only(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    assert document["validated"] is True
    return document


@pytest.mark.parametrize("service", FIRST)
def test_a_command_that_would_be_refused_is_and_no_refusal_is_recorded(
    service: str, caller: Call, records: Records
) -> None:
    asking, path = caller(), FIRST[service][0]
    problem(validated(asking, service, path, {"synthetic_unknown_field": 1}), 422, "SchemaViolation")
    one = {"meetings": "/meetings/{}/hold", "nominations": "/nominations/{}/accept",
           "notifications": "/subscriptions/{}/remove", "recommendations": "/priorities/{}/close"}  # fmt: skip
    body = {"reason": "achieved"} if service == "recommendations" else {}
    problem(validated(asking, service, one[service].format(new_id()), body), 409, "OutOfOrder")
    assert nothing_recorded(asking, service, records)


def test_a_role_that_may_not_command_is_recorded_as_ever(caller: Call, records: Records) -> None:
    asking = caller("expert")
    problem(validated(asking, "meetings", "/meetings", meeting(new_id())), 403, "RoleMayNot")
    assert [each["rule"] for each in records.refusals("meetings", actor=asking.actor)] == ["RoleMayNot"]


def test_corrections_voids_and_preconditions_are_validated_too(caller: Call, records: Records) -> None:
    key, officer, asking = new_id("meeting"), caller(), caller()
    accepted(officer.post("meetings", "/meetings", meeting(key)))
    path = f"/meetings/{key}"
    corrected = {"corrects": 1, "data": meeting(key, title="Synthetic, put right"), "reason": "Synthetic slip"}
    document = accepted_only(validated(asking, "meetings", f"{path}/correct", corrected))
    assert [event["type"] for event in document["events"]] == ["throughline.meetings.RecordCorrected.v1"]
    voided = {"voids": 1, "reason": "Synthetic slip"}
    assert accepted_only(validated(asking, "meetings", f"{path}/void", voided))["version"] == 2
    problem(validated(asking, "meetings", f"{path}/void", voided, If_Match='"7"'), 412, "VersionConflict")
    moved = {"starts_at": "2021-03-08", "ends_at": "2021-03-07"}
    document = problem(validated(asking, "meetings", f"{path}/reschedule", moved), 422, "EndsBeforeItStarts")
    assert document["errors"][0]["field"] == "body.ends_at"
    assert nothing_recorded(asking, "meetings", records)
    assert officer.get("meetings", path, at_least=1, wait=20).json()["version"] == 1


def test_no_key_is_made_for_a_person_nor_destroyed(caller: Call, records: Records) -> None:
    officer, key, person = caller(), new_id("subscription"), new_id("person")
    keys = records._mongo[grants.database("notifications")]["keys"]
    body = subscription(key) | {"person": person}
    accepted_only(validated(officer, "notifications", "/subscriptions", body))
    assert keys.count_documents({"_id": person}) == 0
    accepted(officer.post("notifications", "/subscriptions", body))
    before = keys.find_one({"_id": person})
    assert before is not None
    reason = {"reason": "Synthetic: by request"}
    accepted_only(validated(officer, "notifications", f"/subscribers/{person}/erase", reason))
    assert keys.find_one({"_id": person}) == before
