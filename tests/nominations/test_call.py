"""A call for nominations is opened once and closed once."""

from __future__ import annotations

from services.nominations.commands import CloseCall, OpenCall
from services.nominations.domain.call import CALL
from shared.domain.rejections import OutOfOrder
from shared.events.event import Event
from shared.events.nominations import CallForNominationsClosed, CallForNominationsOpened
from tests.given import Given, given
from tests.nominations.synthetic import OPENED, corrected

CLOSED = CallForNominationsClosed(closed_on="2026-03")


def a_call(*events: Event) -> Given:
    return given(CALL, "call/synthetic-call", *events)


def test_a_call_is_opened() -> None:
    command = OpenCall(call="synthetic-call", title="Synthetic call", themes=("Clean air for all",))
    a_call().when(command).then(OPENED).then_stage("open")


def test_a_call_is_not_opened_twice() -> None:
    a_call(OPENED).when(OpenCall(call="synthetic-call", title="Again")).then_refused(OutOfOrder)


def test_an_open_call_is_closed() -> None:
    a_call(OPENED).when(CloseCall(closed_on="2026-03")).then(CLOSED).then_stage("closed")


def test_a_call_that_is_not_on_record_is_not_closed() -> None:
    a_call().when(CloseCall()).then_refused(OutOfOrder)


def test_a_closed_call_is_not_closed_again() -> None:
    refused = a_call(OPENED, CLOSED).when(CloseCall()).then_refused(OutOfOrder)
    assert refused.facts() == {"command": "CloseCall", "stream": "call/synthetic-call", "state": "closed"}


def test_a_closed_call_is_not_opened_again() -> None:
    a_call(OPENED, CLOSED).when(OpenCall(call="synthetic-call", title="Again")).then_refused(OutOfOrder)


def test_lists_filter_calls_by_stage_and_theme() -> None:
    assert CALL.facets(a_call(OPENED, CLOSED).state) == {"stage": "closed", "theme": ["Clean air for all"]}
    assert CALL.facets(a_call().state) == {"stage": "absent"}


def test_a_corrected_title_replaces_the_first_one() -> None:
    right = CallForNominationsOpened(call="synthetic-call", title="Synthetic call, as it should read")
    state = a_call(OPENED, CLOSED, corrected(1, right)).state
    assert (state.stage, state.opened.title) == ("closed", "Synthetic call, as it should read")
    assert state.versions == (1, 3, 2)


def test_a_closing_without_an_opening_is_ignored() -> None:
    assert a_call(CLOSED).state.stage == "absent"
