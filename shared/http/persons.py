"""Answers subject access requests: everything that a service holds about a person."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import orjson
import structlog
from fastapi import APIRouter, Path
from fastapi.responses import Response

from shared.domain.visibility import readers
from shared.events.values import ID, ID_IN_WORDS, Sealed
from shared.events.wording import form
from shared.http.auth import Principal, allow
from shared.http.problems import Refused
from shared.http.routes import StrictRoute
from shared.privacy.key_ring import ERASED, KeyRing
from shared.privacy.staff import Staff
from shared.store.event_store import EventStore

log = structlog.get_logger()

LOST = "[cannot be opened]"
_Person = Annotated[str, Path(pattern=form(ID, ID_IN_WORDS), examples=["synthetic-person"])]


def persons(path: str, kind: str, store: EventStore, keys: KeyRing, staff: Staff | None = None) -> APIRouter:
    """Return the endpoint that answers a subject access request, `path` being the plural of the kind.

    The person may also be one who records: an actor, with a name on the staff list of this service, if it has one.
    """
    router = APIRouter(tags=["privacy"], route_class=StrictRoute)

    @router.get(f"{path}/{{person}}", name=f"held_{kind}", summary="Everything that this service holds about a person")
    async def held(person: _Person, caller: Annotated[Principal, allow(readers("person"))]) -> Response:
        events = [event async for event in events_about(store, keys, kind, person)]
        names = await staff.names([person]) if staff is not None else {}
        if not events and not names and not await keys.knows(person):
            raise Refused(404, "NotOnRecord", f"nothing is held here about {person}")
        log.info("subject_access", person=person, events=len(events))
        content: dict[str, Any] = {"person": person, "erased": await keys.erased(person), "events": events}
        content |= {"staff_name": names[person]} if names else {}
        return Response(orjson.dumps(content), media_type="application/json")

    return router


async def events_about(store: EventStore, keys: KeyRing, kind: str, person: str) -> AsyncIterator[dict[str, Any]]:
    """Yield the events about a person, stream by stream: `{"event": <stored bytes>, "opened"}`.

    They come from the streams that name the person, and from the streams that refer to one of those, as a notification
    refers to its subscription.
    """
    own = f"{kind}/{person}"
    named = {event["subject"] async for event in _events(store, {person}) if _is_about(event, person, own)}
    ids = {stream.partition("/")[2] for stream in named}
    following = {
        event["subject"] async for event in _events(store, ids) if any(refers_to(event, each) for each in named)
    }
    for stream in sorted(named | following):
        for raw in await store.read_bytes(stream):
            opened = {"opened": shown} if (shown := await _opened(keys, orjson.loads(raw), person)) else {}
            yield {"event": orjson.Fragment(raw), **opened}


def refers_to(event: dict[str, Any], stream: str) -> bool:
    """Tell whether an event's data refers to a stream, in a member called after its kind."""
    kind, _, key = stream.partition("/")
    return key in _values_of(event["data"], kind)


async def _events(store: EventStore, ids: set[str]) -> AsyncIterator[dict[str, Any]]:
    """Yield all events whose bytes hold one of the ids as a string or at the end of a reference."""
    ends = [f'{before}{each}"'.encode() for each in ids for before in ('"', "/")]
    async for raw in store.every():
        if any(end in raw for end in ends):
            yield orjson.loads(raw)


def _is_about(event: dict[str, Any], person: str, own: str) -> bool:
    return event["subject"] == own or event["actor"] == person or person in _values_of(event["data"], "person")


def _values_of(value: Any, name: str) -> Iterator[Any]:
    """Yield the values of all members of that name, at any depth."""
    match value:
        case dict():
            for key, member in value.items():
                if key == name:
                    yield member
                yield from _values_of(member, name)
        case list():
            for item in value:
                yield from _values_of(item, name)
        case _:
            return


async def _opened(keys: KeyRing, event: dict[str, Any], person: str) -> dict[str, str] | str | None:
    """Return the person's decrypted details in an event, or the reason they cannot be; None where it holds none."""
    for box in _values_of(event["data"], "sealed"):
        if box["person"] == person:
            opened = await keys.decrypt(Sealed.model_validate(box))
            return opened or (ERASED if await keys.erased(person) else LOST)
    return None
