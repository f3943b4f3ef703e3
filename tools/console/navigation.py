"""The service navigation: what each role finds in it, and what lies beside each list."""

from __future__ import annotations

from typing import NamedTuple

from starlette.datastructures import URL

from tools.console.languages import _

_ALL = frozenset({"secretariat", "focal_point", "chair", "expert", "auditor", "operator"})
_READERS = _ALL - {"operator"}


class Place(NamedTuple):
    """A page that the navigation names."""

    address: str
    text: str
    is_here: bool


def local_address(url: URL) -> str:
    """Return the address of a page within the console, with its query."""
    return url.path + (f"?{url.query}" if url.query else "")


def N_(message: str) -> str:  # noqa: N802 - gettext's name for a message that is translated later
    """Mark a message for extraction."""
    return message


_PLACES = (
    ("/", N_("Today"), _READERS),
    ("/nominations", N_("Nominations"), _READERS),
    ("/group", N_("Group"), _READERS),
    ("/meetings", N_("Meetings"), _READERS),
    ("/instruments", N_("Mandates"), _READERS),
    ("/recommendations", N_("Recommendations"), _READERS),
    ("/coverage", N_("Coverage"), _READERS),
    ("/search", N_("Search"), _READERS),
    ("/audit", N_("Audit"), frozenset({"secretariat", "auditor", "operator"})),
    ("/privacy", N_("Privacy"), frozenset({"secretariat"})),
)

_MEMBERS = ("/group/members", N_("Members of ESCAP, and what each nominated"))
_PRIORITIES = ("/priorities", N_("Priorities"))
_SESSIONS = ("/sessions", N_("Sessions of the Committee"))
_BESIDE = {
    "/nominations": (("/calls", N_("Calls for nominations")), ("/group", N_("The group")), _MEMBERS),
    "/calls": (("/nominations", N_("Nominations")), _MEMBERS),
    "/group": (_MEMBERS, ("/memberships", N_("All memberships, ended ones too"))),
    "/memberships": (("/group", N_("The group on a day")),),
    "/meetings": (("/meetings/calendar", N_("Calendar")),),
    "/instruments": (
        ("/suspect-citations", N_("Suspect citations")), ("/coverage", N_("Coverage")), _PRIORITIES,
        ("/initiatives", N_("Initiatives")), _SESSIONS, ("/body-sessions", N_("Sessions of other bodies")),
        ("/deliverables", N_("Deliverables")),
    ),
    "/recommendations": (_SESSIONS, _PRIORITIES),
    "/notifications": (("/subscriptions", N_("Who is told by mail")),),
    "/subscriptions": (("/notifications", N_("Mails and their standing")),),
}  # fmt: skip


def beside(path: str) -> list[Place]:
    """Return the lists that a reader of a list may want next."""
    return [Place(address, _(text), is_here=False) for address, text in _BESIDE.get(path, ())]


def navigation(role: str, path: str) -> list[Place]:
    """Return the places that a role may open, and which of them a path lies in."""
    return [
        Place(address, _(text), path == address or (address != "/" and path.startswith(f"{address}/")))
        for address, text, roles in _PLACES
        if role in roles
    ]
