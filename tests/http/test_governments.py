"""A focal point speaks for its own member; names are opened for those who may see them, and for nobody else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.http.asking import Caller, Records, accepted, new_id, nomination, problem
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
Call = Callable[..., Caller]
RULE = "OnlyTheMembersOwnGovernmentNominates"


@pytest.fixture
def of_fiji(caller: Call) -> str:
    """A nomination by Fiji, returned by the secretariat, consumed by every service of the kind."""
    key, fiji, secretariat = new_id("nomination"), caller("focal_point", member="FJI"), caller()
    accepted(fiji.post("nominations", "/nominations", nomination(key)))
    accepted(secretariat.post("nominations", f"/nominations/{key}/return", {"reason": "Synthetic: a page is missing"}))
    assert fiji.get("nominations", f"/nominations/{key}", at_least=2, wait=20).status_code == 200
    return key


def test_a_focal_point_acts_for_no_other_member(of_fiji: str, caller: Call, records: Records) -> None:
    tuvalu = caller("focal_point", member="TUV")
    again = nomination(of_fiji)
    del again["nomination"], again["member"]
    answers = {
        "submit": tuvalu.post(
            "nominations", "/nominations", nomination(new_id("nomination"), "FJI"), key=new_id("submit")
        ),
        "resubmit": tuvalu.post("nominations", f"/nominations/{of_fiji}/resubmit", again, key=new_id("resubmit")),
        "withdraw": tuvalu.post("nominations", f"/nominations/{of_fiji}/withdraw", key=new_id("withdraw")),
    }
    for answer in answers.values():
        document = problem(answer, 422, RULE)
        assert (document["kind"], document["paragraph"]) == ("note", "20")
    refusals = records.refusals("nominations", actor=tuvalu.actor)
    assert [(each["role"], each["rule"], each["command_id"].split("-")[0]) for each in refusals] == [
        ("focal_point", RULE, command) for command in answers
    ]
    assert records.stored_by(tuvalu, "nominations") == 0


@pytest.mark.parametrize("validate", ["", "?validate=true"])
def test_a_focal_point_learns_no_difference_of_anothers_nomination_and_none(
    validate: str, of_fiji: str, caller: Call
) -> None:
    tuvalu, again = caller("focal_point", member="TUV"), nomination(of_fiji)
    del again["nomination"], again["member"]
    says = set()
    for key in (of_fiji, new_id("absent")):
        for word, body in (("resubmit", again), ("amend", again), ("withdraw", {})):
            refused = problem(tuvalu.post("nominations", f"/nominations/{key}/{word}{validate}", body), 422, RULE)
            says.add(refused["detail"].replace(key, "…").partition(":")[0])
    assert says == {"nomination/… is not of your Government, or is not on record"}


def test_a_focal_point_does_all_that_for_its_own_member(of_fiji: str, caller: Call) -> None:
    fiji = caller("focal_point", member="FJI")
    again = nomination(of_fiji)
    del again["nomination"], again["member"]
    assert accepted(fiji.post("nominations", f"/nominations/{of_fiji}/resubmit", again))["version"] == 3
    assert accepted(fiji.post("nominations", f"/nominations/{of_fiji}/withdraw"))["version"] == 4


def test_a_focal_point_reads_no_other_members_nomination(of_fiji: str, caller: Call, records: Records) -> None:
    tuvalu, fiji = caller("focal_point", member="TUV"), caller("focal_point", member="FJI")
    problem(tuvalu.get("nominations", f"/nominations/{of_fiji}"), 403, "NotYoursToRead")
    problem(tuvalu.get("nominations", f"/nominations/{of_fiji}", at_least=9, wait=0), 409, "NotHeardYet")
    problem(tuvalu.get("nominations", "/nominations", member="FJI"), 403, "NotYoursToRead")
    listed = tuvalu.get("nominations", "/nominations", limit=1).json()
    assert {item["state"]["particulars"]["member"] for item in listed["items"]} <= {"TUV"}
    assert listed.get("next") in {None, *(item["stream"] for item in listed["items"])}, "not even another's id"
    assert [each["rule"] for each in records.refusals("nominations", actor=tuvalu.actor)] == ["NotYoursToRead"] * 2
    own = fiji.get("nominations", "/nominations", stage="returned", limit=1_000).json()["items"]
    assert f"nomination/{of_fiji}" in {item["stream"] for item in own}
    assert {item["state"]["particulars"]["member"] for item in own} == {"FJI"}


def test_only_government_and_secretariat_see_a_name(stack: Stack, caller: Call) -> None:
    key, name, contact = new_id("nomination"), f"Synthetic {new_id('Person')}", f"{new_id('a')}@example.org"
    fiji, details = caller("focal_point", member="FJI"), {"name": name, "contact": contact}
    accepted(fiji.post("nominations", "/nominations", nomination(key, details=details)))
    path = f"/nominations/{key}"
    for opens in (fiji, caller("secretariat")):
        shown = opens.get("nominations", path, at_least=1, wait=20).json()["state"]
        assert shown["details"] == details
    for reads in (caller("expert"), caller("chair")):
        assert reads.get("nominations", path).status_code in {403, 404}
        assert name not in reads.get("nominations", "/nominations", limit=1_000).text
    auditor = caller("auditor")
    answer = auditor.get("nominations", path)
    assert "details" not in answer.json()["state"]
    assert len(answer.json()["state"]["particulars"]["sealed"]["box"]) > 40
    assert name not in answer.text
    assert name not in auditor.get("nominations", "/nominations", limit=1_000).text
    for service, path in (
        ("nominations", f"/streams/nomination/{key}"),
        ("nominations", "/journal"),
        ("nominations", "/refusals"),
        ("notifications", "/journal"),
        ("meetings", "/journal"),
    ):
        answer = auditor.get(service, path)
        assert answer.status_code == 200
        assert name not in answer.text
        assert contact not in answer.text


def test_a_subscribers_address_is_opened_for_the_secretariat_alone(caller: Call) -> None:
    key, address = new_id("subscription"), f"{new_id('reader')}@example.org"
    body = {"subscription": key, "events": ["MeetingCancelled"], "details": {"name": "Synthetic", "address": address}}
    accepted(caller().post("notifications", "/subscriptions", body))
    path = f"/subscriptions/{key}"
    assert caller().get("notifications", path, at_least=1, wait=20).json()["state"]["details"]["address"] == address
    answer = caller("auditor").get("notifications", path)
    assert answer.status_code == 200
    assert address not in answer.text
    assert answer.json()["state"]["added"]["sealed"]["box"]
    accepted(caller().post("notifications", f"{path}/remove"))
