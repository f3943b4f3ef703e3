"""The main job from a call for nominations to follow-up, each step recorded in the browser by the role whose it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from uuid import uuid4

from playwright.sync_api import Page, expect

from tests.browser.office import CHAIR, FIJI, SECRETARIAT, Office, Role, Visitor

EXPERT = "Synthetic Expert of Testing"
TITLE = "Synthetic recommendation on shared waters"
DECISION = "The group adopts the synthetic recommendation."
EVIDENCE = "Synthetic report of a made-up ministry"


@dataclass
class MainJob:
    """The job; a step that rests on another takes it first, so that each test may run alone."""

    office: Office
    new_page: Callable[..., Page]
    paper: Path
    key: str = field(default_factory=lambda: uuid4().hex[:8])
    number: int = field(default_factory=lambda: uuid4().int % 90_000 + 1)
    session: str = ""

    def __post_init__(self) -> None:
        self.reference = f"SYN/2026/R{self.number}"
        self.session = self.session or str(900 + self.number % 100)
        self._visitors: dict[Role, Visitor] = {}

    def visitor(self, role: Role) -> Visitor:
        """Return the one visitor of a role."""
        if role not in self._visitors:
            self._visitors[role] = self.office.visitor(self.new_page, role)
        return self._visitors[role]

    @cached_property
    def call(self) -> str:
        """Open a call."""
        call = f"call-{self.key}"
        officer = self.visitor(SECRETARIAT)
        officer.record(
            "/calls/new/open",
            {"call": call, "title": f"Synthetic call {self.key}", "opened_on": "2026-01-12", "closes_on": "2026-02-27"},
        )
        return call

    @cached_property
    def nomination(self) -> str:
        """Nominate an expert of Fiji with a note verbale, and amend it before its review."""
        focal_point, call, nomination = self.visitor(FIJI), self.call, f"nomination-{self.key}"
        focal_point.open("/nominations/new/submit")
        focal_point.page.locator('[name="note_verbale.digest.file"]').set_input_files(self.paper)
        typed = {
            "details.name": EXPERT,
            "details.contact": "synthetic.expert@example.org",
            "note_verbale.channel": "note_verbale",
            "note_verbale.reference": f"SYN/{self.key}",
            "institution": "Synthetic ministry",
            "category": "official",
            "call": call,
            "nomination": nomination,
            "submitted_on": "2026-01-20",
        }
        focal_point.fill(typed)
        focal_point.send()
        expect(focal_point.main).to_contain_text("Recorded:")
        focal_point.record(f"/nominations/{nomination}/do/amend", {"institution": "Synthetic ministry of waters"})
        return nomination

    @cached_property
    def membership(self) -> str:
        """Accept the nomination; a policy begins the membership."""
        officer = self.visitor(SECRETARIAT)
        officer.record(f"/nominations/{self.nomination}/do/accept", {"accepted_on": "2026-02-02"})
        officer.read_until(f"/memberships?nomination={self.nomination}", "Fiji")
        link = officer.main.locator("a[href^='/memberships/']").first
        return (link.get_attribute("href") or "").rpartition("/")[2]

    @cached_property
    def person(self) -> str:
        """Read the id of the expert on the page of the membership."""
        officer, membership = self.visitor(SECRETARIAT), self.membership
        officer.open(f"/memberships/{membership}")
        value = officer.main.locator("dl").first.locator("dt", has_text=re.compile("^Person$")).locator("+ dd")
        return value.inner_text().strip()

    @cached_property
    def meeting(self) -> str:
        """Propose a meeting, and confirm it by the two who must."""
        officer, meeting = self.visitor(SECRETARIAT), f"meeting-{self.key}"
        at = {"starts_at": "2026-03-02T09:00+07:00", "ends_at": "2026-03-02T12:00+07:00", "time_zone": "Asia/Bangkok"}
        kind = {"kind": "technical_expert_group", "modality": "hybrid"}
        officer.record(
            "/meetings/new/propose", {"meeting": meeting, "title": f"Synthetic meeting {self.key}"} | kind | at
        )
        officer.record(f"/meetings/{meeting}/do/confirm")
        self.visitor(CHAIR).record(f"/meetings/{meeting}/do/confirm")
        return meeting

    @cached_property
    def held(self) -> str:
        """Give the meeting its agenda, a paper and attendance; hold it, and record what it decided."""
        officer, meeting = self.visitor(SECRETARIAT), self.meeting
        for number in (1, 2):
            item = {"item": f"item-{number}", "title": f"Synthetic item {number}"}
            officer.record(f"/meetings/{meeting}/do/add-agenda-item", item)
        officer.record(
            f"/meetings/{meeting}/do/record-attendance", {"membership": self.membership, "presence": "in_room"}
        )
        officer.record(f"/meetings/{meeting}/do/hold")
        officer.record(
            f"/meetings/{meeting}/do/record-outcome", {"outcome": "decision-1", "kind": "decision", "text": DECISION}
        )
        return meeting

    @cached_property
    def instrument(self) -> str:
        """Register a mandate and one of its provisions."""
        officer, instrument = self.visitor(SECRETARIAT), f"instrument-{self.key}"
        cite = f"Synthetic resolution {self.key}"
        officer.record(
            "/instruments/new/register",
            {"instrument": instrument, "cite": cite, "body": "SYN", "title": "Synthetic title"},
        )
        officer.record(
            f"/instruments/{instrument}/do/register-provision",
            {"provision": "water", "summary": "Requests a synthetic report on shared waters"},
        )
        return instrument

    @cached_property
    def draft(self) -> str:
        """Draft a recommendation that cites the mandate, and record that the meeting discussed it."""
        officer = self.visitor(SECRETARIAT)
        text = {"title": TITLE, "text": "Share made-up data on made-up waters.", "themes": "Synthetic waters"}
        officer.record("/recommendations/new/draft", {"reference": self.reference, **text})
        officer.record(self.do("cite"), {"instrument": self.instrument, "provision": "water"})
        officer.record(self.do("discuss"), {"meeting": self.held})
        return self.reference

    @cached_property
    def adopted(self) -> str:
        """Adopt the recommendation, by the chair on the decision of the meeting."""
        assert self.draft
        self.visitor(CHAIR).record(self.do("adopt"), {"meeting": self.held, "outcome": "decision-1"})
        return self.reference

    @cached_property
    def followed_up(self) -> str:
        """Transmit the recommendation to a session, record what the Committee did with it, and what followed."""
        assert self.adopted
        officer = self.visitor(SECRETARIAT)
        officer.record("/sessions/new/record", {"session": self.session, "starts_on": "2026-09-01"})
        officer.record(self.do("transmit"), {"session": self.session, "on": "2026-06-15"})
        officer.record(self.do("dispose"), {"session": self.session, "outcome": "endorsed", "on": "2026-09-03"})
        officer.record(
            self.do("report-follow-up"), {"progress": "implemented", "evidence.text": EVIDENCE, "on": "2026-11"}
        )
        return self.reference

    def do(self, word: str) -> str:
        """Return the address of a form of the recommendation."""
        return f"/recommendations/{self.reference}/do/{word}"
