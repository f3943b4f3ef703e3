"""Endpoints for operators and auditors of every service: dead letters, stalled streams, rebuild, republish, history."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Path, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import Field

from shared.consumer.dead_letters import DeadLetters, DeadLetterStanding, to_record
from shared.consumer.record import ConsumedEvent, Poison
from shared.domain.visibility import readers
from shared.events.envelope import stamp
from shared.events.values import ID, ID_IN_WORDS, Model, Text
from shared.events.wording import form
from shared.events.words import Role
from shared.http.auth import OPERATORS, Principal, allow
from shared.http.paths import Topic
from shared.http.persons import refers_to
from shared.http.problems import FieldError, Refused, invalid
from shared.http.queries import After, Limit, check_after
from shared.http.routes import StrictRoute
from shared.ledger.republication import Republication
from shared.projection.projector import Projector
from shared.projection.rebuild import rebuild
from shared.store.event_store import EventStore
from shared.store.refusals import Refusals

NDJSON = "application/x-ndjson"
PROGRESS_SECONDS = 0.5
_WATCHERS, _AUDITORS = readers("operation"), readers("event")
_STREAM = form(r"^[a-z_]+/[A-Za-z0-9._/-]{1,200}$", "a stream, as in meeting/teg-2024")
_NUMBER = Annotated[int, Path(ge=0)]


class Reason(Model):
    """A person's reason for a decision on a dead letter, stored with it."""

    reason: Text = Field(examples=["Synthetic reason: the sender has put it right"])


def operations(projector: Projector, store: EventStore, refusals: Refusals, republication: Republication) -> APIRouter:
    """Return the endpoints for operators and auditors that every service has."""
    router = APIRouter(tags=["operations"], route_class=StrictRoute)
    _add_dead_letters(router, projector)
    _add_history(router, projector, store, refusals)

    @router.post("/operations/rebuild", name="rebuild", summary="Fold and compose everything again, in place")
    async def rebuild_all(_caller: Annotated[Principal, allow(OPERATORS)]) -> StreamingResponse:
        return StreamingResponse(_rebuild(projector), media_type=NDJSON)

    @router.post(
        "/operations/republish", name="republish", summary="Publish the whole ledger again, as identical repeats"
    )
    async def republish_all(_caller: Annotated[Principal, allow(OPERATORS)]) -> StreamingResponse:
        await republication.request()
        return StreamingResponse(_republish(republication), media_type=NDJSON)

    @router.get("/stalled", summary="Stalled streams, with the version that each waits for")
    async def stalled(_caller: Annotated[Principal, allow(_WATCHERS)]) -> dict[str, int]:
        return await projector.stalled()

    @router.get("/ahead", summary="Streams whose last event is dated later than the database's clock, with that time")
    async def ahead(_caller: Annotated[Principal, allow(_WATCHERS)]) -> dict[str, str]:
        return await _ahead(store)

    @router.get("/stalled/reasons", summary="Stalled streams, each with the reason in words")
    async def stalled_because(_caller: Annotated[Principal, allow(_WATCHERS)]) -> dict[str, str]:
        return await projector.stalled_because()

    return router


async def _ahead(store: EventStore) -> dict[str, str]:
    """Read all events: times do not fall within a stream, so a stream is ahead if any of its events is."""
    now = stamp(store.clock.now())
    events = [orjson.loads(raw) async for raw in store.every() if _time_of(raw) > now]
    return {event["subject"]: event["time"] for event in events}


def _time_of(raw: bytes) -> str:
    return str(orjson.loads(raw)["time"])


async def _rebuild(projector: Projector) -> AsyncIterator[bytes]:
    done = of = 0
    async for done, of in rebuild(projector):
        yield orjson.dumps({"done": done, "of": of}) + b"\n"
    yield orjson.dumps({"done": done, "of": of, "finished": True}) + b"\n"


async def _republish(republication: Republication) -> AsyncIterator[bytes]:
    """Yield the progress of the relay that publishes again, which needs no reader."""
    of = 0
    while (remaining := await republication.remaining()) is not None:
        of = remaining.end
        yield orjson.dumps({"done": remaining.next, "of": of}) + b"\n"
        await asyncio.sleep(PROGRESS_SECONDS)
    yield orjson.dumps({"done": of, "of": of, "finished": True}) + b"\n"


