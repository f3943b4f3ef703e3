"""The proof of one trace in one file, and its offline check.

`{format, reference, checkpoints, keys, hashes, events, trace}`: `checkpoints` are the signed notes by service, `keys`
those that signed them; `events` are all the events of every stream that the trace rests on, each with its service, its
position, and its inclusion proof as indexes into `hashes` (base64). Events are canonical JSON: `check` restores their
bytes for any layout of the file.
"""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.recommendations.composing import subset
from services.recommendations.projection import AGGREGATES, TOPICS
from services.recommendations.trace import SHAPE, compose, trace_bytes
from services.recommendations.trace.initiatives import by_provision
from shared.consumer.record import ConsumedEvent
from shared.events.canonical import NotCanonical, canonical, sha256_hex
from shared.events.catalogue import SERVICES, Recorded, Undecodable, decode
from shared.projection.fold import UNFOLDED, FoldedState, fold_on
from shared.tlog.checkpoints import Checkpoint, Cosigned, cosigned, opened
from shared.tlog.merkle import ProofFails, check_inclusion, leaf_hash
from shared.tlog.notes import NotAKey, NotANote, Verifier
from tools.audit.signatures import TrustedKeys, latest_stamp

FORMAT = 1
PROOF_LIMIT = 32 * 1024 * 1024
_SESSIONS = ("session/", "body_session/")


class NotProven(Exception):
    """The file does not prove its trace; the message names the place."""


@dataclass
class CheckedProof:
    """The content of a valid proof: the trace, the keys, and the number of events by service.

    `trace` is None where code of an earlier shape made it: it is not compared.
    `without` are the sessions that a report was asked for, and that the file has no event of.
    """

    reference: str
    trace: dict[str, Any] | None = None
    checkpoints: dict[str, Checkpoint] = field(default_factory=dict)
    keys: dict[str, Verifier] = field(default_factory=dict)
    vouching: dict[str, list[Cosigned]] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    streams: int = 0
    made_by_shape: int = SHAPE
    without: list[str] = field(default_factory=list)


def check(raw: bytes, trusted: TrustedKeys) -> CheckedProof:
    """Check a proof: signatures, inclusion, chains, and that these events make this trace. Raises NotProven.

    Without trusted keys it uses those in the file: the proof then shows only that the file is consistent with itself.
    """
    try:
        content = orjson.loads(raw)
        json.loads(raw, object_pairs_hook=_each_once)
        if content["format"] != FORMAT:
            raise NotProven(f"the file is a proof of format {content['format']}, this program reads {FORMAT}")
        proven = CheckedProof(content["reference"])
        _check_checkpoints(content, trusted, proven)
        _check_pinned(trusted, proven)
        hashes = [b64decode(each, validate=True) for each in content["hashes"]]
        events = list(_events(content["events"], hashes, proven))
        _check_trace(events, content["trace"], proven)
    except _FAULTS as fault:
        raise NotProven(f"the file is no whole proof ({type(fault).__name__})") from None
    return proven


_FAULTS = (AttributeError, IndexError, KeyError, NotBase64, OverflowError, RecursionError, TypeError, ValueError)


def _each_once(members: list[tuple[str, Any]]) -> None:
    names = set[str]()
    for name, _ in members:
        if name in names:
            raise NotProven(f"the file gives the member {name[:100]!r} twice in one place")
        names.add(name)


def _check_pinned(trusted: TrustedKeys, proven: CheckedProof) -> None:
    """Check that no log of a pinned key is left out; logs that no trace rests on are in no proof."""
    present = {checkpoint.origin for checkpoint in proven.checkpoints.values()}
    elsewhere = tuple(f"/{name}" for name in SERVICES if f"throughline.{name}" not in TOPICS)
    for key in trusted.logs:
        if key.name not in present and not key.name.endswith(elsewhere):
            raise NotProven(f"a key of the log {key.name} was given, and the proof has no checkpoint of that log")


def _check_checkpoints(content: Mapping[str, Any], trusted: TrustedKeys, proven: CheckedProof) -> None:
    for service, note in content["checkpoints"].items():
        try:
            keys = trusted.logs or (Verifier.parse(content["keys"][service]),)
            checkpoint, signed, by = opened(note.encode(), keys)
            vouching = cosigned(signed, trusted.witnesses)
        except (NotAKey, NotANote) as fault:
            raise NotProven(f"the checkpoint of {service}: {fault}") from None
        if not by or not checkpoint.origin.endswith(f"/{service}"):
            raise NotProven(f"the checkpoint of {service}, of the log {checkpoint.origin}, is signed with no known key")
        absent = {key.name for key in trusted.witnesses} - {each.witness.name for each in vouching}
        if absent:
            raise NotProven(f"the checkpoint of {service} carries no cosignature of {', '.join(sorted(absent))}")
        proven.checkpoints[service], proven.keys[service], proven.vouching[service] = checkpoint, by[0], vouching


