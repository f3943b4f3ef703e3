"""Callers who are not who they say, or may not do what they ask for."""

from __future__ import annotations

from datetime import timedelta

import httpx

from tests.faults.rig.injecting.fault import fault
from tests.faults.rig.patience import AT_MOST
from tests.faults.rig.rig import Rig
from tests.faults.rig.work.canaries import canary
from tests.http.asking import nomination
from tests.http.forged import ACTOR, FORGED
from tools.client.tokens import mint

WRONG_ROLES = ("auditor", "expert", "operator")


@fault("15", "expired, forged, wrong-audience and wrong-role tokens: refused, and nothing stored")
def tokens_that_do_not_hold(rig: Rig, service: str) -> None:
    path, body, _ = canary(service, rig.load.world.key("stranger"))
    for name, forge in FORGED.items():
        said = _told(rig, service, path, forge(rig.platform.stack), body)
        rig.expect(said == "TokenNotAccepted", f"{service} answered a token that does not hold ({name}) with {said}")
    for role in WRONG_ROLES:
        said = _told(rig, service, path, _token(rig, role), body)
        rig.expect(said == "RoleMayNot", f"{service} answered the command of an {role} with {said}")
    _nothing_stored(rig, service)


@fault("15", "a token of one member nominating for another: refused, and nothing stored", "nominations")
def nominating_for_another(rig: Rig, service: str) -> None:
    written = nomination(rig.load.world.key("stranger"), "FJI")
    said = _told(rig, service, "/nominations", _token(rig, "focal_point", "TUV"), written)
    rig.expect(said == "OnlyTheMembersOwnGovernmentNominates", f"Tuvalu nominated for Fiji, and was told {said}")
    _nothing_stored(rig, service)


def _token(rig: Rig, role: str, member: str | None = None) -> str:
    home, earlier = rig.platform.stack.home, timedelta(hours=2)
    return mint(home, role=role, subject=ACTOR, member=member, backdated=earlier)


def _told(rig: Rig, service: str, path: str, token: str, body: object) -> str:
    """Return the rule by which a command is refused; that of no answer is its absence."""
    key = rig.load.world.key("stranger")
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    for url in rig.platform.urls(service):
        try:
            answer = httpx.post(url + path, headers=headers, json=body, timeout=AT_MOST, trust_env=False)
        except httpx.TransportError:
            continue
        return str(answer.json().get("rule", answer.status_code))
    return "nothing"


def _nothing_stored(rig: Rig, service: str) -> None:
    with rig.database(service) as database:
        rig.expect(database["commits"].find_one({"actor": ACTOR}) is None, f"{service} stored what a stranger sent")
