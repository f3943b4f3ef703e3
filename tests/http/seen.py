"""A synthetic world with a record of each kind, stage and Government, and readers of every role."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2

from shared.domain.visibility import sees
from shared.http.auth import Principal
from tests.http.asking import Caller, accepted, draft, new_id, nomination
from tools.local.stack import Stack

WAIT = 20
SILENT = {"status": "unknown", "note": "Synthetic: the record is silent."}
MISTAKE = {"voids": 1, "reason": "Synthetic mistake"}
LISTS = {
    "call": ("nominations", "/calls"),
    "nomination": ("nominations", "/nominations"),
    "membership": ("nominations", "/memberships"),
    "meeting": ("meetings", "/meetings"),
    "subscription": ("notifications", "/subscriptions"),
    **{
        kind: ("recommendations", plural)
        for kind, plural in (
            ("instrument", "/instruments"), ("session", "/sessions"), ("body_session", "/body-sessions"),
            ("priority", "/priorities"), ("initiative", "/initiatives"), ("deliverable", "/deliverables"),
            ("recommendation", "/recommendations"),
        )
    },
}  # fmt: skip
"""The list of each kind of record; the address of one is that and its key."""


@dataclass(frozen=True)
class Record:
    """A record, and what the table of who sees what knows of it."""

    kind: str
    key: str
    facets: dict[str, str] = field(default_factory=dict)

    @property
    def stream(self) -> str:
        return f"{self.kind}/{self.key}"

    @property
    def address(self) -> tuple[str, str]:
        service, plural = LISTS[self.kind]
        return service, f"{plural}/{self.key}"


class World:
    """Records made by the secretariat: nominations of Fiji and Tuvalu at every stage, and one of every other kind."""

    def __init__(self, stack: Stack, web: httpx2.Client) -> None:
        self.stack, self.web = stack, web
        self.office = Caller(stack, web)
        self.word = f"unseen{uuid4().hex[:10]}"
        self.theme = new_id("theme")
        self.persons = {member: new_id("person") for member in ("FJI", "TUV")}
        self.names = {member: f"Synthetic {uuid4().hex[:10]}" for member in self.persons}
        self.records: list[Record] = []
        self._nominations()
        self._others()
        self._recommendations()

    def readers(self) -> dict[str, Caller]:
        """Return a reader of each role, by a name; experts with the claim of either person, and one without."""
        named = {role: {"role": role} for role in ("secretariat", "chair", "expert", "auditor", "operator")}
        for member, person in self.persons.items():
            named[f"focal point of {member}"] = {"role": "focal_point", "member": member}
            named[f"expert of {member}"] = {"role": "expert", "expert": person}
        return {name: Caller(self.stack, self.web, **claims) for name, claims in named.items()}

    def add(self, kind: str, key: str, **facets: str) -> str:
        """Note a record, and return its key."""
        self.records.append(Record(kind, key, facets))
        return key

    def keys(self, kind: str, **facets: str) -> list[str]:
        """Return the keys of the records of a kind with these facets."""
        return [each.key for each in self.records if each.kind == kind and facets.items() <= each.facets.items()]

    def _send(self, service: str, path: str, **body: Any) -> int:
        return int(accepted(self.office.post(service, path, body))["version"])

    def _nominated(self, member: str, stage: str, *commands: tuple[str, dict[str, str]]) -> str:
        """Nominate an expert of a member, and bring the nomination to a stage."""
        details = {"name": self.names[member], "contact": f"{self.names[member][10:]}@example.org"}
        body = nomination(new_id("nomination"), member, person=self.persons[member], details=details)
        self._send("nominations", "/nominations", **body)
        for word, more in commands:
            self._send("nominations", f"/nominations/{body['nomination']}/{word}", **more)
        key: str = body["nomination"]
        self._await("nomination", key, 1 + len(commands))
        return self.add("nomination", key, stage=stage, member=member, person=self.persons[member])

    def _nominations(self) -> None:
        for member in self.persons:
            self._nominated(member, "submitted")
            self._nominated(member, "returned", ("return", {"reason": "Synthetic: a page is missing"}))
            self._nominated(member, "declined", ("decline", {"ground": "duplicate"}))
            self._nominated(member, "withdrawn", ("withdraw", {}))
            self._nominated(member, "void", ("void", MISTAKE))
            for stage in ("active", "ended"):
                key = self._nominated(member, "accepted", ("accept", {}))
                self._await("membership", key, 1)
                if stage == "ended":
                    ending = {"reason": "term_ended", "ended_on": "2021-01-01"}
                    self._await("membership", key, self._send("nominations", f"/memberships/{key}/end", **ending))
                self.add("membership", key, stage=stage, member=member, person=self.persons[member])
            self._void_membership(member)

    def _void_membership(self, member: str) -> None:
        """Void an acceptance, and the membership with it: the nomination waits again."""
        key = self._nominated(member, "submitted", ("accept", {}))
        self._await("membership", key, 1)
        voided = self._send("nominations", f"/nominations/{key}/void", voids=2, reason="Synthetic mistake")
        self._await("nomination", key, voided)
        self._await("membership", key, 2)
        self.add("membership", key, stage="void", member=member)

    def _await(self, kind: str, key: str, version: int) -> None:
        answer = self.office.get(*Record(kind, key).address, at_least=version, wait=WAIT)
        assert answer.status_code == 200, answer.text

    def _others(self) -> None:
        meeting = {"title": "Synthetic meeting", "kind": "forum", "starts_at": "2021-06-01", "modality": "hybrid"}
        key = self.add("meeting", new_id("meeting"))
        version = self._send("meetings", "/recorded-meetings", meeting=key, **meeting)
        for membership in self.keys("membership", stage="ended"):
            answer = self.office.get("meetings", f"/memberships-heard/{membership}", at_least=2, wait=WAIT)
            assert answer.status_code == 200, answer.text
            attendance = {"membership": membership, "presence": "remote"}
            version = self._send("meetings", f"/meetings/{key}/attendance", **attendance)
        self._await("meeting", key, version)
        for kind, body in (
            ("call", {"title": "Synthetic call"}),
            ("instrument", {"cite": new_id("Synthetic"), "body": "SYN", "title": "Synthetic"}),
            ("priority", {"title": "Synthetic", "outcome": "Synthetic", "timeline_to": "2035"}),
            ("initiative", {"title": "Synthetic", "supporting_member": "FJI"}),
            ("deliverable", {"body": "SYN", "year": "2031"}),
            ("subscription", {"events": ["MeetingCancelled"], "details": {"name": "S", "address": "s@example.org"}}),
        ):
            service, plural = LISTS[kind]
            self._send(service, plural, **{kind: self.add(kind, new_id(kind))}, **body)
            self._await(kind, self.records[-1].key, 1)
        key = self.keys("subscription")[0]
        self._await("subscription", key, self._send("notifications", f"/subscriptions/{key}/remove"))
        body = new_id("body")
        self._send("recommendations", "/body-sessions", body=body, session=7)
        self._await("body_session", self.add("body_session", f"{body}-7"), 1)
        self.office.post("recommendations", "/sessions", {"session": 931, "starts_on": "2019-11-04"})
        self._await("session", self.add("session", "931"), 1)

    def _recommendations(self) -> None:
        instrument = self.keys("instrument")[0]
        self._send("recommendations", f"/instruments/{instrument}/provisions", provision="ask", summary="Synthetic")
        adoption = ("adopt", {"adopted_on": "2020-06-01", **SILENT})
        withdrawal = ("withdraw", {"reason": "Synthetic"})
        for phase, word, commands in (
            ("draft", self.word, ()),
            ("draft", self.word, (withdrawal,)),
            ("draft", self.word, (("void", MISTAKE),)),
            ("draft", self.word, (adoption, ("void", {"voids": 3, "reason": "Synthetic mistake"}))),
            ("adopted", "shown", (adoption,)),
            ("adopted", "shown", (adoption, withdrawal)),
            ("adopted", "shown", (adoption, ("supersede", {"by": ""}))),
        ):
            self._recommended(phase, word, commands)

    def _recommended(self, phase: str, word: str, commands: tuple[tuple[str, dict[str, Any]], ...]) -> None:
        """Draft a recommendation that cites the instrument, and bring it further; the first draft supersedes."""
        body = draft(title=f"Synthetic {word}", text=f"Text {word}", themes=[self.theme], on="2020-01-01")
        version, path = (
            self._send("recommendations", "/recommendations", **body),
            f"/recommendations/{body['reference']}",
        )
        cited = {"instrument": self.keys("instrument")[0], "provision": "ask"}
        for command, more in (("cite", cited), *commands):
            first = {"by": self.keys("recommendation")[0]} if command == "supersede" else {}
            version = self._send("recommendations", f"{path}/{command}", **more | first)
        self.office.get("recommendations", f"/traces/{body['reference']}", at_least=version, wait=WAIT)
        self._await("recommendation", body["reference"], version)
        self.add("recommendation", body["reference"], phase=phase)


def expected(reader: Caller, record: Record) -> bool:
    """Tell whether the table lets a reader see a record."""
    return sees(Principal(reader.actor, reader.role, reader.member, reader.expert), record.kind, record.facets)


def pages(
    reader: Caller, service: str, path: str, limit: int, *, full: bool = True, **query: Any
) -> Iterator[list[Any]]:
    """Yield the pages of a list; assert that each but the last is full, where its limit counts the items."""
    after: dict[str, str] = {}
    while True:
        answer = reader.get(service, path, limit=limit, **after, **query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        yield page["items"]
        if "next" not in page:
            return
        assert len(page["items"]) == limit or not full
        after = {"after": page["next"]}
