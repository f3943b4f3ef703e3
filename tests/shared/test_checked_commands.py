"""The command handler checks facts at both doors, command and correction; what a policy derives was checked before."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from services.meetings.commands import RecordMeeting
from services.meetings.projection import OWN as MEETINGS
from services.recommendations.commands import RegisterInstrument, SupersedeInstrument
from services.recommendations.domain.instrument_keys import keys
from services.recommendations.domain.rules import InstrumentIsRegistered, RelationsFormACircle
from services.recommendations.projection import OWN as REGISTER
from shared.domain.aggregate import Command, Context, Known
from shared.domain.rejections import Rejection
from shared.domain.single_facts import EndsBeforeItStarts, FactLiesInTheFuture
from shared.events.canonical import ZERO_HASH
from shared.events.envelope import encode
from shared.events.event import Event
from shared.events.meetings import MeetingRecorded
from shared.events.recommendations import InstrumentRegistered, InstrumentSuperseded
from shared.store.command_handler import CommandHandler, Validated
from shared.store.correcting import CorrectRecord
from shared.store.event_store import Commit, EventStore, Head
from tests.simulate.in_memory import StoreInMemory

NOW = datetime(2026, 11, 15, 9, 0, tzinfo=UTC)
FORUM: dict[str, Any] = {"meeting": "m1", "title": "Synthetic forum", "kind": "forum"}


class Refusals:
    """Refusals that are not recorded anywhere."""

    async def record(self, *_: Any, **__: Any) -> None:
        """Record nothing."""


class Store(StoreInMemory):
    """A store whose streams no cached state is compared with."""

    encode = EventStore.encode

    async def ends_at(self, _head: Head) -> bool:
        return False


class Office:
    """A command handler over streams in memory."""

    def __init__(self, own: dict[str, Any]) -> None:
        self.store = Store()
        self._handler = CommandHandler(
            cast(Any, self.store), cast(Any, Refusals()), own, self._foreign, self._namesakes
        )

    async def _foreign(self, _stream: str) -> Known | None:
        return None

    async def _namesakes(self, _kind: str, wanted: Iterable[str]) -> set[str]:
        states = {stream: await self._handler.known(stream) for stream in self.store.streams}
        registered = {stream: known.state.registered.data for stream, known in states.items() if known}
        return {stream for stream, data in registered.items() if keys(data) & set(wanted)}

    def add(self, stream: str, *events: Event) -> None:
        """Put events on record, as they were once recorded."""
        for event in events:
            raws = self.store.streams.setdefault(stream, [])
            raw = encode(
                event,
                event_id=f"{stream}-{len(raws) + 1}",
                subject=stream,
                time="2026-01-01T00:00:00.000Z",
                version=len(raws) + 1,
                actor="synthetic-actor",
                role="secretariat",
                command_id=f"{stream}-{len(raws) + 1}",
                correlation_id="synthetic",
                causation_id=None,
                previous_hash=ZERO_HASH,
            )
            raws.append(raw)

    async def refuse(self, stream: str, command: Command, role: str = "secretariat") -> Rejection | None:
        """Return the refusal of a command, or None if it is accepted."""
        context = Context(NOW, "synthetic-actor", role, "synthetic-command", "synthetic")
        outcome = await self._handler.handle(stream, command, context)
        return None if isinstance(outcome, Commit) else outcome


def correction(data: dict[str, Any]) -> CorrectRecord:
    return CorrectRecord(corrects=1, data=data, reason="Synthetic")


def registered(instrument: str, cite: str) -> InstrumentRegistered:
    return InstrumentRegistered(instrument=instrument, cite=cite, body="SYN", title="Synthetic")


async def test_a_command_and_a_correction_are_refused_the_same_impossible_dates() -> None:
    office, backwards = Office(MEETINGS), FORUM | {"starts_at": "2024-05-10", "ends_at": "2024-05-08"}
    refused = await office.refuse("meeting/m1", RecordMeeting(**backwards))
    assert isinstance(refused, EndsBeforeItStarts)
    office.add("meeting/m1", MeetingRecorded(**FORUM))
    corrected = await office.refuse("meeting/m1", correction(backwards))
    assert isinstance(corrected, EndsBeforeItStarts)
    assert (refused.field, corrected.field) == ("ends_at", "data.ends_at")
    late = await office.refuse("meeting/m1", correction(FORUM | {"starts_at": "2027"}))
    assert isinstance(late, FactLiesInTheFuture)
    assert await office.refuse("meeting/m1", correction(FORUM | {"starts_at": "2026"})) is None


async def test_what_a_policy_derives_from_an_older_fact_is_not_judged_again() -> None:
    command = RecordMeeting(**FORUM, starts_at="2031")
    assert await Office(MEETINGS).refuse("meeting/m1", command, role="system") is None


async def test_a_citation_on_record_is_refused_to_a_command_and_to_a_correction_that_takes_it() -> None:
    office = Office(REGISTER)
    office.add("instrument/a", registered("a", "Synthetic 1"))
    again = RegisterInstrument(instrument="b", cite="SYNTHETIC 1", body="SYN", title="Synthetic")
    assert isinstance(await office.refuse("instrument/b", again), InstrumentIsRegistered)
    office.add("instrument/b", registered("b", "Synthetic 2"))
    taking = correction(registered("b", "synthetic  1").model_dump(exclude_none=True))
    assert isinstance(await office.refuse("instrument/b", taking), InstrumentIsRegistered)


async def test_what_was_registered_twice_may_be_corrected_in_other_fields() -> None:
    office = Office(REGISTER)
    for instrument in ("a", "b"):
        office.add(f"instrument/{instrument}", registered(instrument, "Synthetic 1"))
    titled = registered("b", "Synthetic 1").model_copy(update={"title": "Synthetic, as it is called"})
    assert await office.refuse("instrument/b", correction(titled.model_dump(exclude_none=True))) is None


async def test_a_circle_is_seen_through_streams_that_the_command_does_not_name() -> None:
    office = Office(REGISTER)
    office.add("instrument/a", registered("a", "Synthetic a"))
    for instrument, later in (("b", "c"), ("c", "d"), ("d", "a")):
        office.add(
            f"instrument/{instrument}",
            registered(instrument, f"Synthetic {instrument}"),
            InstrumentSuperseded(by=later),
        )
    assert isinstance(await office.refuse("instrument/a", SupersedeInstrument(by="b")), RelationsFormACircle)


async def test_a_command_that_is_only_validated_ends_every_handler_and_is_not_on_record() -> None:
    office = Office(MEETINGS)
    context = Context(NOW, "synthetic-actor", "secretariat", "synthetic-command", "synthetic", only_validate=True)
    with pytest.raises(Validated) as validated:
        await office._handler.handle("meeting/m1", RecordMeeting(**FORUM), context)
    assert [type(event.data) for event in validated.value.commit.recorded] == [MeetingRecorded]
    assert office.store.streams == {}
