"""The table of who sees what: its cells as the issue states them, and what follows from it."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.visibility import KINDS, TABLE, readers, sees, within
from shared.events.words import Role, words
from shared.http.auth import Principal
from shared.projection.state_query import seen_query

EVERYBODY = {"secretariat", "chair", "expert", "focal_point", "auditor"}
FIJI, TUVALU = Principal("a", "focal_point", "FJI"), Principal("a", "focal_point", "TUV")
EXPERT, NO_PERSON = Principal("a", "expert", expert="person-1"), Principal("a", "expert")
OF_FIJI = {"member": "FJI", "person": "person-1"}
PENDING = ("submitted", "returned", "declined", "withdrawn")


def who_sees(kind: str, **facets: Any) -> set[str]:
    """Return the roles that see a record which is none of their own."""
    others = [Principal("a", role, "KHM", "person-9") for role in words(Role)]
    return {other.role for other in others if sees(other, kind, facets)}


@pytest.mark.parametrize("stage", PENDING)
def test_a_pending_nomination_is_seen_by_the_office_its_own_government_and_its_own_expert(stage: str) -> None:
    assert who_sees("nomination", stage=stage, **OF_FIJI) == {"secretariat", "auditor"}
    facets = {"stage": stage, **OF_FIJI}
    assert [sees(each, "nomination", facets) for each in (FIJI, TUVALU, EXPERT, NO_PERSON)] == [
        True,
        False,
        True,
        False,
    ]


def test_an_accepted_nomination_is_seen_by_the_group_and_by_no_other_government() -> None:
    assert who_sees("nomination", stage="accepted", **OF_FIJI) == EVERYBODY - {"focal_point"}
    assert sees(FIJI, "nomination", {"stage": "accepted", **OF_FIJI})


def test_a_void_nomination_and_membership_are_seen_by_the_office_and_the_own_government() -> None:
    for kind in ("nomination", "membership"):
        assert who_sees(kind, stage="void", member="FJI") == {"secretariat", "auditor"}
        assert sees(FIJI, kind, {"stage": "void", "member": "FJI"})


@pytest.mark.parametrize("stage", ["active", "ended"])
def test_the_roster_is_the_groups(stage: str) -> None:
    assert who_sees("membership", stage=stage, **OF_FIJI) == EVERYBODY - {"focal_point"}
    assert sees(FIJI, "membership", {"stage": stage, **OF_FIJI})


def test_a_draft_is_seen_by_the_group_and_from_its_adoption_on_by_all_but_the_operator() -> None:
    assert who_sees("recommendation", phase="draft") == EVERYBODY - {"focal_point"}
    assert who_sees("recommendation", phase="adopted") == EVERYBODY


def test_a_record_without_its_facets_is_seen_by_those_alone_who_see_all() -> None:
    assert who_sees("nomination") == {"secretariat", "auditor"}
    assert who_sees("recommendation") == EVERYBODY - {"focal_point"}


def test_an_operator_sees_what_it_operates_and_nothing_else() -> None:
    assert {kind for kind in KINDS if "operator" in readers(kind)} == {"operation"}


def test_an_auditor_sees_everything_but_persons() -> None:
    hidden = {"name", "details", "nomination_document", "subscriber", "person"}
    assert {kind for kind in KINDS if "auditor" not in readers(kind)} == hidden
    assert all(row.sees["auditor"] == "all" for row in TABLE if row.kind not in hidden)


def test_the_secretariat_sees_everything() -> None:
    assert all(row.sees["secretariat"] == "all" for row in TABLE)
    assert all(within(Principal("a", "secretariat"), kind) == [{}] for kind in KINDS)


def test_no_row_speaks_of_the_system_or_of_a_role_that_is_none() -> None:
    assert {role for row in TABLE for role in row.sees} == set(words(Role)) - {"system"}


@pytest.mark.parametrize(
    ("caller", "kind", "query"),
    [
        (Principal("a", "chair"), "recommendation", {}),
        (FIJI, "recommendation", {"$and": [{"$or": [{"facets.phase": {"$in": ["adopted"]}}]}]}),
        (FIJI, "membership", {"$and": [{"$or": [{"facets.member": {"$in": ["FJI"]}}]}]}),
        (NO_PERSON, "nomination", {"$and": [{"$or": [{"facets.stage": {"$in": ["accepted"]}}]}]}),
        (
            EXPERT,
            "nomination",
            {
                "$and": [
                    {
                        "$or": [
                            {"facets.stage": {"$in": ["accepted"]}},
                            {"facets.stage": {"$in": [*PENDING]}, "facets.person": {"$in": ["person-1"]}},
                        ]
                    }
                ]
            },
        ),
        (Principal("a", "operator"), "nomination", {"_id": {"$in": []}}),
    ],
)
def test_a_list_is_filtered_in_the_database(caller: Principal, kind: str, query: dict[str, Any]) -> None:
    assert seen_query(within(caller, kind), "facets.") == query
