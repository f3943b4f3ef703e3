"""The members that may nominate: 53 members and 9 associate members, no others."""

from __future__ import annotations

from collections import Counter

from shared.domain.members import MEMBERS
from shared.events.values import Member
from tests.contracts.accepting import accepts


def test_there_are_fifty_three_members_and_nine_associate_members() -> None:
    assert Counter(member.kind for member in MEMBERS.values()) == {"member": 53, "associate_member": 9}


def test_every_member_has_a_name_and_a_code_that_events_take() -> None:
    assert all(accepts(Member, code) and member.name for code, member in MEMBERS.items())
    assert len({member.name for member in MEMBERS.values()}) == 62


def test_a_country_outside_the_region_is_not_among_them() -> None:
    assert "FJI" in MEMBERS
    assert "BRA" not in MEMBERS
