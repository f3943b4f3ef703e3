"""A retried command is carried out once, regardless of concurrent retries and of later events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from tests.http.asking import Caller, Records, accepted, draft, meeting, new_id, nomination, problem

pytestmark = pytest.mark.servers
Call = Callable[..., Caller]
LATER = {"starts_at": "2021-04-01T09:00:00+07:00", "ends_at": "2021-04-01T12:00:00+07:00"}
CLIENTS = 20


def concurrently(send: Callable[[int], httpx2.Response]) -> list[httpx2.Response]:
    """Send the same request from many clients concurrently."""
    with ThreadPoolExecutor(CLIENTS) as clients:
        return list(clients.map(send, range(CLIENTS)))


def proposed(asking: Caller) -> str:
    key = new_id("meeting")
    accepted(asking.post("meetings", "/meetings", meeting(key)))
    return key


def test_the_same_command_again_gives_its_first_result(caller: Call, records: Records) -> None:
    asking, key = caller(), new_id("command")
    body = meeting(new_id("meeting"))
    first, again = (accepted(asking.post("meetings", "/meetings", body, key=key)) for _ in range(2))
    assert (first.pop("replayed"), again.pop("replayed")) == (False, True)
    assert first == again
    assert records.stored_by(asking, "meetings") == 1


def test_a_command_id_in_quotes_is_the_same_id(caller: Call, records: Records) -> None:
    asking, key, body = caller(), new_id("command"), meeting(new_id("meeting"))
    first = accepted(asking.post("meetings", "/meetings", body, key=f'"{key}"'))
    again = accepted(asking.post("meetings", "/meetings", body, key=key))
    assert (first["replayed"], again["replayed"], first["events"]) == (False, True, again["events"])
    assert len(records.commits("meetings", command_id=key)) == 1


def test_a_sealed_command_again_gives_its_first_result(caller: Call, records: Records) -> None:
    fiji, key = caller("focal_point", member="FJI"), new_id("command")
    body = nomination("ignored")
    del body["nomination"]
    first, again = (accepted(fiji.post("nominations", "/nominations", body, key=key)) for _ in range(2))
    assert (first["stream"], first["events"]) == (again["stream"], again["events"])
    assert records.stored_by(fiji, "nominations") == 1


def test_twenty_clients_with_one_command_make_one_commit(caller: Call, records: Records) -> None:
    asking, key = caller(), new_id("command")
    path = f"/meetings/{proposed(asking)}/reschedule"
    answers = [accepted(answer) for answer in concurrently(lambda _: asking.post("meetings", path, LATER, key=key))]
    assert Counter(answer["replayed"] for answer in answers) == {False: 1, True: CLIENTS - 1}
    assert len({answer["events"][0]["id"] for answer in answers}) == 1
    assert {answer["version"] for answer in answers} == {2}
    assert len(records.commits("meetings", command_id=key)) == 1
    assert records.stored_by(asking, "meetings") == 2


def test_twenty_clients_that_create_the_same_record_make_one_commit(caller: Call, records: Records) -> None:
    asking, key, body = caller(), new_id("command"), draft()
    answers = concurrently(lambda _: asking.post("recommendations", "/recommendations", body, key=key))
    assert len({accepted(answer)["events"][0]["id"] for answer in answers}) == 1
    assert records.stored_by(asking, "recommendations") == 1


def test_twenty_concurrent_commands_on_one_record_are_all_carried_out_in_turn(caller: Call, records: Records) -> None:
    asking = caller()
    path = f"/meetings/{proposed(asking)}/reschedule"
    answers = concurrently(lambda _: patient(asking, path))
    assert sorted(accepted(answer)["version"] for answer in answers) == list(range(2, CLIENTS + 2))
    assert records.stored_by(asking, "meetings") == CLIENTS + 1


def patient(asking: Caller, path: str) -> httpx2.Response:
    """Send one command until the service has time for it."""
    key = new_id("command")
    while (answer := asking.post("meetings", path, LATER, key=key)).status_code == 503:
        problem(answer, 503, "TooManyWriters")
        assert answer.headers["Retry-After"] == "1"
    return answer


def test_a_command_id_stands_for_one_command_of_one_actor(caller: Call, records: Records) -> None:
    asking, other, key = caller(), caller(), new_id("command")
    first, second = proposed(asking), proposed(asking)
    accepted(asking.post("meetings", f"/meetings/{first}/reschedule", LATER, key=key))
    other_body = LATER | {"reason": "Synthetic reason"}
    for sender, path, body in (
        (asking, f"/meetings/{first}/reschedule", other_body),
        (asking, f"/meetings/{second}/reschedule", LATER),
        (asking, f"/meetings/{first}/cancel", {"reason": "Synthetic reason"}),
        (asking, "/meetings", meeting(first)),
        (other, f"/meetings/{first}/reschedule", LATER),
    ):
        problem(sender.post("meetings", path, body, key=key), 422, "CommandIdReused")
    assert len(records.commits("meetings", command_id=key)) == 1
    assert records.stored_by(other, "meetings") == 0
    refused = records.refusals("meetings", command_id=key)
    assert [(each["rule"], each["actor"]) for each in refused] == [
        ("CommandIdReused", asking.actor if index < 4 else other.actor) for index in range(5)
    ]


def test_one_of_several_concurrent_commands_under_one_id_is_carried_out(caller: Call, records: Records) -> None:
    asking, key = caller(), new_id("command")
    path = f"/meetings/{proposed(asking)}/reschedule"
    answers = concurrently(
        lambda n: asking.post("meetings", path, LATER | {"reason": f"Synthetic reason {n}"}, key=key)
    )
    outcomes = Counter(answer.json().get("rule", "accepted") for answer in answers)
    assert outcomes == {"accepted": 1, "CommandIdReused": CLIENTS - 1}
    assert len(records.commits("meetings", command_id=key)) == 1


def test_a_refused_command_may_succeed_later_under_its_id(caller: Call, records: Records) -> None:
    asking, chair, key = caller(), caller("chair"), new_id("command")
    path = f"/meetings/{proposed(asking)}"
    problem(asking.post("meetings", f"{path}/hold", key=key), 422, "TwoConfirmationsConveneAMeeting")
    for confirms in (asking, chair):
        accepted(confirms.post("meetings", f"{path}/confirm"))
    held = accepted(asking.post("meetings", f"{path}/hold", key=key))
    assert (held["replayed"], held["version"]) == (False, 5)
    assert accepted(asking.post("meetings", f"{path}/hold", key=key))["replayed"]
    assert len(records.refusals("meetings", command_id=key)) == 1


def test_a_retry_gives_the_first_result_though_the_record_has_moved_on(caller: Call, records: Records) -> None:
    asking, propose, reschedule = caller(), new_id("command"), new_id("command")
    key = new_id("meeting")
    first = accepted(asking.post("meetings", "/meetings", meeting(key), key=propose, If_Match='"0"'))
    second = accepted(asking.post("meetings", f"/meetings/{key}/reschedule", LATER, key=reschedule, If_Match='"1"'))
    accepted(asking.post("meetings", f"/meetings/{key}/cancel", {"reason": "Synthetic reason"}))
    retried: list[tuple[dict[str, Any], httpx2.Response]] = [
        (first, asking.post("meetings", "/meetings", meeting(key), key=propose)),
        (first, asking.post("meetings", "/meetings", meeting(key), key=propose, If_Match='"0"')),
        (second, asking.post("meetings", f"/meetings/{key}/reschedule", LATER, key=reschedule, If_Match='"1"')),
        (second, asking.post("meetings", f"/meetings/{key}/reschedule", LATER, key=reschedule, If_Match='"99"')),
    ]
    for before, answer in retried:
        assert accepted(answer) == before | {"replayed": True}
    assert records.stored_by(asking, "meetings") == 3
    assert records.refusals("meetings", actor=asking.actor) == []


@pytest.mark.parametrize(
    "key",
    ["", "short", "x" * 101, "with space in it", "with/slash-in-it", "ünïcode-ünïcode", '"short"', '"half-quoted-key'],
)
def test_a_command_id_that_is_none_is_refused(key: str, caller: Call, records: Records) -> None:
    asking = caller()
    headers = {b"Idempotency-Key": key.encode()}
    answer = asking.request("POST", "meetings", "/meetings", json=meeting(new_id("meeting")), headers=headers)
    outcomes = problem(answer, 422, "SchemaViolation")
    assert [fault["field"] for fault in outcomes["errors"]] == ["header.Idempotency-Key"]
    assert records.stored_by(asking, "meetings") == 0


def test_a_command_without_an_id_is_refused(caller: Call, records: Records) -> None:
    asking = caller()
    answer = asking.request("POST", "meetings", "/meetings", json=meeting(new_id("meeting")))
    outcomes = problem(answer, 422, "SchemaViolation")
    assert outcomes["errors"] == [{"field": "header.Idempotency-Key", "rule": "missing", "message": "must be given"}]
    assert records.stored_by(asking, "meetings") == 0
