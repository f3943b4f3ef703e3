"""Facts that cannot be are refused over HTTP, by commands and corrections, with the field and the remedy."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.http.asking import Caller, accepted, meeting, new_id, problem

pytestmark = pytest.mark.servers
Call = Callable[..., Caller]
RECORDED: dict[str, Any] = {"title": "Synthetic forum", "kind": "forum", "starts_at": "2024-05-08"}


def field_of(document: dict[str, Any]) -> str:
    """Return the one field that a problem names."""
    [fault] = document["errors"]
    assert fault["rule"] == document["rule"]
    return str(fault["field"])


@pytest.mark.parametrize(
    ("change", "rule", "field"),
    [
        ({"starts_at": "2024-05-10", "ends_at": "2024-05-08"}, "EndsBeforeItStarts", "ends_at"),
        ({"starts_at": "9999"}, "FactLiesInTheFuture", "starts_at"),
    ],
)
def test_a_meeting_that_cannot_have_been_is_neither_recorded_nor_corrected(
    caller: Call, change: dict[str, str], rule: str, field: str
) -> None:
    asking, key = caller(), new_id("meeting")
    body = {"meeting": key, **RECORDED}
    assert field_of(problem(asking.post("meetings", "/recorded-meetings", body | change), 422, rule)) == f"body.{field}"
    accepted(asking.post("meetings", "/recorded-meetings", body))
    correction = {"corrects": 1, "data": body | change, "reason": "Synthetic"}
    refused = problem(asking.post("meetings", f"/meetings/{key}/correct", correction), 422, rule)
    assert field_of(refused) == f"body.data.{field}"


def test_a_time_zone_is_checked_where_a_meeting_is_proposed_moved_and_corrected(caller: Call) -> None:
    asking, key = caller(), new_id("meeting")
    zoned = meeting(key, time_zone="Asia/Bangkok")
    problem(asking.post("meetings", "/meetings", zoned | {"time_zone": "Bangkok"}), 422, "UnknownTimeZone")
    problem(asking.post("meetings", "/meetings", zoned | {"time_zone": "Asia/Tokyo"}), 422, "TimeZoneDoesNotFit")
    accepted(asking.post("meetings", "/meetings", zoned))
    moved = {"starts_at": "2021-04-01T09:00:00+09:00", "ends_at": "2021-04-01T12:00:00+09:00"}
    problem(asking.post("meetings", f"/meetings/{key}/reschedule", moved), 422, "TimeZoneDoesNotFit")
    accepted(asking.post("meetings", f"/meetings/{key}/reschedule", moved | {"time_zone": "Asia/Tokyo"}))
    correction = {"corrects": 2, "data": moved | {"by": "secretariat"}, "reason": "Synthetic"}
    problem(asking.post("meetings", f"/meetings/{key}/correct", correction), 422, "TimeZoneDoesNotFit")


def test_an_instrument_is_registered_once_under_its_citation(caller: Call) -> None:
    asking, key = caller(), new_id("instrument")
    body = {"instrument": key, "cite": f"Décision {key}", "body": "SYN", "title": "Synthetic"}
    accepted(asking.post("recommendations", "/instruments", body))
    asking.get("recommendations", f"/instruments/{key}", at_least=1, wait=20)
    again = body | {"instrument": f"{key}-2", "cite": f"DE\u0301CISION{key}"}
    refused = problem(asking.post("recommendations", "/instruments", again), 422, "InstrumentIsRegistered")
    assert field_of(refused) == "body.cite"
    assert f"instrument/{key}" in refused["detail"]
    other = again | {"cite": f"Another {key}"}
    accepted(asking.post("recommendations", "/instruments", other))
    correction = {"corrects": 1, "data": again, "reason": "Synthetic"}
    answer = asking.post("recommendations", f"/instruments/{key}-2/correct", correction)
    assert field_of(problem(answer, 422, "InstrumentIsRegistered")) == "body.data.cite"


def test_two_registrations_at_the_same_moment_note_each_other(caller: Call) -> None:
    asking, key = caller(), new_id("instrument")
    names = (f"{key}-a", f"{key}-b")

    def register(name: str) -> int:
        body = {"instrument": name, "cite": f"Synthetic {key}", "body": "SYN", "title": "Synthetic"}
        status: int = asking.post("recommendations", "/instruments", body).status_code
        return status

    with ThreadPoolExecutor(2) as pool:
        statuses = sorted(pool.map(register, names))
    assert statuses in ([200, 200], [200, 422])
    for name, other in (names, names[::-1]) if statuses == [200, 200] else ():
        shown = asking.get("recommendations", f"/instruments/{name}", at_least=2, wait=20).json()["state"]
        assert [item["data"]["other"] for item in shown["doubles"]] == [other]
        # what was recorded twice may be put right in its other fields
        right = shown["registered"]["data"] | {"title": "Synthetic, as it is called"}
        correction = {"corrects": 1, "data": right, "reason": "Synthetic"}
        accepted(asking.post("recommendations", f"/instruments/{name}/correct", correction))


def test_a_session_of_another_body_is_recorded_under_body_and_number(caller: Call) -> None:
    asking, body = caller(), new_id("Commission")
    command = {"body": body, "session": 77, "starts_on": "2021-04-26", "ends_on": "2021-04-29"}
    stream = accepted(asking.post("recommendations", "/body-sessions", command))["stream"]
    assert stream == f"body_session/{body.lower()}-77"
    problem(asking.post("recommendations", "/body-sessions", command), 409, "OutOfOrder")
    path = f"/body-sessions/{stream.partition('/')[2]}"
    shown = asking.get("recommendations", path, at_least=1, wait=20).json()["state"]
    assert shown["recorded"]["data"]["starts_on"] == "2021-04-26"
    committee = command | {"body": "CED"}
    problem(asking.post("recommendations", "/body-sessions", committee), 422, "SessionIsTheCommittees")


def test_circles_strangers_and_discharges_of_no_duty_are_refused(caller: Call) -> None:
    asking, key = caller(), new_id("instrument")
    for each in (f"{key}-a", f"{key}-b"):
        body = {"instrument": each, "cite": f"Synthetic {each}", "body": "SYN", "title": "Synthetic"}
        accepted(asking.post("recommendations", "/instruments", body))
    accepted(asking.post("recommendations", f"/instruments/{key}-a/supersede", {"by": f"{key}-b"}))
    back = asking.post("recommendations", f"/instruments/{key}-b/supersede", {"by": f"{key}-a"})
    problem(back, 422, "RelationsFormACircle")
    itself = asking.post("recommendations", f"/instruments/{key}-b/supersede", {"by": f"{key}-b"})
    problem(itself, 422, "InstrumentRelatesToItself")
    provision = {"provision": "p", "summary": "Synthetic"}
    accepted(asking.post("recommendations", f"/instruments/{key}-a/provisions", provision))
    discharge = {"provision": "p", "document_symbol": "SYN/1"}
    answer = asking.post("recommendations", f"/instruments/{key}-a/discharge-reporting-duty", discharge)
    problem(answer, 422, "ProvisionHasNoReportingDuty")
    initiative = {"initiative": key, "title": "Synthetic", "supporting_member": "XXX"}
    stranger = problem(asking.post("recommendations", "/initiatives", initiative), 422, "NamesNoMember")
    assert field_of(stranger) == "body.supporting_member"
