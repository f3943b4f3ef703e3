"""The builder of the proof of one trace, from a bundle or from the services."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

import orjson

from services.recommendations.projection import TOPICS
from shared.consumer.record import topic_of
from shared.events.canonical import canonical, leaf_hash
from shared.events.catalogue import decode
from shared.events.services import SERVICES
from shared.tlog.checkpoints import Checkpoint, opened
from shared.tlog.notes import NotAKey, NotANote, Note, Verifier
from shared.tlog.proofs import TiledTree
from shared.tlog.tiles import CHECKPOINT, Tile
from tools.audit.bundle import ALL_KEYS, Bundle
from tools.audit.bundle_replay import open_replay, subject_of
from tools.audit.proof import FORMAT
from tools.client.progress import Advance
from tools.client.services import Services

_COMPOSES = "recommendations"


class CannotProve(Exception):
    """The logs lack events that the trace is based on, or no checkpoint covers them yet."""


class LoggedEvent(NamedTuple):
    """An event that a trace is based on, with its service and ledger position."""

    service: str
    position: int
    event: bytes


class LogFiles(Protocol):
    """A log's files by their names: checkpoint, keys, tiles. A bundle's `Log` is one."""

    def file(self, name: str) -> bytes:
        """Return a file's bytes."""


class ServedLog:
    """A service's log over HTTP."""

    def __init__(self, services: Services, service: str) -> None:
        self._services, self._service = services, service

    def file(self, name: str) -> bytes:
        """Return a file's bytes."""
        if name == ALL_KEYS:
            return self._services.raw(self._service, "/log/keys")
        return self._services.raw(self._service, f"/log/{name}")


def from_bundle(bundle: Bundle, reference: str, advance: Advance) -> bytes:
    """Return the proof of a trace, from an export alone. Raises CannotProve, NotReadable."""
    with open_replay(bundle, advance) as replay:
        traces = dict(replay.run(lambda name, trace: trace if name == reference else None))
    if (trace := traces.get(reference)) is None:
        raise CannotProve(f"{reference} is not on record in {bundle.folder}")
    streams = {stream.encode() for stream, *_ in trace["based_on"]}
    logs = {service: log for service, log in bundle.logs.items() if topic_of(service) in TOPICS}
    events = [
        LoggedEvent(service, position, raw)
        for service, log in logs.items()
        for position, raw in log.entries()
        if subject_of(raw) in streams
    ]
    return proof(reference, trace, events, logs)


def from_services(services: Services, reference: str) -> bytes:
    """Return the proof of the live trace. Raises CannotProve, Refused, Unreachable."""
    response = services.find(_COMPOSES, f"/traces/{reference}/events")
    if response is None:
        raise CannotProve(f"{reference} is not on record: throughline traces lists the references")
    events = [LoggedEvent(each["service"], each["position"], canonical(each["event"])) for each in response["events"]]
    logs = {name: ServedLog(services, name) for name in SERVICES if topic_of(name) in TOPICS}
    return proof(reference, response["trace"], events, logs)


def proof(reference: str, trace: dict[str, Any], events: Iterable[LoggedEvent], logs: Mapping[str, LogFiles]) -> bytes:
    """Return the proof file: each log's newest checkpoint, and each event with its proof. Raises CannotProve."""
    signed = {service: _signed(log) for service, log in logs.items()}
    trees = {service: _tree(log, signed[service][0]) for service, log in logs.items()}
    hashes: dict[bytes, int] = {}
    proven = []
    for event in sorted(events):
        tree = trees[event.service]
        if event.position >= tree.size:
            raise CannotProve(
                f"the newest checkpoint of {event.service} has size {tree.size}, and {reference} rests on the event at "
                f"position {event.position}: try again in a moment"
            )
        try:
            decode(event.event)
            leaf, inclusion = tree.leaf(event.position), tree.inclusion(event.position)
        except ValueError as fault:
            raise CannotProve(f"{event.service}, position {event.position}: {fault}") from None
        if leaf.hex() != leaf_hash(event.event):
            raise CannotProve(f"{event.service}, position {event.position}: the log holds another event there")
        path = [hashes.setdefault(each, len(hashes)) for each in inclusion]
        proven.append({**event._asdict(), "event": orjson.Fragment(event.event), "proof": path})
    content = {
        "format": FORMAT,
        "reference": reference,
        "checkpoints": {service: note.raw().decode() for service, (_, note, _) in signed.items()},
        "keys": {service: key.vkey for service, (_, _, key) in signed.items()},
        "hashes": [b64encode(each).decode() for each in hashes],
        "events": proven,
        "trace": trace,
    }
    return orjson.dumps(content) + b"\n"


def _signed(log: LogFiles) -> tuple[Checkpoint, Note, Verifier]:
    """Return a log's newest checkpoint, its note, and the key that signed it."""
    try:
        keys = [Verifier.parse(line) for line in log.file(ALL_KEYS).decode(errors="replace").split()]
        checkpoint, note, by = opened(log.file(CHECKPOINT), keys)
    except (NotAKey, NotANote) as fault:
        raise CannotProve(f"the checkpoint: {fault}") from None
    if not by:
        raise CannotProve(f"the checkpoint of {checkpoint.origin} is signed with none of the log's keys")
    return checkpoint, note, by[0]


def _tree(log: LogFiles, checkpoint: Checkpoint) -> TiledTree:
    def read(tile: Tile) -> bytes:
        return log.file(tile.path)

    return TiledTree(checkpoint.size, read)
