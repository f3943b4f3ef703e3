"""Every kind of record has a page, and an id is never a path or a query."""

from __future__ import annotations

from tools.client import api
from tools.console.kinds import address_of, filled, form_address, kinds


def test_every_command_that_a_person_sends_to_a_record_has_a_form_and_most_kinds_a_page() -> None:
    without = {command.noun for command in api.commands()} - kinds().keys()
    assert without == {"expert", "subscriber"}, "their page is that of privacy"
    for command in api.commands():
        assert form_address(command, "key").endswith(f"/{command.word}")


def test_the_page_of_a_record_lies_at_the_services_own_path() -> None:
    assert address_of("recommendation/CED/2022/R1") == "/recommendations/CED/2022/R1"
    assert address_of("body_session/commission-79") == "/body-sessions/commission-79"
    assert address_of("expert/person-1") == address_of("subscriber/person-1") == "/privacy?person=person-1"
    assert address_of("synthetic/x") is None


def test_an_id_is_encoded() -> None:
    assert filled("/meetings/{meeting}", {"meeting": "a?b#c/../d"}) == "/meetings/a%3Fb%23c%2F..%2Fd"
