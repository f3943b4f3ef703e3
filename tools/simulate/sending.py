"""Loads a history through the services' HTTP commands. What policies ask for, the services do themselves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from services.meetings import api as meetings
from services.nominations import api as nominations
from services.nominations.commands import ResubmitNomination, SubmitNomination
from services.notifications import api as notifications
from services.notifications.commands import AddSubscription
from services.recommendations import api as recommendations
from shared.http.commands import CommandRoute
from tools.client.errors import CommandRefused
from tools.simulate.commits import Made

PATIENCE_SECONDS = 20.0
_POSTS: dict[tuple[str, str], CommandRoute] = {
    (post.command.__name__.removesuffix("Request"), post.stream.partition("/")[0]): post
    for posts in (
        nominations.COMMAND_ROUTES,
        meetings.COMMAND_ROUTES,
        recommendations.COMMAND_ROUTES,
        notifications.COMMAND_ROUTES,
    )
    for post in posts
}


class Desk(Protocol):
    """Sends commands with one role's token."""

    def send(self, service: str, path: str, body: dict[str, Any], command_id: str) -> int:
        """Carry a command out, and return the stream's version after it. Raises CommandRefused."""


def send(commits: Iterable[Made], secretariat: Desk, chair: Desk, after: Callable[[int], None]) -> int:
    """Send each command in turn, and return how many events came of them; `after` is told it on the way.

    What rests on a policy that has not acted yet is asked again for a while.
    """
    events = 0
    for commit in commits:
        if commit.context.role != "system":
            desk = chair if commit.context.role == "chair" else secretariat
            _send(desk, commit)
        events += len(commit.raws)
        after(events)
    return events


def _send(desk: Desk, commit: Made) -> None:
    path, body = request_of(commit)
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            desk.send(commit.service, path, body, commit.context.command_id)
            return
        except CommandRefused as refusal:
            if refusal.rule != "OutOfOrder" or time.monotonic() > until:
                raise
            time.sleep(0.1)


def request_of(commit: Made) -> tuple[str, dict[str, Any]]:
    """Return the path and body by which a person asks for a commit."""
    kind, _, key = commit.stream.partition("/")
    post = _POSTS[type(commit.command).__name__, kind]
    parts = dict(zip(("committee", "year", "number"), key.split("/"), strict=False)) | {kind: key}
    body = commit.command.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    if isinstance(commit.command, SubmitNomination | ResubmitNomination | AddSubscription):
        person = commit.command.sealed.person
        kept = "address" if isinstance(commit.command, AddSubscription) else "contact"
        del body["sealed"]
        body |= {"person": person, "details": {"name": f"Synthetic {person}", kept: f"{person}@example.org"}}
    return post.path.format_map(parts), body
