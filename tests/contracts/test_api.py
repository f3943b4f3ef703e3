"""The table of commands and queries holds every route of the services, and names each by words of its own."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from shared.events.services import SERVICES
from tests.http.matrix import ANYBODY, expected
from tools.client import api
from tools.client.api import Command, Field, Route
from tools.contracts.api import _check_words
from tools.contracts.commands_page import _readers
from tools.contracts.naming import singular, word_of_command

ROWS: tuple[Route, ...] = (*api.commands(), *api.operations(), *api.queries())


def method_of(row: Route) -> str:
    return row.method if isinstance(row, Command) else "GET"


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_is_there_with_the_roles_that_it_admits(service: str) -> None:
    held = {(method_of(row), row.path): frozenset(row.roles) for row in ROWS if row.service == service}
    assert held == {route: roles for route, roles in expected(service).items() if roles != ANYBODY}


@pytest.mark.parametrize("service", SERVICES)
def test_every_command_of_a_service_is_a_command_of_the_table(service: str) -> None:
    routes = import_module(f"services.{service}.api").COMMAND_ROUTES
    rows = {row.path: row for row in api.commands() if row.service == service}
    assert rows.keys() == {route.path for route in routes}
    for route in routes:
        row = rows[route.path]
        assert row.name == route.command.__name__.removesuffix("Request")
        assert row.noun == route.stream.partition("/")[0].replace("_", "-")
        assert {field.name for field in row.fields} == set(route.command.model_fields)
        assert {field.name for field in row.fields if field.required} == {
            name for name, each in route.command.model_fields.items() if each.is_required()
        }
        assert row.is_new == ("{" not in route.path)


def test_a_noun_and_a_word_name_one_command_and_no_noun_is_of_two_services() -> None:
    counted = Counter((row.noun, row.word) for row in api.commands())
    assert [words for words, number in counted.items() if number > 1] == []
    owners = {(row.noun, row.service) for row in api.commands()}
    assert len(owners) == len({noun for noun, _ in owners})
    assert api.command("nomination", "accept").name == "AcceptNomination"
    with pytest.raises(LookupError, match="nomination acept"):
        api.command("nomination", "acept")


def test_two_routes_of_the_same_words_are_refused() -> None:
    row: dict[str, Any] = {"service": "meetings", "typed": "meeting hold", "path": "/synthetic"}
    _check_words([row, row | {"typed": "meeting cancel"}, row | {"service": "nominations"}])
    with pytest.raises(ValueError, match="another path"):
        _check_words([row, row])


def test_the_page_of_words_says_the_roles_of_each_service_where_they_differ() -> None:
    rows: list[dict[str, Any]] = [
        {"service": "nominations", "roles": ["focal_point"]}, {"service": "meetings", "roles": ["chair", "expert"]},
    ]  # fmt: skip
    assert _readers(rows) == "of nominations: focal point; of meetings: chair, expert"
    assert _readers([rows[0], rows[0] | {"service": "meetings"}]) == "focal point"


@pytest.mark.parametrize(
    ("name", "noun", "path", "word"),
    [
        ("OpenCall", "call", "/calls", "open"),
        ("RecordMeeting", "meeting", "/recorded-meetings", "record"),
        ("AcceptNomination", "nomination", "/nominations/{nomination}/accept", "accept"),
        ("ReportFollowUp", "recommendation", "/recommendations/{year}/{number}/follow-up", "report-follow-up"),
        ("RecordDisposition", "recommendation", "/recommendations/{year}/{number}/dispose", "dispose"),
        ("EndRecommendation", "recommendation", "/recommendations/{year}/{number}/end", "end"),
        ("ChangeExpertDetails", "expert", "/experts/{person}/details", "change-details"),
        ("AddAgendaItem", "meeting", "/meetings/{meeting}/agenda", "add-agenda-item"),
    ],
)  # fmt: skip
def test_a_command_is_named_by_the_end_of_its_path_or_by_its_class(name: str, noun: str, path: str, word: str) -> None:
    assert word_of_command(name, noun, path) == word


@pytest.mark.parametrize(
    ("plural", "one"),
    [("calls", "call"), ("priorities", "priority"), ("instruments-heard", "instrument-heard"), ("journal", "journal")],
)  # fmt: skip
def test_a_noun_is_the_singular_of_the_path(plural: str, one: str) -> None:
    assert singular(plural) == one


@pytest.mark.parametrize("row", api.commands(), ids=lambda row: f"{row.noun} {row.word}")
def test_a_body_is_a_schema_whose_references_resolve(row: Command) -> None:
    Draft202012Validator.check_schema(row.body)
    whole = {**row.body, "$defs": api.definitions()}
    faults = list(Draft202012Validator(whole).iter_errors({"synthetic_unknown_field": 1}))
    assert len(faults) == 1 + sum(field.required for field in row.fields)


def test_what_is_personal_is_marked() -> None:
    marked = {(row.service, row.path) for row in api.commands() if any(field.personal for field in row.fields)}
    holding = {
        (service, route.path)
        for service in SERVICES
        for route in import_module(f"services.{service}.api").COMMAND_ROUTES
        if any("Details" in str(field.annotation) for field in route.command.model_fields.values())
    }
    assert marked == holding
    assert ("nominations", "/nominations") in marked


def test_a_body_gives_the_fields_of_a_form() -> None:
    fields = {field.name: field for field in api.command("nomination", "submit").fields}
    assert list(fields)[-3:] == ["note", "source", "status"]
    assert fields["category"].words == ("official", "academia", "civil_society", "other")
    assert fields["themes"].item == Field("themes", "string", max_length=500)
    assert [(each.name, each.required) for each in fields["note_verbale"].fields] == [
        ("channel", True), ("reference", True), ("digest", False),
    ]  # fmt: skip
    assert (fields["note"].is_long, fields["institution"].is_long) == (True, False)
    assert fields["call"].form.startswith("up to 100 letters")
    follow_up = {field.name: field for field in api.command("recommendation", "report-follow-up").fields}
    assert follow_up["evidence"].exclusive
    assert {field.name: field.is_open for field in api.command("call", "correct").fields}["data"]


def test_a_filter_says_its_words() -> None:
    [every] = [row for row in api.queries() if row.plural == "meetings" and not row.one]
    filters = {each.name: each for each in every.filters}
    assert filters["modality"].words == ("in_person", "online", "hybrid", "unknown")
    assert filters["limit"].type == "integer"
    assert not any(each.required for each in every.filters)
    [shown] = [row for row in api.queries() if row.plural == "meetings" and row.one]
    assert [each.name for each in shown.parameters if each.in_path] == ["meeting"]
    assert shown.word == "show"
