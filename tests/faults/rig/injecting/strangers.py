"""Callers with invalid tokens, or without the right to their request."""

from __future__ import annotations

from datetime import timedelta

import httpx2

from tests.faults.rig.injecting.fault import fault
from tests.faults.rig.patience import AT_MOST
from tests.faults.rig.rig import Rig
from tests.faults.rig.work.canaries import canary
from tests.http.asking import nomination
from tests.http.forged import FORGED, SUBJECT, WITHOUT_ROLE
from tools.client.tokens import actor, mint

WRONG_ROLES = ("auditor", "expert", "operator")


@fault("15", "expired, forged, wrong-audience and wrong-role tokens: refused, and nothing stored")
def tokens_that_do_not_hold(rig: Rig, service: str) -> None:
    path, body, _ = canary(service, rig.load.world.key("stranger"))
    for name, forge in FORGED.items():
        rule = _refused(rig, service, path, forge(rig.platform.stack), body)
        rig.expect(rule == "TokenNotAccepted", f"{service} answered an invalid token ({name}) with {rule}")
    for name, (expected, forge) in WITHOUT_ROLE.items():
        rule = _refused(rig, service, path, forge(rig.platform.stack), body)
        rig.expect(rule == expected, f"{service} answered a token of nobody's role ({name}) with {rule}")
    for role in WRONG_ROLES:
        rule = _refused(rig, service, path, _token(rig, role), body)
        rig.expect(rule == "RoleMayNot", f"{service} answered the command of an {role} with {rule}")
    _expect_nothing_stored(rig, service)


@fault("15", "a token of one member nominating for another: refused, and nothing stored", "nominations")
def nominating_for_another(rig: Rig, service: str) -> None:
    written = nomination(rig.load.world.key("stranger"), "FJI")
    rule = _refused(rig, service, "/nominations", _token(rig, "focal_point", "TUV"), written)
    rig.expect(rule == "OnlyTheMembersOwnGovernmentNominates", f"{service} answered Tuvalu nominating for Fiji: {rule}")
    _expect_nothing_stored(rig, service)


def _token(rig: Rig, role: str, member: str | None = None) -> str:
    home, earlier = rig.platform.stack.home, timedelta(hours=2)
    return mint(home, role=role, subject=SUBJECT, member=member, backdated=earlier)


def _refused(rig: Rig, service: str, path: str, token: str, body: object) -> str:
    """Send a command; return the rule by which it is refused, the status without a rule, or "nothing"."""
    key = rig.load.world.key("stranger")
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    for url in rig.platform.urls(service):
        try:
            answer = httpx2.post(url + path, headers=headers, json=body, timeout=AT_MOST, trust_env=False)
        except httpx2.TransportError:
            continue
        return str(answer.json().get("rule", answer.status_code))
    return "nothing"


def _expect_nothing_stored(rig: Rig, service: str) -> None:
    actors = [SUBJECT, actor(rig.platform.stack.home, SUBJECT)]
    with rig.database(service) as database:
        rig.expect(
            database["commits"].find_one({"actor": {"$in": actors}}) is None, f"{service} stored a stranger's command"
        )
