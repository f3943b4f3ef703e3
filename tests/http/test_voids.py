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
    details = {"name": "Synthetic Reader", "address": "synthetic.reader@example.org"}
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
