"""The roles of the routes of the meetings service."""

from __future__ import annotations

from services.meetings.api import COMMAND_ROUTES, QUERY_ROUTES
from services.meetings.projection import AGGREGATES, OWN


def test_the_chair_may_only_confirm() -> None:
    allowed = {post.command.__name__ for post in COMMAND_ROUTES if "chair" in post.roles}
    assert allowed == {"ConfirmMeeting"}
    assert all("secretariat" in post.roles and post.roles <= {"secretariat", "chair"} for post in COMMAND_ROUTES)


def test_every_folded_kind_is_read_the_own_ones_by_all_roles_but_the_operator() -> None:
    assert {view.kind for view in QUERY_ROUTES} == AGGREGATES.keys() > OWN.keys()
    for view in QUERY_ROUTES:
        office = {"secretariat", "auditor"}
        assert view.roles == (office | {"chair", "expert", "focal_point"} if view.kind in OWN else office)
