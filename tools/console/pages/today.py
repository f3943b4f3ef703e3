"""Today: what waits for the person signed in, grouped by when it is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from shared.events.services import SERVICES
from shared.events.values import latest_day
from tools.console.navigation import N_
from tools.console.pages.request import person, renderer, services
from tools.console.services import Missing
from tools.console.times import today

router = APIRouter()
SOON, PAGE = timedelta(days=14), 500


_RUNS = frozenset({"secretariat", "auditor", "operator"})
_AUDITS = frozenset({"secretariat", "auditor"})
_POLICY = "system"
_DOES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "secretariat": (
        ("/nominations?stage=submitted", N_("Nominations to review")),
        ("/calls", N_("Calls for nominations")),
        ("/meetings/new/propose", N_("Propose a meeting")),
        ("/meetings/calendar", N_("Calendar of meetings")),
        ("/recommendations/new/draft", N_("Draft a recommendation")),
        ("/suspect-citations", N_("Suspect citations")),
        ("/coverage?cited=no", N_("Which mandates no recommendation answers")),
    ),
    "focal_point": (
        ("/nominations/new/submit", N_("Nominate an expert")),
        ("/nominations", N_("The nominations of your Government")),
        ("/group", N_("Its experts in the group")),
        ("/calls?stage=open", N_("Open calls for nominations")),
        ("/meetings/calendar", N_("Calendar of meetings")),
        ("/recommendations", N_("Recommendations, and what became of them")),
    ),
    "chair": (
        ("/meetings?stage=proposed", N_("Meetings to confirm")),
        ("/recommendations?stage=drafted", N_("Recommendations to adopt")),
        ("/meetings/calendar", N_("Calendar of meetings")),
        ("/group", N_("The group")),
    ),
    "expert": (
        ("/meetings/calendar", N_("Calendar of meetings")),
        ("/recommendations", N_("Recommendations, and what became of them")),
        ("/group", N_("The group")),
        ("/instruments", N_("Mandates")),
    ),
    "auditor": (
        ("/audit", N_("The signed logs, dead letters and refusals")),
        ("/recommendations", N_("Recommendations, each with its trace and proof")),
        ("/coverage?cited=no", N_("Which mandates no recommendation answers")),
        ("/notifications?standing=uncertain", N_("Mails whose delivery is uncertain")),
    ),
    "operator": (("/audit", N_("What stands still, and dead letters")),),
}
"""The pages of each role's own work, to begin with when nothing waits."""


@dataclass
class Count:
    """How many there are, as far as it is known, and the services of which it is not."""

    n: int = 0
    unknown: list[str] = field(default_factory=list)


@router.get("/")
async def waiting(request: Request) -> Response:
    """Show what waits: its numbers, then overdue, due soon, later; and what stands still, for those who run it."""
    role = person(request).role
    answers = await services(request).parts(*((service, "/waiting", {"limit": PAGE}) for service in SERVICES))
    known = [answer for answer in answers if not isinstance(answer, Missing)]
    items = [item for answer in known for item in answer["items"]]
    return renderer(request).page(
        request, "today.html", groups=grouped(items, today()), does=_DOES.get(role, ()),
        more=any("next" in answer for answer in known), unknown=_unknown(answers),
        trouble=await _trouble(request) if role in _RUNS else {},
    )  # fmt: skip


def _unknown(answers: list[Any | Missing]) -> list[str]:
    """Return the services that do not say what waits; one that refuses has nothing for the role."""
    return [each.service for each in answers if isinstance(each, Missing) and not each.refused]


async def _trouble(request: Request) -> dict[str, Count]:
    """Return how many streams stand still, dead letters are open, and policies were refused of late."""
    role = person(request).role
    paths = ["/stalled/reasons", "/dead-letters", *(["/refusals"] if role in _AUDITS else [])]
    queries = {"/refusals": {"role": _POLICY}}
    parts = [(service, path, queries.get(path, {})) for path in paths for service in SERVICES]
    answers = await services(request).parts(*parts)
    counts = {name: Count() for name in ("stalled", "dead-letters", "refusals")}
    for (_service, path, _query), answer in zip(parts, answers, strict=True):
        count = counts[path.split("/")[1]]
        if isinstance(answer, Missing):
            count.unknown += _unknown([answer])
        else:
            count.n += _number(path, answer)
    return counts


def _number(path: str, answer: Any) -> int:
    if path == "/refusals":
        late = (today() - SOON).isoformat()
        return sum(each.get("role") == _POLICY and each["at"] >= late for each in answer)
    return len(answer["items"] if path == "/dead-letters" else answer)


def grouped(items: list[dict[str, Any]], day: date) -> dict[str, list[dict[str, Any]]]:
    """Group what waits by when it is due: overdue, soon, later."""
    groups: dict[str, list[dict[str, Any]]] = {"overdue": [], "soon": [], "later": []}
    for item in sorted(items, key=lambda each: (each.get("due") or "9999", each.get("since") or "")):
        due = latest_day(item["due"]) if item.get("due") else None
        name = "later" if due is None or due > day + SOON else "soon" if due >= day else "overdue"
        groups[name].append(item)
    return groups
