"""Who may ask what of the meetings service."""

from __future__ import annotations

from services.meetings.api import COMMAND_ROUTES, QUERY_ROUTES
from services.meetings.projection import AGGREGATES, OWN
from shared.http.auth import READERS


def test_the_chair_confirms_and_asks_nothing_else() -> None:
    asked = {post.command.__name__ for post in COMMAND_ROUTES if "chair" in post.roles}
    assert asked == {"ConfirmMeeting"}
    assert all("secretariat" in post.roles and post.roles <= {"secretariat", "chair"} for post in COMMAND_ROUTES)


def test_every_kind_that_is_folded_here_can_be_read_by_those_who_read() -> None:
    assert {view.kind for view in QUERY_ROUTES} == AGGREGATES.keys() > OWN.keys()
    assert all(view.roles == READERS for view in QUERY_ROUTES)