def _events(events: Iterable[Mapping[str, Any]], hashes: list[bytes], proven: CheckedProof) -> Iterator[ConsumedEvent]:
    for each in events:
        service, position = each["service"], each["position"]
        checkpoint = proven.checkpoints[service]
        where = f"{service}, position {position}"
        try:
            raw = canonical(each["event"])
            recorded = decode(raw)
            leaf = leaf_hash(raw)
            _check_place(recorded, service, proven.vouching[service])
            check_inclusion(leaf, position, checkpoint.size, checkpoint.root, [hashes[at] for at in each["proof"]])
        except (NotCanonical, Undecodable) as fault:
            raise NotProven(f"{where}: the event cannot be read: {fault}") from None
        except _Misplaced as fault:
            raise NotProven(f"{where}: {fault}") from None
        except ProofFails as fault:
            raise NotProven(f"{where}: the event is not in the log as it is here: {fault}") from None
        proven.events[service] = proven.events.get(service, 0) + 1
        yield ConsumedEvent(recorded, raw, sha256_hex(raw), leaf.hex(), position, where)


class _Misplaced(Exception):
    """An event in the log of another service, or recorded after the cosignature that covers it."""


def _check_place(recorded: Recorded, service: str, vouching: Iterable[Cosigned]) -> None:
    if recorded.source != f"/services/{service}":
        raise _Misplaced(f"it is an event of {recorded.source}, in a log that {service} signed")
    for each in vouching:
        if recorded.time > latest_stamp(each.at):
            raise _Misplaced(f"it was recorded at {recorded.time}, and {each.witness.name} vouched for it at {each.at}")


def _check_trace(events: Iterable[ConsumedEvent], trace: Mapping[str, Any], proven: CheckedProof) -> None:
    """Fold the events' streams, compose, and compare byte for byte."""
    streams: dict[str, list[ConsumedEvent]] = {}
    for event in events:
        streams.setdefault(event.recorded.subject, []).append(event)
    states = _States()
    for stream, consumed in streams.items():
        aggregate = AGGREGATES.get(stream.partition("/")[0], UNFOLDED)
        consumed.sort(key=lambda event: event.recorded.streamversion)
        outcome = fold_on(aggregate, FoldedState(stream, aggregate.initial), consumed)
        assert outcome is not None, "a fold from version 1 accepts corrections"
        if outcome.folded.version != len(consumed):
            raise NotProven(f"{stream}: its events do not continue each other after version {outcome.folded.version}")
        states[stream] = outcome.folded
    proven.streams = len(states)
    read = subset(proven.reference, states, by_provision(states.values()))
    absent = sorted(stream for stream, folded in read.items() if not folded.version)
    own = read[f"recommendation/{proven.reference}"]
    proven.without = [stream for stream in absent if stream.startswith(_SESSIONS) and stream not in own.depends_on]
    if left_out := [stream for stream in absent if stream not in proven.without]:
        raise NotProven(f"the file has no event of {left_out[0]}, which the trace rests on")
    if trace["shape"] != SHAPE:
        _check_earlier(trace, states, proven)
        return
    composed = compose(proven.reference, read)
    if composed is None or trace_bytes(composed) != trace_bytes(trace):
        raise NotProven(f"these events do not make this trace of {proven.reference}")
    proven.trace = orjson.loads(trace_bytes(composed))


def _check_earlier(trace: Mapping[str, Any], states: Mapping[str, FoldedState], proven: CheckedProof) -> None:
    """Check that a trace made by code of an earlier shape rests on these events, no more and no fewer."""
    shape = trace["shape"]
    if type(shape) is not int or not 1 <= shape < SHAPE:
        raise NotProven(f"the trace has shape {shape}, this program composes shape {SHAPE}: it cannot be compared")
    if sorted(trace["based_on"]) != sorted([stream, folded.version] for stream, folded in states.items()):
        raise NotProven("the trace says that it rests on other events than those in the file")
    if f"recommendation/{proven.reference}" not in states:
        raise NotProven(f"the file has no event of {proven.reference}")
    proven.made_by_shape = shape


class _States(dict[str, FoldedState]):
    def __missing__(self, stream: str) -> FoldedState:
        return FoldedState(stream, AGGREGATES.get(stream.partition("/")[0], UNFOLDED).initial)
