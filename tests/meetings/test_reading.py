"""The roles of the routes of the meetings service."""

from __future__ import annotations

from services.meetings.api import COMMAND_ROUTES, QUERY_ROUTES
from services.meetings.projection import AGGREGATES, OWN
from shared.http.auth import READERS


def test_the_chair_may_only_confirm() -> None:
    allowed = {post.command.__name__ for post in COMMAND_ROUTES if "chair" in post.roles}
    assert allowed == {"ConfirmMeeting"}
    assert all("secretariat" in post.roles and post.roles <= {"secretariat", "chair"} for post in COMMAND_ROUTES)


def test_every_folded_kind_is_readable_by_the_readers() -> None:
    assert {view.kind for view in QUERY_ROUTES} == AGGREGATES.keys() > OWN.keys()
    assert all(view.roles == READERS for view in QUERY_ROUTES)
