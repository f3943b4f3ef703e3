"""The roles allowed on every route of the four services, written apart from the code that authorizes callers."""

from __future__ import annotations

SECRETARIAT = frozenset({"secretariat"})
GOVERNMENTS = SECRETARIAT | {"focal_point"}
CONFIRMERS = SECRETARIAT | {"chair"}
READERS = frozenset({"secretariat", "auditor", "expert", "chair", "focal_point"})
AUDITORS = frozenset({"secretariat", "auditor"})
OPERATORS = frozenset({"secretariat", "operator"})
ANYBODY: frozenset[str] = frozenset()

Routes = dict[frozenset[str], str]

EVERYWHERE: Routes = {
    ANYBODY: "GET /healthz; GET /livez; GET /servez; GET /readyz; GET /metrics",
    frozenset({"secretariat", "focal_point", "chair", "expert", "operator", "auditor"}): "GET /me",
    OPERATORS: """
        POST /operations/rebuild; POST /operations/republish
        POST /dead-letters/{topic}/{partition}/{offset}/replay
        POST /dead-letters/{topic}/{partition}/{offset}/dismiss
    """,
    OPERATORS | AUDITORS: """
        GET /stalled; GET /stalled/reasons; GET /ahead; GET /journal/unsigned
        GET /dead-letters; GET /dead-letters/{topic}/{partition}/{offset}
    """,
    AUDITORS: """
        GET /streams/{stream}; GET /events; GET /journal; GET /refusals
        GET /log; GET /log/breaks; GET /log/checkpoint; GET /log/checkpoints; GET /log/keys; GET /log/tile/{tile}
    """,
}
OWN: dict[str, Routes] = {
    "nominations": {
        SECRETARIAT: """
            POST /calls; POST /calls/{call}/close; POST /calls/{call}/correct
            POST /calls/{call}/void
            POST /nominations/{nomination}/return; POST /nominations/{nomination}/accept
            POST /nominations/{nomination}/decline; POST /nominations/{nomination}/correct
            POST /nominations/{nomination}/void
            POST /memberships/{membership}/end; POST /memberships/{membership}/correct
            POST /memberships/{membership}/void
            POST /experts/{person}/erase; POST /experts/{person}/correct
            POST /experts/{person}/void
            GET /experts/{person}
        """,
        GOVERNMENTS: """
            PUT /documents/{digest}; GET /documents/{digest}
            POST /nominations; POST /nominations/{nomination}/resubmit; POST /nominations/{nomination}/withdraw
            POST /nominations/{nomination}/amend; POST /memberships/{membership}/change
        """,
        frozenset({"secretariat", "focal_point", "chair", "operator"}): "PUT /staff/me; POST /staff/{actor}/erase",
        frozenset({"secretariat", "chair", "auditor"}): "GET /staff",
        READERS: """
            GET /search; GET /calls; GET /calls/{call}; GET /nominations; GET /nominations/{nomination}
            GET /memberships; GET /memberships/{membership}
            GET /roster; GET /members; GET /calls/{call}/answers; GET /waiting
        """,
    },
    "meetings": {
        SECRETARIAT: """
            POST /meetings; POST /recorded-meetings; POST /meetings/{meeting}/reschedule
            POST /meetings/{meeting}/cancel; POST /meetings/{meeting}/agenda; POST /meetings/{meeting}/documents
            POST /meetings/{meeting}/attendance; POST /meetings/{meeting}/hold; POST /meetings/{meeting}/outcomes
            POST /meetings/{meeting}/order-agenda; POST /meetings/{meeting}/attendance-list
            POST /meetings/{meeting}/close-action-point; POST /meetings/{meeting}/correct
            POST /meetings/{meeting}/void
            PUT /documents/{digest}
        """,
        CONFIRMERS: "POST /meetings/{meeting}/confirm",
        READERS: """
            GET /search; GET /waiting; GET /meetings; GET /meetings/{meeting}; GET /documents/{digest}
        """,
        AUDITORS: """
            GET /memberships-heard; GET /memberships-heard/{membership}
            GET /priorities-heard; GET /priorities-heard/{priority}
            GET /instruments-heard; GET /instruments-heard/{instrument}
        """,
    },
    "recommendations": {
        SECRETARIAT: """
            POST /instruments; POST /instruments/{instrument}/provisions
            POST /instruments/{instrument}/discharge-reporting-duty; POST /instruments/{instrument}/supersede
            POST /instruments/{instrument}/reaffirm; POST /instruments/{instrument}/carry
            POST /instruments/{instrument}/endorse; POST /instruments/{instrument}/correct
            POST /instruments/{instrument}/void
            POST /sessions; POST /sessions/{session}/correct
            POST /sessions/{session}/void
            POST /body-sessions; POST /body-sessions/{key}/correct; POST /body-sessions/{key}/void
            POST /priorities; POST /priorities/{priority}/close; POST /priorities/{priority}/correct
            POST /priorities/{priority}/void
            POST /initiatives; POST /initiatives/{initiative}/correct
            POST /initiatives/{initiative}/void
            POST /deliverables; POST /deliverables/{deliverable}/correct
            POST /deliverables/{deliverable}/void
            POST /recommendations
            POST /recommendations/{committee}/{year}/{number}/revise
            POST /recommendations/{committee}/{year}/{number}/cite
            POST /recommendations/{committee}/{year}/{number}/uncite
            POST /recommendations/{committee}/{year}/{number}/reconfirm
            POST /recommendations/{committee}/{year}/{number}/origin
            POST /recommendations/{committee}/{year}/{number}/discuss
            POST /recommendations/{committee}/{year}/{number}/transmit
            POST /recommendations/{committee}/{year}/{number}/dispose
            POST /recommendations/{committee}/{year}/{number}/carry
            POST /recommendations/{committee}/{year}/{number}/follow-up
            POST /recommendations/{committee}/{year}/{number}/supersede
            POST /recommendations/{committee}/{year}/{number}/merge
            POST /recommendations/{committee}/{year}/{number}/split
            POST /recommendations/{committee}/{year}/{number}/withdraw
            POST /recommendations/{committee}/{year}/{number}/correct
            POST /recommendations/{committee}/{year}/{number}/void
        """,
        READERS: """
            GET /search; GET /coverage/counts
            GET /instruments; GET /instruments/{instrument}; GET /sessions; GET /sessions/{session}
            GET /body-sessions; GET /body-sessions/{key}
            GET /priorities; GET /priorities/{priority}; GET /initiatives; GET /initiatives/{initiative}
            GET /deliverables; GET /deliverables/{deliverable}
            GET /recommendations; GET /recommendations/{committee}/{year}/{number}
            GET /traces; GET /traces/{committee}/{year}/{number}; GET /coverage; GET /dependants
            GET /traces/{committee}/{year}/{number}/provenance; GET /suspect-citations
            GET /proceedings/{meeting}; GET /waiting
        """,
        CONFIRMERS: "POST /recommendations/{committee}/{year}/{number}/adopt",
        AUDITORS: """
            GET /traces/{committee}/{year}/{number}/events
            GET /meetings-heard; GET /meetings-heard/{meeting}
        """,
    },
    "notifications": {
        SECRETARIAT: """
            POST /subscriptions; POST /subscriptions/{subscription}/remove; POST /subscriptions/{subscription}/correct
            POST /subscriptions/{subscription}/void
            POST /notifications/{notification}/resend; POST /notifications/{notification}/correct
            POST /notifications/{notification}/void
            POST /subscribers/{person}/erase; POST /subscribers/{person}/correct
            POST /subscribers/{person}/void
            GET /subscribers/{person}
        """,
        AUDITORS: """
            GET /subscriptions; GET /subscriptions/{subscription}
            GET /notifications; GET /notifications/{notification}
        """,
        READERS: "GET /waiting",
    },
}
PARTS = {
    "digest": "0" * 64,
    "session": "7",
    "committee": "SYN",
    "year": "2031",
    "number": "R1",
    "topic": "throughline.synthetic",
    "partition": "0",
    "offset": "0",
    "stream": "synthetic/stream",
    "tile": "0/000",
}


def expected(service: str) -> dict[tuple[str, str], frozenset[str]]:
    """Return the roles that may use each route of a service; none where it asks for no token."""
    table: dict[tuple[str, str], frozenset[str]] = {}
    for routes in (EVERYWHERE, OWN[service]):
        for roles, listed in routes.items():
            for route in filter(None, (each.strip() for each in listed.replace("\n", ";").split(";"))):
                method, _, path = route.partition(" ")
                table[method, path] = roles
    return table


def filled(path: str) -> str:
    """Return the path with synthetic parts."""
    for part in [each.split("}")[0] for each in path.split("{")[1:]]:
        path = path.replace(f"{{{part}}}", PARTS.get(part, "synthetic-nothing"))
    return path
