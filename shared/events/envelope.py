"""The CloudEvents envelope: the attributes that every event carries beside its fact."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field, StringConstraints

from shared.events.canonical import canonical, sha256_hex
from shared.events.event import Event
from shared.events.values import Model, Version
from shared.events.words import Role

EVENT_LIMIT = 60_000
D = TypeVar("D", bound=Event, covariant=True)

Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Stamp = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$")]
SUBJECT = r"^[a-z_]{1,40}(/[A-Za-z0-9][A-Za-z0-9._-]{0,99}){1,4}$"
Subject = Annotated[
    str,
    StringConstraints(pattern=SUBJECT),
    Field(description="the stream, `kind/<id>`; never a path: no part of it is empty or begins with a dot"),
]
EventId = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class Envelope(Model, Generic[D]):
    """A recorded event. `time` is the time of recording; the time in the world stands in `data`."""

    specversion: Literal["1.0"]
    id: EventId
    source: Annotated[str, StringConstraints(pattern=r"^/services/[a-z]+$")]
    type: str
    subject: Subject
    time: Stamp
    datacontenttype: Literal["application/json"]
    dataschema: str
    streamversion: Version
    actor: EventId
    role: Role
    commandid: EventId
    correlationid: EventId
    causationid: EventId | None = None
    previoushash: Hash
    data: D = Field()

    @property
    def version(self) -> int:
        """The event's place in its stream, from 1."""
        return self.streamversion


class TooLarge(ValueError):
    """The event is larger than a tiled log's entry may be."""

    def __init__(self, size: int, field: str) -> None:
        super().__init__(
            f"the event is {size} bytes, the limit is {EVENT_LIMIT}; its largest field is {field}: shorten it, "
            "or disseminate the text as a document and name its digest"
        )
        self.size = size
        self.field = field


def stamp(now: datetime, not_before: str | None = None) -> str:
    """Return `now` in UTC with milliseconds, or the stamp of the stream's previous event where that is later."""
    text = now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return max(text, not_before) if not_before else text


def moment(text: str) -> datetime:
    """Return a stamp as a time."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def encode(
    event: Event,
    *,
    event_id: str,
    subject: str,
    time: str,
    version: int,
    actor: str,
    role: str,
    command_id: str,
    correlation_id: str,
    causation_id: str | None,
    previous_hash: str,
) -> bytes:
    """Encode an event in canonical bytes, once: these are hashed, stored, published and exported."""
    data = event.model_dump(mode="json", exclude_none=True)
    attributes: dict[str, Any] = {
        "specversion": "1.0",
        "id": event_id,
        "source": f"/services/{event.service}",
        "type": event.type_name(),
        "subject": subject,
        "time": time,
        "datacontenttype": "application/json",
        "dataschema": event.schema_name(),
        "streamversion": version,
        "actor": actor,
        "role": role,
        "commandid": command_id,
        "correlationid": correlation_id,
        "previoushash": previous_hash,
        "data": data,
    }
    if causation_id is not None:
        attributes["causationid"] = causation_id
    raw = canonical(attributes)
    if len(raw) > EVENT_LIMIT:
        raise TooLarge(len(raw), max(data, key=lambda name: len(canonical(data[name]))))
    return raw


def hash_of(raw: bytes) -> str:
    """Return the `previoushash` of the stream's next event."""
    return sha256_hex(raw)
