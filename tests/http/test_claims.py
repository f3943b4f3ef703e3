"""The identity of a caller: claims by settings, groups, the file of people, and the actor of the history."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from shared.domain.actors import actor_of
from shared.events.values import ID
from shared.http import people
from shared.http.claims import ClaimReader, Identity
from shared.http.people import Spoilt, parse
from shared.http.problems import Refused
from shared.runtime.configuration import CannotStart, read
from shared.runtime.settings import SignInSettings
from tests.http.asking import problem
from tests.http.attacked import ACTOR_KEY
from tests.http.test_callers import PEER, Service

KEYCLOAK = {
    "role_claim": "realm_access.roles",
    "roles": json.dumps({"TL officers": "secretariat", "TL auditors": "auditor"}),
}
ISSUER = "throughline-local"
NAME = "Synthetic Officer"


def identity(claims: Mapping[str, Any], **settings: Any) -> Identity:
    reader = ClaimReader(SignInSettings(jwks="none", actor_key=ACTOR_KEY, **settings))
    return reader.identify({"sub": "synthetic", **claims})


def written(file: Path, persons: Mapping[str, Any], issuer: str = ISSUER) -> Path:
    file.write_text(json.dumps({"issuer": issuer, "people": persons}))
    return file


@pytest.mark.parametrize(
    ("claims", "settings", "expected"),
    [
        ({"role": "chair"}, {}, Identity("chair")),
        ({"role": ["chair"]}, {}, Identity("chair")),
        ({"role": ["chair", "chair", "staff", 7]}, {}, Identity("chair")),
        ({"realm_access": {"roles": ["offline", "TL officers"]}}, KEYCLOAK, Identity("secretariat")),
        ({"realm_access.roles": "TL auditors"}, KEYCLOAK, Identity("auditor")),
        ({"https://example.org/role": "expert"}, {"role_claim": "https://example.org/role"}, Identity("expert")),
        ({"role": "focal_point", "o": {"code": ["FJI"]}}, {"member_claim": "o.code"}, Identity("focal_point", "FJI")),
        ({"role": "expert", "who": "synthetic-1"}, {"expert_claim": "who"}, Identity("expert", None, "synthetic-1")),
        ({"role": "expert", "member": "FJI"}, {}, Identity("expert")),
    ],
)  # fmt: skip
def test_claims_are_read_by_the_names_that_the_settings_give(
    claims: dict[str, Any], settings: dict[str, Any], expected: Identity
) -> None:
    assert identity(claims, **settings) == expected


@pytest.mark.parametrize(
    ("claims", "settings", "rule"),
    [
        ({"realm_access": {"roles": ["TL officers", "TL auditors"]}}, KEYCLOAK, "SeveralRoles"),
        ({"role": "secretariat"}, KEYCLOAK, "RoleNotGiven"),
        ({"realm_access": {"roles": ["secretariat"]}}, KEYCLOAK, "RoleNotGiven"),
        ({"realm_access": ["TL officers"]}, KEYCLOAK, "RoleNotGiven"),
        ({"realm_access": None}, KEYCLOAK, "RoleNotGiven"),
        ({"role": {"secretariat": True}}, {}, "RoleNotGiven"),
        ({"role": "Secretariat"}, {}, "RoleNotGiven"),
        ({"role": "system"}, {}, "RoleNotGiven"),
        ({"role": "focal_point", "member": {"FJI": 1}}, {}, "MemberNotGiven"),
        ({"role": "focal_point", "member": "fji"}, {}, "MemberNotGiven"),
        ({"role": "expert", "expert": "a\nb"}, {}, "ExpertNotAPerson"),
    ],
)
def test_claims_that_say_no_one_thing_are_refused_by_name(
    claims: dict[str, Any], settings: dict[str, Any], rule: str
) -> None:
    with pytest.raises(Refused) as refused:
        identity(claims, **settings)
    assert refused.value.rule == rule


def test_the_file_gives_what_the_claims_leave_out_and_the_claims_win(tmp_path: Path) -> None:
    file = written(
        tmp_path / "people.json",
        {"one": {"role": "focal_point", "member": "TUV"}, "two": {"role": "expert", "expert": "synthetic-2"}},
    )
    given: dict[str, Any] = {"people_file": file}
    assert identity({"sub": "one"}, **given) == Identity("focal_point", "TUV")
    assert identity({"sub": "one", "member": "FJI"}, **given) == Identity("focal_point", "FJI")
    assert identity({"sub": "one", "role": "auditor"}, **given) == Identity("auditor")
    assert identity({"sub": "one", "role": "focal_point"}, **given) == Identity("focal_point", "TUV")
    assert identity({"sub": "two"}, **given) == Identity("expert", None, "synthetic-2")
    assert identity({"sub": "two", "expert": "synthetic-3"}, **given).expert == "synthetic-3"
    with pytest.raises(Refused, match="gives you 2 roles, auditor and chair"):
        identity({"sub": "one", "role": ["chair", "auditor"]}, **given)
    with pytest.raises(Refused, match="no claim of your token gives you a role"):
        identity({"sub": "three"}, **given)


SPOILT = {
    "neither YAML": ("people: [", "line 1: it is neither YAML nor JSON"),
    "binary": ("\x00", "neither YAML nor JSON"),
    "nothing": ("", "valid dictionary"),
    "another issuer": (f"issuer: {ISSUER}/\npeople: {{}}", "to the last character"),
    "no issuer": ("people: {}", "issuer: Field required"),
    "a number": (f"issuer: {ISSUER}\npeople: {{7: {{role: chair}}}}", "subject of entry 1 is no text"),
    "twice": (f"issuer: {ISSUER}\npeople:\n  x: {{role: chair}}\n  x: {{role: auditor}}", "line 4: .*a key twice"),
    "no member": (f"issuer: {ISSUER}\npeople: {{x: {{role: focal_point}}}}", "people, entry 1: a focal point needs"),
    "of no member": (f"issuer: {ISSUER}\npeople: {{x: {{role: focal_point, member: BRA}}}}", "entry 1: member is none"),
    "the system": (f"issuer: {ISSUER}\npeople:\n  y: {{role: chair}}\n  x: {{role: system}}", "people, entry 2, role:"),
    "no person": (f"issuer: {ISSUER}\npeople: {{x: {{role: expert, expert: 'a b'}}}}", "people, entry 1, expert:"),
    "more": (f"issuer: {ISSUER}\npeople: {{x: {{role: chair, secret@example.org: y}}}}", "people, entry 1: Extra"),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILT)
def test_a_file_that_cannot_be_used_is_refused_with_its_place_and_without_its_subjects(
    name: str, tmp_path: Path
) -> None:
    text, says = SPOILT[name]
    with pytest.raises(Spoilt, match=says) as spoilt:
        parse(text.replace("x:", '"synthetic.person@example.org":'), ISSUER)
    assert "@" not in str(spoilt.value)
    file = tmp_path / "people.yaml"
    file.write_text(text)
    with pytest.raises(CannotStart, match=f"^THROUGHLINE_PEOPLE_FILE: .*{says}"):
        identity({"role": "chair"}, people_file=file)


def test_a_service_does_not_start_without_the_file_that_it_is_to_read(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"^THROUGHLINE_PEOPLE_FILE: .* cannot be read: No such file"):
        identity({"role": "chair"}, people_file=tmp_path / "absent")


async def test_a_file_changed_while_running_counts_and_a_spoilt_one_warns_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "LOOK_EVERY_SECONDS", 0.0)
    file = written(tmp_path / "people.yaml", {"synthetic": {"role": "secretariat"}})
    service = Service(tmp_path, people_file=file)
    token = service.token(role=None)
    assert (await service.get(token)).status_code == 200
    assert service.tokens.people_warning() == ""

    written(file, {"synthetic": {"role": "focal_point"}, "somebody@example.org": {"role": "chair"}})
    with capture_logs() as logs:
        assert (await service.get(token)).status_code == 200, "the last good content counts"
    warning = service.tokens.people_warning()
    assert f"its last good content is used: {file}: people, entry 1: a focal point needs its member" in warning
    assert [each["event"] for each in logs if each["log_level"] == "error"] == ["people_file_spoilt"]
    assert "@" not in warning + str(logs)

    file.unlink()
    assert (await service.get(token)).status_code == 200
    assert service.tokens.people_warning().endswith("cannot be read: No such file or directory")

    replaced = written(tmp_path / "new", {"somebody": {"role": "secretariat"}})
    os.replace(replaced, file)
    problem(await service.get(token), 403, "RoleNotGiven")
    assert service.tokens.people_warning() == ""


async def test_issuers_are_compared_to_the_last_character_and_one_audience_of_several_is_enough(tmp_path: Path) -> None:
    service = Service(tmp_path, issuer=f"{ISSUER}/", audience="throughline synthetic-client")
    problem(await service.get(service.token()), 401, "TokenNotAccepted")
    service = Service(tmp_path, audience="throughline synthetic-client")
    for audience in ("throughline", "synthetic-client", ["another", "synthetic-client"]):
        assert (await service.get(service.token(audience=audience))).status_code == 200
    for audience in ("throughline synthetic-client", "another", ["another"], [], ["throughline", 7]):
        problem(await service.get(service.token(audience=audience)), 401, "TokenNotAccepted")


async def test_the_actor_is_a_keyed_hash_and_neither_subject_nor_name_is_logged(tmp_path: Path) -> None:
    service = Service(tmp_path)
    address = "synthetic.officer@example.org"
    with capture_logs() as logs:
        caller = await service.tokens.check(service.token(subject=address, name=NAME), PEER)
        refused: httpx2.Response = await service.get(service.token(role=None, subject=address, name=NAME))
    assert caller.actor == actor_of(ACTOR_KEY.encode(), ISSUER, address)
    assert (caller.name, NAME in repr(caller)) == (NAME, False)
    problem(refused, 403, "RoleNotGiven")
    assert [each["event"] for each in logs] == ["without_a_role"]
    assert not any(word in str(logs) + refused.text for word in (address, NAME, "@"))


@pytest.mark.parametrize(
    ("name", "shown"), [("  A  B ", "A  B"), ("x" * 300, "x" * 200), ("a\nb", None), ("", None), (7, None)]
)
async def test_only_a_line_of_text_is_taken_for_a_name(name: Any, shown: str | None, tmp_path: Path) -> None:
    service = Service(tmp_path)
    assert (await service.tokens.check(service.token(name=name), PEER)).name == shown


def test_an_actor_is_an_id_that_depends_on_key_issuer_and_subject() -> None:
    actors = {
        actor_of(key, issuer, subject)
        for key in (b"one", b"two")
        for issuer, subject in (("a", "b"), ("a", "bc"), ("ab", "c"), ("a/", "b"))
    }
    assert len(actors) == 8
    assert all(re.fullmatch(ID, each) and len(each) == 45 for each in actors)
    assert actor_of(b"key", "issuer", "subject") == "u-yial8IHi8loeNKT54yWtnOnGtJ4hAYDcxS9PlD8WvbA"


@pytest.mark.parametrize("key", [None, "", " " * 40, "x" * 31])
def test_without_a_key_of_actors_no_service_starts(key: str | None, tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"^THROUGHLINE_ACTOR_KEY: (no key of 32 characters|is empty)"):
        read(SignInSettings, jwks="none", actor_key=key).key_of_actors()
    file = tmp_path / "key"
    file.write_text("short\n")
    with pytest.raises(CannotStart, match=r"^THROUGHLINE_ACTOR_KEY_FILE: no key of 32"):
        SignInSettings(jwks="none", actor_key_file=file).key_of_actors()
    file.write_text(f"{ACTOR_KEY}\n")
    assert SignInSettings(jwks="none", actor_key_file=file).key_of_actors() == ACTOR_KEY.encode()
