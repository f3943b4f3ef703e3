"""The loader of a history through the services' HTTP commands. Their own policies repeat the policies' commands."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from services.meetings import api as meetings
from services.nominations import api as nominations
from services.nominations.commands import AmendNomination, ChangeExpertDetails, ResubmitNomination, SubmitNomination
from services.notifications import api as notifications
from services.notifications.commands import AddSubscription
from services.recommendations import api as recommendations
from shared.http.commands import CommandRoute
from tools.client.errors import CommandRefused
from tools.simulate.commits import SimulatedCommit

PATIENCE_SECONDS = 20.0
_WITH_PERSON = (SubmitNomination, ResubmitNomination, AmendNomination, ChangeExpertDetails, AddSubscription)
_ROUTES: dict[tuple[str, str], CommandRoute] = {
    (route.command.__name__.removesuffix("Request"), route.stream.partition("/")[0]): route
    for routes in (
        nominations.COMMAND_ROUTES,
        meetings.COMMAND_ROUTES,
        recommendations.COMMAND_ROUTES,
        notifications.COMMAND_ROUTES,
    )
    for route in routes
}


_UNTIL_CONSUMED = frozenset({"OutOfOrder", "AdoptionRestsOnUnknownDecision"})


class Desk(Protocol):
    """A sender of commands with one role's token."""

    def send(self, service: str, path: str, body: dict[str, Any], command_id: str) -> int:
        """Execute a command and return the stream's new version. Raises CommandRefused."""


def send(commits: Iterable[SimulatedCommit], secretariat: Desk, chair: Desk, after: Callable[[int], None]) -> int:
    """Send each command in turn, and return the number of events, which `after` receives after each commit.

    A command that depends on a policy's result, or on a decision of a meeting, is retried until the policy has run, or
    the meeting was consumed, for at most 20 seconds.
    """
    events = 0
    for commit in commits:
        if commit.context.role != "system":
            desk = chair if commit.context.role == "chair" else secretariat
            _send(desk, commit)
        events += len(commit.raws)
        after(events)
    return events


def _send(desk: Desk, commit: SimulatedCommit) -> None:
    path, body = request_of(commit)
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            desk.send(commit.service, path, body, commit.context.command_id)
            return
        except CommandRefused as refusal:
            if refusal.rule not in _UNTIL_CONSUMED or time.monotonic() > until:
                raise
            time.sleep(0.1)


def request_of(commit: SimulatedCommit) -> tuple[str, dict[str, Any]]:
    """Return the path and body of the HTTP request for a commit's command."""
    kind, _, key = commit.stream.partition("/")
    route = _ROUTES[type(commit.command).__name__, kind]
    parts = dict(zip(("committee", "year", "number"), key.split("/"), strict=False)) | {kind: key}
    body = commit.command.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    if isinstance(commit.command, _WITH_PERSON) and commit.command.sealed is not None:
        person = commit.command.sealed.person
        contact_field = "address" if isinstance(commit.command, AddSubscription) else "contact"
        del body["sealed"]
        body |= {"details": {"name": f"Synthetic {person}", contact_field: f"{person}@example.org"}}
        body |= {} if isinstance(commit.command, ChangeExpertDetails) else {"person": person}
    return route.path.format_map(parts), body
