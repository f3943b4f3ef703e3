"""Random commands on records that exist: accepted or refused with a problem, never a fault of ours."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.http.asking import Caller, Records, accepted, meeting, new_id, nomination
from tests.http.shapes import bodies
from tests.patience import AT_MOST_SECONDS
from tools.local.stack import ALL_FOUR, Stack

pytestmark = pytest.mark.servers
EXAMPLES = 200
LEFT_OUT = ("/staff", "/operations/", "/dead-letters/")
CommandRoute = tuple[str, str]
Posts = dict[CommandRoute, tuple[dict[str, Any], dict[str, Any]]]


@pytest.fixture(scope="module")
def office(stack: Stack, web: httpx2.Client) -> Caller:
    """The secretariat, whose every answer is looked at."""
    return Caller(stack, web)


@pytest.fixture(scope="module")
def posts(stack: Stack, web: httpx2.Client) -> Posts:
    """Every command, by service and path: its body's schema, and the schemas that this one refers to."""
    commands: Posts = {}
    for service in ALL_FOUR:
        document = web.get(f"{stack.urls[service]}/openapi.json").json()
        for path, methods in document["paths"].items():
            if "post" in methods and not path.startswith(LEFT_OUT):
                schema = methods["post"]["requestBody"]["content"]["application/json"]["schema"]
                commands[service, path] = (schema, document["components"]["schemas"])
    return commands


@pytest.fixture(scope="module")
def on_record(office: Caller) -> dict[str, list[Any]]:
    """Synthetic records that random commands may name, beside ones that are not there."""
    key, session = new_id("random"), 971
    references = [f"SYN/2032/R{int(new_id('r')[-4:], 16) + 1}" for _ in range(4)]
    for service, path, body in (
        ("meetings", "/recorded-meetings", {"meeting": f"{key}-held", "title": "Synthetic", "kind": "forum"}),
        ("meetings", "/meetings", meeting(key)),
        ("nominations", "/calls", {"call": key, "title": "Synthetic"}),
        ("nominations", "/nominations", nomination(key)),
        (
            "recommendations",
            "/instruments",
            {"instrument": key, "cite": f"Synthetic {key}", "body": "SYN", "title": "Synthetic"},
        ),
        ("recommendations", f"/instruments/{key}/provisions", {"provision": f"{key}/p", "summary": "Synthetic"}),
        *(("recommendations", "/recommendations", {"reference": each, "title": "Synthetic"}) for each in references),
        ("recommendations", f"/recommendations/{references[0]}/cite", {"instrument": key, "provision": f"{key}/p"}),
    ):
        accepted(office.post(service, path, body))
    assert office.post("recommendations", "/sessions", {"session": session}).json().get("rule") in {None, "OutOfOrder"}
    office.get("recommendations", f"/meetings-heard/{key}-held", at_least=1, wait=20)
    records = {"session": [session, session + 1], "reference": references, "provision": [f"{key}/p", "p"]}
    for name in ("by", "into", "superseded_by"):
        records[name] = [key, *references, "SYN/1999/R9"]
    for name in ("meeting", "nomination", "membership", "call", "priority", "instrument", "deliverable", "initiative"):
        records[name] = [key, key, f"{key}-held", f"{key}-none"]
    records |= {"member": ["FJI", "TUV", "XXX"], "supporting_member": ["FJI"], "address": ["synthetic@example.org"]}
    return records | {"into": [*references, "SYN/1999/R9"], "corrects": [1, 2, 3]}


@pytest.mark.drill
def test_random_commands_are_accepted_and_consumed_or_refused(
    office: Caller, posts: Posts, on_record: dict[str, list[Any]], records: Records
) -> None:
    outcomes: Counter[str] = Counter()
    written: dict[str, dict[str, int]] = {service: {} for service in ALL_FOUR}

    @given(st.data())
    @settings(
        max_examples=EXAMPLES,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def sent(data: st.DataObject) -> None:
        service, path = data.draw(st.sampled_from(sorted(posts)))
        body = data.draw(bodies(*posts[service, path], on_record))
        answer = office.raw(service, data.draw(paths(path, on_record)), json.dumps(body))
        answered = answer.json()
        outcomes[answered.get("rule", "accepted")] += 1
        assert answer.status_code < 500, answer.text
        if answer.status_code == 200:
            written[service][answered["stream"]] = answered["version"]
        else:
            assert answer.headers["Content-Type"] == "application/problem+json"

    sent()
    assert outcomes["accepted"] > 2, outcomes
    assert outcomes["SchemaViolation"] < EXAMPLES * 0.7, outcomes
    assert len(outcomes) > 5, outcomes
    for service, streams in written.items():
        until = time.monotonic() + AT_MOST_SECONDS
        while late := not_consumed(records.consumed(service), streams):
            assert time.monotonic() < until, late
            time.sleep(0.1)
        assert records.dead_letters_about(service, streams) == []


def not_consumed(consumed: dict[str, int], written: dict[str, int]) -> dict[str, int]:
    """Return the written versions that were not consumed, by stream."""
    return {stream: version for stream, version in written.items() if consumed.get(stream, 0) < version}


def paths(path: str, ids: dict[str, list[Any]]) -> st.SearchStrategy[str]:
    """Return the path with ids that are on record, or not."""
    parts = [part.split("}")[0] for part in path.split("{")[1:]]
    if "committee" in parts:
        chosen = st.sampled_from(ids["reference"])
        return chosen.map(lambda reference: path.replace("{committee}/{year}/{number}", reference))
    return st.tuples(*(st.sampled_from(ids.get(part, ["synthetic-nothing"])) for part in parts)).map(
        lambda values: path.format(**dict(zip(parts, values, strict=True)))
    )
