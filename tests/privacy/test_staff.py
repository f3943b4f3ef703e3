"""Those who record: an actor in the history, a name on the staff list, and the erasure of the name."""

from __future__ import annotations

import json
from functools import partial
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.cli.terminal import output_of, throughline
from tests.http.asking import Caller, accepted, meeting, new_id, problem
from tests.privacy.test_erasure import stored_bytes
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
KEY = uuid4().hex[:8]
NAME, ADDRESS = f"Synthetic Officer {KEY}", f"officer-{KEY}@example.org"
named = partial(Caller, name=NAME)


@pytest.fixture
def officer(stack: Stack, web: httpx2.Client) -> Caller:
    """An officer who has recorded, whose subject is an address, and whose name is on the list."""
    officer = named(stack, web, subject=ADDRESS)
    accepted(officer.post("meetings", "/meetings", meeting(new_id("meeting"))))
    answer = officer.request("PUT", "nominations", "/staff/me", json={})
    assert (answer.status_code, answer.json()) == (200, {"actor": officer.actor, "name": NAME})
    return officer


def places_of(stack: Stack, secret: str) -> set[str]:
    return {where for where, content in stored_bytes(stack) if secret.encode() in content}


def names(asking: Caller, *actors: str) -> Any:
    return asking.request("GET", "nominations", "/staff", params=[("actor", actor) for actor in actors])


def test_a_person_who_records_is_an_actor_everywhere_and_a_name_on_the_list_until_erased(
    officer: Caller, stack: Stack, web: httpx2.Client
) -> None:
    actor, chair = officer.actor, Caller(stack, web, "chair")
    assert officer.get("recommendations", "/me").json() == {"actor": actor, "role": "secretariat"}
    assert names(chair, actor, "u-nobody").json() == {"items": [{"actor": actor, "name": NAME}]}
    assert places_of(stack, ADDRESS) == set()
    assert places_of(stack, NAME) == {"nominations.staff", "the operation log"}
    assert {"meetings.log", "meetings.commits"} <= places_of(stack, actor)

    shown = throughline(stack, "privacy", "export", actor, "--format", "json")
    held = json.loads(shown.stdout)["services"]
    assert held["nominations"]["staff_name"] == NAME
    assert [each["event"]["actor"] for each in held["meetings"]["events"]] == [actor]
    assert f"on the staff list: {NAME}" in output_of(throughline(stack, "privacy", "export", actor))

    done = throughline(stack, "privacy", "erase", actor, "--reason", "Synthetic request", "--yes")
    assert done.exit_code == 0, done.output
    assert "nominations: erased from the staff list." in output_of(done)
    assert places_of(stack, NAME) == {"the operation log"}
    assert names(chair, actor).json() == {"items": [{"actor": actor, "name": "[erased]"}]}
    again = officer.request("PUT", "nominations", "/staff/me", json={})
    problem(again, 409, "NameWasErased")
    accepted(officer.post("meetings", "/meetings", meeting(new_id("meeting"))))


def test_a_name_is_erased_by_the_secretariat_or_the_person_and_by_nobody_else(stack: Stack, web: httpx2.Client) -> None:
    tuvalu, fiji = named(stack, web, "focal_point", "TUV"), named(stack, web, "focal_point", "FJI")
    for each in (tuvalu, fiji):
        assert each.request("PUT", "nominations", "/staff/me", json={}).status_code == 200
    refused = problem(tuvalu.post("nominations", f"/staff/{fiji.actor}/erase"), 404, "NotOnRecord")
    assert "the secretariat and the person erase a name" in refused["detail"]
    for asking, actor in ((tuvalu, tuvalu.actor), (Caller(stack, web), fiji.actor)):
        assert asking.post("nominations", f"/staff/{actor}/erase").json() == {"actor": actor, "erased": True}
    problem(Caller(stack, web).post("nominations", "/staff/u-nobody/erase"), 404, "NotOnRecord")


def test_a_name_comes_from_the_token_else_from_the_body(stack: Stack, web: httpx2.Client) -> None:
    for name, body, stored in (
        (None, {"name": "Synthetic B"}, "Synthetic B"),
        ("Synthetic A", {"name": "Synthetic B"}, "Synthetic A"),
        ("Synthetic <b>A</b> \u202eB", {"name": "Synthetic B"}, "Synthetic B"),
    ):
        caller = named(stack, web, "chair", name=name)
        answer = caller.request("PUT", "nominations", "/staff/me", json=body)
        assert (answer.status_code, answer.json()) == (200, {"actor": caller.actor, "name": stored})
    nameless = named(stack, web, "chair", name=None)
    refused = problem(nameless.request("PUT", "nominations", "/staff/me", json={}), 422, "SchemaViolation")
    assert refused["errors"][0]["field"] == "body.name"


def test_names_are_read_by_several_actors_and_events_by_one_actor(stack: Stack, web: httpx2.Client) -> None:
    office = Caller(stack, web)
    problem(names(office), 422, "SchemaViolation")
    problem(names(office, *(f"u-{number}" for number in range(201))), 422, "SchemaViolation")
    problem(
        office.request("GET", "nominations", "/calls", params=[("limit", "1"), ("limit", "2")]), 422, "SchemaViolation"
    )
    for query in ({}, {"stream": "meeting/m1", "actor": "u-1"}):
        assert problem(office.get("meetings", "/events", **query), 422, "SchemaViolation")["errors"][0]["field"] == (
            "query.stream"
        )
