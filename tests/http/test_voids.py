"""Voids over HTTP: in every service, refused in words, and asked about first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.http.asking import Caller, Records, accepted, meeting, new_id, nomination, problem

pytestmark = pytest.mark.servers
Call = Callable[..., Caller]
REASON = "Synthetic mistake"


def void(version: Any, **more: Any) -> dict[str, Any]:
    return {"voids": version, "reason": REASON} | more


def subscription(key: str) -> dict[str, Any]:
    details = {"name": "Synthetic Reader", "address": "synthetic.reader.of.voids@example.org"}
    return {"subscription": key, "details": details, "events": ["RecommendationAdopted"]}


def priority(key: str) -> dict[str, Any]:
    return {"priority": key, "title": "Synthetic", "outcome": "Synthetic", "timeline_to": "2032"}


EVERYWHERE: dict[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    "meetings": ("/meetings", meeting),
    "nominations": ("/nominations", nomination),
    "recommendations": ("/priorities", priority),
    "notifications": ("/subscriptions", subscription),
}


@pytest.mark.parametrize("service", EVERYWHERE)
def test_a_record_is_voided_in_every_service_and_holds_again_by_the_void_of_the_void(
    service: str, caller: Call, records: Records
) -> None:
    (path, body), key, asking = EVERYWHERE[service], new_id("record"), caller()
    accepted(asking.post(service, path, body(key)))
    one = f"{path}/{key}"
    assert accepted(asking.post(service, f"{one}/void", void(1, source="Synthetic"), If_Match='"1"'))["version"] == 2
    shown = asking.get(service, one, at_least=2, wait=20).json()["state"]
    assert (shown["stage"], shown["reason"], shown["source"]) == ("void", REASON, "Synthetic")
    again = problem(asking.post(service, path, body(key)), 409, "OutOfOrder")
    assert "which is void" in again["detail"]
    accepted(asking.post(service, f"{one}/void", void(2)))
    assert asking.get(service, one, at_least=3, wait=20).json()["state"]["stage"] != "void"


def test_a_void_that_does_not_fit_is_refused_and_stores_nothing(caller: Call, records: Records) -> None:
    key, first = new_id("meeting"), caller()
    accepted(first.post("meetings", "/meetings", meeting(key)))
    accepted(first.post("meetings", "/meetings", meeting(key + "-b")))
    accepted(first.post("meetings", f"/meetings/{key}/void", void(1)))
    asking, one = caller(), f"/meetings/{key}"
    refused = problem(asking.post("meetings", f"{one}/void", void(1)), 409, "VersionIsVoid")
    assert "void version 2" in refused["detail"]
    problem(asking.post("meetings", f"{one}/void", void(9)), 422, "VoidsNoEvent")
    correction = {"corrects": 1, "data": meeting(key), "reason": REASON}
    problem(asking.post("meetings", f"{one}/correct", correction), 409, "VersionIsVoid")
    problem(asking.post("meetings", f"/meetings/{new_id('meeting')}/void", void(1)), 409, "OutOfOrder")
    for body in (void("1"), void(0), void(1, reason=None), void(1, surprise=1)):
        problem(asking.post("meetings", f"/meetings/{key}-b/void", body), 422, "SchemaViolation")
    assert records.stored_by(asking, "meetings") == 0
    assert len(records.refusals("meetings", actor=asking.actor)) == 8


def test_an_adopted_text_does_not_change_by_a_void(caller: Call, records: Records) -> None:
    asking, reference = caller(), f"SYN/2031/R{int(new_id('n')[-6:], 16) % 90_000 + 1}"
    one, drafted = f"/recommendations/{reference}", {"reference": reference, "title": "Synthetic"}
    accepted(asking.post("recommendations", "/recommendations", drafted))
    correction = {"corrects": 1, "data": drafted | {"title": "Synthetic, put right"}, "reason": REASON}
    accepted(asking.post("recommendations", f"{one}/correct", correction))
    accepted(asking.post("recommendations", f"{one}/adopt", {"status": "unknown", "note": "Synthetic: silent."}))
    refused = problem(asking.post("recommendations", f"{one}/void", void(2)), 422, "AdoptedTextRestsOnIt")
    assert f"`throughline void recommendation/{reference} 3`" in refused["detail"]
    assert records.stored_by(asking, "recommendations") == 3
    accepted(asking.post("recommendations", f"{one}/void", void(3)))
    accepted(asking.post("recommendations", f"{one}/void", void(2)))
    problem(asking.post("recommendations", f"{one}/void", void(4)), 422, "TextReadsOtherwiseNow")


def test_what_stays_without_its_cause_is_a_gap_where_an_officer_looks(caller: Call) -> None:
    asking, key, held = caller(), new_id("nomination"), new_id("meeting")
    accepted(asking.post("nominations", "/nominations", nomination(key)))
    accepted(asking.post("nominations", f"/nominations/{key}/accept", {"accepted_on": "2021-01"}))
    membership = f"/memberships/{key}"
    assert asking.get("nominations", membership, at_least=1, wait=20).json()["gaps"] == []
    recorded = {"meeting": held, "title": "Synthetic meeting", "kind": "forum", "starts_at": "2021-05-01"}
    accepted(asking.post("meetings", "/recorded-meetings", recorded))
    asking.get("meetings", f"/memberships-heard/{key}", at_least=1, wait=20)
    attended = {"membership": key, "presence": "in_room"}
    accepted(asking.post("meetings", f"/meetings/{held}/attendance", attended))
    accepted(asking.post("nominations", f"{membership}/end", {"reason": "term_ended", "ended_on": "2021-03"}))
    accepted(asking.post("nominations", f"/nominations/{key}/void", void(2)))
    asking.get("nominations", f"/nominations/{key}", at_least=3, wait=20)
    asking.get("nominations", membership, at_least=2, wait=20)
    [listed] = asking.get("nominations", "/memberships", nomination=key).json()["items"]
    assert ("that acceptance is void" in listed["gaps"][0], listed["state"]["stage"]) == (True, "ended")
    asking.get("meetings", f"/memberships-heard/{key}", at_least=2, wait=20)
    [gap] = asking.get("meetings", f"/meetings/{held}", at_least=2, wait=20).json()["gaps"]
    assert "attended Synthetic meeting after the membership had ended on March 2021." in gap


def test_the_traces_that_rest_on_a_stream_are_named(caller: Call) -> None:
    asking, instrument, number = caller(), new_id("instrument"), int(new_id("n")[-6:], 16) % 90_000 + 1
    registered = {"instrument": instrument, "cite": f"Synthetic {instrument}", "body": "SYN", "title": "Synthetic"}
    accepted(asking.post("recommendations", "/instruments", registered))
    provision = {"provision": f"{instrument}/ask", "summary": "Synthetic"}
    accepted(asking.post("recommendations", f"/instruments/{instrument}/provisions", provision))
    reference = f"SYN/2031/R{number}"
    accepted(asking.post("recommendations", "/recommendations", {"reference": reference, "title": "Synthetic"}))
    cited = {"instrument": instrument, "provision": f"{instrument}/ask"}
    accepted(asking.post("recommendations", f"/recommendations/{reference}/cite", cited))
    asking.get("recommendations", f"/recommendations/{reference}", at_least=2, wait=20)
    stream = f"instrument/{instrument}"
    answer = asking.get("recommendations", "/dependants", stream=stream).json()
    assert answer == {"stream": stream, "count": 1, "traces": [reference]}
    initiative = new_id("initiative")
    project = {"initiative": initiative, "title": "Synthetic", "supporting_member": "FJI", "provisions": [cited]}
    accepted(asking.post("recommendations", "/initiatives", project))
    stream = f"initiative/{initiative}"
    for version in (1, 2):
        asking.get("recommendations", f"/initiatives/{initiative}", at_least=version, wait=20)
        answer = asking.get("recommendations", "/dependants", stream=stream).json()
        assert answer == {"stream": stream, "count": 1, "traces": [reference]}
        accepted(asking.post("recommendations", f"/initiatives/{initiative}/void", void(version)))
    for stream in ("instrument/of-nobody", "recommendation/of-nobody"):
        unknown = asking.get("recommendations", "/dependants", stream=stream).json()
        assert (unknown["count"], unknown["traces"]) == (0, [])
    problem(asking.get("recommendations", "/dependants", stream="no stream"), 422, "SchemaViolation")


def test_the_recommendation_in_which_a_closing_is_noted_is_named_too(caller: Call) -> None:
    asking, number = caller(), int(new_id("n")[-6:], 16) % 40_000 + 1
    first, second = (f"SYN/2031/R{number + more}" for more in (0, 45_000))
    for reference in (first, second):
        accepted(asking.post("recommendations", "/recommendations", {"reference": reference, "title": "Synthetic"}))
    accepted(asking.post("recommendations", f"/recommendations/{first}/supersede", {"by": second}))
    asking.get("recommendations", f"/traces/{first}", at_least=2, wait=20)
    answer = asking.get("recommendations", "/dependants", stream=f"recommendation/{first}").json()
    assert answer["traces"] == [first, second]