def _add_dead_letters(router: APIRouter, projector: Projector) -> None:
    store: DeadLetters = projector.dead_letters

    @router.get("/dead-letters", summary="The dead letters by their place in Kafka, in pages")
    async def dead_letters(
        _caller: Annotated[Principal, allow(_WATCHERS)],
        standing: Literal[DeadLetterStanding, "all"] = "open",
        limit: Limit = 100,
        after: After = None,
    ) -> dict[str, Any]:
        check_after(after, "{topic}/{partition}/{offset}")
        page = await store.find(None if standing == "all" else standing, limit, after)
        return {"items": page} | ({"next": page[-1]["_id"]} if len(page) == limit else {})

    @router.get("/dead-letters/{topic}/{partition}/{offset}", summary="One dead letter; its bytes for auditors only")
    async def dead_letter(
        topic: Topic, partition: _NUMBER, offset: _NUMBER, caller: Annotated[Principal, allow(_WATCHERS)]
    ) -> dict[str, Any]:
        dead_letter = await _dead_letter(store, topic, partition, offset)
        value = {"value": dead_letter["value"].hex()} if caller.role in _AUDITORS else {}
        return _shown(dead_letter) | value

    @router.post("/dead-letters/{topic}/{partition}/{offset}/replay", summary="Consume a dead letter again")
    async def replay_dead_letter(
        topic: Topic,
        partition: _NUMBER,
        offset: _NUMBER,
        body: Reason,
        caller: Annotated[Principal, allow(OPERATORS)],
    ) -> dict[str, Any]:
        record = to_record(await _dead_letter(store, topic, partition, offset))
        event = (await projector.decoder.decode([record]))[0]
        if isinstance(event, Poison):
            raise Refused(422, "StillPoison", f"it still cannot be consumed: {event.reason}: {event.detail}")
        await projector.accept(event, body.reason, caller.actor)
        await projector.fold({event.recorded.subject})
        return _shown(await _dead_letter(store, topic, partition, offset))

    @router.post(
        "/dead-letters/{topic}/{partition}/{offset}/dismiss", summary="Dismiss a dead letter without consuming it"
    )
    async def dismiss_dead_letter(
        topic: Topic,
        partition: _NUMBER,
        offset: _NUMBER,
        body: Reason,
        caller: Annotated[Principal, allow(OPERATORS)],
    ) -> dict[str, Any]:
        dead_letter = await _dead_letter(store, topic, partition, offset)
        if not await store.close(dead_letter["_id"], "dismissed", body.reason, caller.actor):
            raise Refused(409, "OutOfOrder", f"this dead letter is {dead_letter['standing']}, not open", kind="order")
        if stream := dead_letter.get("stream"):
            await projector.fold({stream})
        return _shown(await _dead_letter(store, topic, partition, offset))


def _add_history(router: APIRouter, projector: Projector, store: EventStore, refusals: Refusals) -> None:
    @router.get("/streams/{stream:path}", summary="A stream's events, from this service's own store")
    async def stream_events(stream: str, _caller: Annotated[Principal, allow(_AUDITORS)]) -> Response:
        raws = await store.read_bytes(stream)
        if not raws:
            raise Refused(404, "NotOnRecord", f"{stream} is not a stream of this service")
        return Response(b"[" + b",".join(raws) + b"]", media_type="application/json")

    @router.get("/events", name="naming", summary="The events that name a stream, or that an actor recorded, as NDJSON")
    async def referring(
        _caller: Annotated[Principal, allow(_AUDITORS)],
        stream: Annotated[str | None, Query(pattern=_STREAM, examples=["membership/synthetic"])] = None,
        actor: Annotated[str | None, Query(pattern=form(ID, ID_IN_WORDS))] = None,
    ) -> StreamingResponse:
        if stream is not None and actor is None:
            return StreamingResponse(_referring(store, stream), media_type=NDJSON)
        if actor is not None and stream is None:
            return StreamingResponse(_recorded_by(store, actor), media_type=NDJSON)
        raise invalid([FieldError.of("query.stream", "missing", "is required, or actor in its place")])

    @router.get("/journal", summary="All events that this service has consumed, as NDJSON")
    async def journal(_caller: Annotated[Principal, allow(_AUDITORS)]) -> StreamingResponse:
        return StreamingResponse(_journal_ndjson(projector), media_type=NDJSON)

    @router.get("/journal/unsigned", summary="Events that were journalled before records were signed")
    async def unsigned(
        _caller: Annotated[Principal, allow(_WATCHERS)],
        limit: Annotated[int, Query(ge=1, le=10_000)] = 500,
    ) -> list[dict[str, Any]]:
        events = await projector.journal.without_proof(limit)
        return [{"stream": stream, "version": version} for stream, version in events]

    @router.get("/refusals", name="refusals", summary="The newest refusals")
    async def latest(
        _caller: Annotated[Principal, allow(_AUDITORS)],
        role: Annotated[Role | None, Query(description="of whom; `system` is a policy")] = None,
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> list[dict[str, Any]]:
        return await refusals.latest(limit, role)


async def _referring(store: EventStore, stream: str) -> AsyncIterator[bytes]:
    key = stream.partition("/")[2].encode()
    async for raw in store.every():
        if key in raw and refers_to(orjson.loads(raw), stream):
            yield raw + b"\n"


async def _recorded_by(store: EventStore, actor: str) -> AsyncIterator[bytes]:
    key = f'"{actor}"'.encode()
    async for raw in store.every():
        if key in raw and orjson.loads(raw)["actor"] == actor:
            yield raw + b"\n"


async def _journal_ndjson(projector: Projector) -> AsyncIterator[bytes]:
    async for event in projector.journal.all():
        yield _ndjson(event)


def _ndjson(event: ConsumedEvent) -> bytes:
    """Return `{"event": <stored bytes>, "leaf", "position", "proof" in base64}` and a line feed."""
    fields = (event.raw, event.leaf.encode(), event.position, b64encode(event.proof))
    return b'{"event":%b,"leaf":"%b","position":%d,"proof":"%b"}\n' % fields


async def _dead_letter(store: DeadLetters, topic: str, partition: int, offset: int) -> dict[str, Any]:
    dead_letter = await store.get(f"{topic}/{partition}/{offset}")
    if dead_letter is None:
        raise Refused(404, "NotOnRecord", "there is no such dead letter")
    return dead_letter


def _shown(dead_letter: dict[str, Any]) -> dict[str, Any]:
    withheld = {"value", "key", "headers"}
    shown = {name: value for name, value in dead_letter.items() if name not in withheld}
    return shown | {"size": len(dead_letter["value"])}
