"""Versions: what is decided upon, what is answered, what is waited for."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.http.asking import Caller, Records, accepted, draft, meeting, new_id, problem

pytestmark = pytest.mark.servers
Call = Callable[..., Caller]
LATER = {"starts_at": "2021-04", "ends_at": "2021-04"}


@pytest.fixture
def path(caller: Call) -> str:
    """A meeting at version 2."""
    key, asking = new_id("meeting"), caller()
    accepted(asking.post("meetings", "/meetings", meeting(key)))
    accepted(asking.post("meetings", f"/meetings/{key}/reschedule", LATER))
    return f"/meetings/{key}"


def test_a_command_for_the_version_that_holds_is_carried_out(path: str, caller: Call) -> None:
    asking = caller()
    read = asking.get("meetings", path, at_least=2, wait=20)
    assert read.headers["ETag"] == '"2"'
    done = accepted(asking.post("meetings", f"{path}/reschedule", LATER, If_Match=read.headers["ETag"]))
    assert done["version"] == 3


@pytest.mark.parametrize("version", ['"1"', '"3"', '"0"', '"999999999"', 'W/"2"', '"1", "3"', '"two"', '"2.0"', '""'])
def test_a_command_for_another_version_is_refused_and_never_decided_again(
    version: str, path: str, caller: Call, records: Records
) -> None:
    asking, key = caller(), new_id("command")
    answer = asking.post("meetings", f"{path}/reschedule", LATER, key=key, If_Match=version)
    assert "is at version 2" in problem(answer, 412, "VersionConflict")["detail"]
    assert records.stored_by(asking, "meetings") == 0
    assert [each["rule"] for each in records.refusals("meetings", command_id=key)] == ["VersionConflict"]
    assert accepted(asking.post("meetings", f"{path}/reschedule", LATER, key=key, If_Match='"2"'))["version"] == 3


@pytest.mark.parametrize("versions", ["*", '"2","3"', '"1", W/"7", "2"', '"2" ,'])
def test_a_command_for_one_of_several_versions_or_any_is_carried_out(versions: str, path: str, caller: Call) -> None:
    assert accepted(caller().post("meetings", f"{path}/reschedule", LATER, If_Match=versions))["version"] == 3


def test_any_version_is_one_that_is_on_record(caller: Call) -> None:
    answer = caller().post("meetings", f"/meetings/{new_id()}/cancel", {"reason": "Synthetic"}, If_Match="*")
    assert "is at version 0" in problem(answer, 412, "VersionConflict")["detail"]


@pytest.mark.parametrize("version", ["two", "2", '"2', "9" * 400, '*, "2"', '"2" "3"'])
def test_an_invalid_version_is_refused(version: str, path: str, caller: Call, records: Records) -> None:
    asking = caller()
    headers = {b"Idempotency-Key": new_id("command").encode(), b"If-Match": version.encode()}
    answer = asking.request("POST", "meetings", f"{path}/reschedule", json=LATER, headers=headers)
    problem(answer, 400, "IfMatchNotAVersion")
    assert records.stored_by(asking, "meetings") == 0
    assert [each["rule"] for each in records.refusals("meetings", actor=asking.actor)] == ["IfMatchNotAVersion"]


@pytest.mark.parametrize("_round", range(5))
def test_a_written_version_is_read(_round: int, caller: Call) -> None:
    asking, body = caller(), draft()
    done = accepted(asking.post("recommendations", "/recommendations", body))
    path = f"/recommendations/{body['reference']}"
    read = asking.get("recommendations", path, at_least=done["version"], wait=20)
    assert (read.status_code, read.headers["ETag"]) == (200, '"1"')
    assert read.json()["state"]["drafted"]["data"]["title"] == body["title"]
    trace = asking.get("recommendations", f"/traces/{body['reference']}", at_least=done["version"], wait=20)
    assert trace.json()["trace"]["recommendation"]["title"] == body["title"]


def test_a_read_waits_for_a_missing_version_as_long_as_requested(path: str, caller: Call) -> None:
    asking = caller()
    assert asking.get("meetings", path, at_least=2, wait=20).status_code == 200
    begun = time.monotonic()
    answer = asking.get("meetings", path, at_least=3, wait=0.5)
    assert answer.headers["Retry-After"] == "1"
    assert "not yet at 3" in problem(answer, 409, "NotHeardYet")["detail"]
    assert 0.5 <= time.monotonic() - begun < 20
    problem(asking.get("meetings", f"{path}-nobody", at_least=0, wait=0), 404, "NotOnRecord")


@pytest.mark.parametrize(
    ("name", "value"),
    [("wait", "nan"), ("wait", "inf"), ("wait", "-1"), ("wait", "31"), ("wait", "soon"), ("at_least", "-1"),
     ("at_least", "1.5"), ("at_least", "x")],
)  # fmt: skip
def test_an_invalid_wait_is_refused(name: str, value: str, path: str, caller: Call) -> None:
    document = problem(caller().get("meetings", path, **{name: value}), 422, "SchemaViolation")
    assert [fault["field"] for fault in document["errors"]] == [f"query.{name}"]


def test_a_command_that_lacks_a_foreign_fact_may_be_retried(path: str, caller: Call, records: Records) -> None:
    asking, key = caller(), new_id("command")
    priority = {"title": "Synthetic", "outcome": "Synthetic", "timeline_to": "2022", "meeting": new_id("meeting")}
    for service, where, body in (
        ("meetings", f"{path}/agenda", {"item": "i1", "title": "Synthetic", "priority": new_id("priority")}),
        ("recommendations", "/priorities", priority | {"priority": new_id("priority")}),
    ):
        answer = asking.post(service, where, body, key=key)
        assert problem(answer, 409, "NotHeardYet")["kind"] == "reference"
        assert answer.headers["Retry-After"] == "1"
        assert records.stored_by(asking, service) == 0
        assert [each["rule"] for each in records.refusals(service, command_id=key)] == ["NotHeardYet"]


def test_a_command_that_does_not_fit_the_state_is_out_of_order_without_retry(path: str, caller: Call) -> None:
    answer = caller().post("meetings", f"{path}/outcomes", {"outcome": "o", "kind": "decision", "text": "Synthetic"})
    assert problem(answer, 409, "OutOfOrder")["kind"] == "order"
    assert "Retry-After" not in answer.headers
