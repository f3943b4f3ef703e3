"""Aggregates: commands, facts, and the pure functions that decide and fold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar
from uuid import NAMESPACE_URL, uuid5

from pydantic import TypeAdapter

from shared.domain.rejections import Rejection
from shared.domain.single_facts import refusal_of_fact
from shared.domain.voids import Void, void_state, voids_of
from shared.events.catalogue import EVENTS, Recorded
from shared.events.event import Correction, Event, Voiding
from shared.events.upcasters import UPCASTERS, Upcaster, upcast
from shared.events.values import Model

S = TypeVar("S")
E = TypeVar("E", bound=Event)


class Command(Model):
    """A request in the imperative, which may be refused.

    One that `uses_reserve`, since it closes its stream or puts it right, is taken also where the stream is full.
    """

    uses_reserve: ClassVar[bool] = False


@dataclass(frozen=True)
class Context:
    """The metadata of a command: actor (an opaque id), time, and the chain of cause and effect."""

    now: datetime
    actor: str
    role: str
    command_id: str
    correlation_id: str
    causation_id: str | None = None
    member: str | None = None

    def new_id(self, what: str) -> str:
        """Return a new id; a retry of the same command returns the same one."""
        return str(uuid5(NAMESPACE_URL, f"throughline:{self.command_id}:{what}"))


class Fact(NamedTuple):
    """An event as folded: its data, corrected, and the versions behind it (original, then correction)."""

    data: Event
    stream: str
    versions: tuple[int, ...]
    time: str
    actor: str
    role: str
    event_id: str


@dataclass(frozen=True)
class Known:
    """The state and version of a stream that a decision rests on."""

    state: Any
    version: int


Facts = Mapping[str, Known]
Decision = list[Event] | Rejection


def _nothing(_: Any) -> frozenset[str]:
    return frozenset()


def _no_facets(_: Any) -> dict[str, Any]:
    return {}


def _no_needs(_state: Any, _command: Any) -> frozenset[str]:
    return frozenset()


def _names_nothing(_event: Event) -> frozenset[str]:
    return frozenset()


def _void(void: Void) -> Any:
    return void


def _accept(_state: Any, _event: Event, **_: Any) -> None:
    return None


def _lead_nowhere(_item: Any, _facts: Facts) -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True)
class Aggregate(Generic[S]):
    """One kind of stream: `kind/<id>`.

    `needs(state, command)` returns the other streams that the decision rests on; `names(event)` the streams that an
    event's data refers to, which a correction keeps; `depends_on(state)` the streams that a reader of this state must
    also read; `facets(state)` the values that lists filter by; `void(…)` the state of a void stream;
    `judge_change(before, after, version, stream)` the refusal of a correction of that version, by the states without
    and with it; `judge_void(before, after, then, version, stream)` that of a void, where `then` has the state in which
    each version that holds again was recorded; `check(state, event, ...)` that of a fact that cannot follow upon a
    state, for commands and corrections alike.

    Of a command, or a corrected event, `leads_to(item, facts)` returns the further streams that its check rests on, and
    `keys(item)` the keys that no other stream of this kind may have.
    """

    kind: str
    initial: S
    states: TypeAdapter[S]
    evolve: Callable[[S, Fact], S]
    decide: Callable[..., Decision]
    needs: Callable[[S, Any], frozenset[str]] = _no_needs
    names: Callable[[Event], frozenset[str]] = _names_nothing
    depends_on: Callable[[S], frozenset[str]] = _nothing
    facets: Callable[[S], dict[str, Any]] = field(default=_no_facets)
    void: Callable[[Void], S] = field(default=_void)
    judge_change: Callable[[S, S, int, str], Rejection | None] | None = None
    judge_void: Callable[[S, S, Mapping[int, S], int, str], Rejection | None] | None = None
    check: Callable[..., Rejection | None] = _accept
    leads_to: Callable[[Any, Facts], frozenset[str]] = _lead_nowhere
    keys: Callable[[Any], frozenset[str]] = _nothing

    def stream(self, key: object) -> str:
        """Return the stream id for a key of this kind."""
        return f"{self.kind}/{key}"

    def fold(self, recorded: Iterable[Recorded], state: S | None = None) -> S:
        """Fold events in stream order, corrected data in place of the original's, without those that are void.

        Continue from `state` if given; that excludes events that fold their stream again from version 1.
        """
        if isinstance(state, Void):
            return state
        events = list(recorded)
        if state is None and (void := _void_stream(events)) is not None:
            return self.void(void)
        return self.fold_facts(facts_of(events), state)

    def fold_facts(self, facts: Iterable[Fact], state: S | None = None) -> S:
        """Fold facts in stream order."""
        folded = self.initial if state is None else state
        for fact in facts:
            folded = self.evolve(folded, fact)
        return folded

    def fold_before(self, recorded: Iterable[Recorded], version: int) -> S:
        """Fold the facts before a version, as corrected by now."""
        state = self.initial
        for fact in facts_of(recorded):
            state = self.evolve(state, fact) if fact.versions[0] < version else state
        return state

    def decided(self, state: S, command: Any, *, stream: str, facts: Facts, context: Context) -> Decision:
        """Decide on a command, and check each fact that it would record; those that a policy derives were checked."""
        decision = self.decide(state, command, stream=stream, facts=facts, context=context)
        if isinstance(decision, Rejection) or context.role == "system":
            return decision
        refusals = (self.refusal_of(state, event, stream=stream, facts=facts, now=context.now) for event in decision)
        return next(filter(None, refusals), decision)

    def refusal_of(self, state: S, event: Event, *, stream: str, facts: Facts, now: datetime) -> Rejection | None:
        """Return the refusal of a fact that cannot be, by itself or upon this state."""
        return refusal_of_fact(event, now) or self.check(state, event, stream=stream, facts=facts, now=now)


def folds_again(recorded: Iterable[Recorded]) -> bool:
    """Tell whether a stream with these next events is folded again from version 1: live, replayed, for a command."""
    return any(type(event.data) in _REFOLDS for event in recorded)


_REFOLDS = frozenset(event for event in EVENTS.values() if issubclass(event, Correction | Voiding))


def facts_of(recorded: Iterable[Recorded], upcasters: Mapping[str, Upcaster] = UPCASTERS) -> list[Fact]:
    """Return a stream's events as facts: as corrected, and without those that are void."""
    events = list(recorded)
    facts = _originals(events)
    if len(facts) == len(events):
        return facts
    voids = voids_of(events)
    corrected = _corrections(events, voids.keys(), upcasters)
    return [_as_corrected(fact, corrected) for fact in facts if fact.versions[0] not in voids]


def void_facts_of(recorded: Iterable[Recorded], upcasters: Mapping[str, Upcaster] = UPCASTERS) -> list[Fact]:
    """Return a stream's facts that are void, as corrected; the last of their versions is that of the void."""
    events = list(recorded)
    voids = voids_of(events)
    corrected = _corrections(events, voids.keys(), upcasters)
    facts = [_as_corrected(fact, corrected) for fact in _originals(events) if fact.versions[0] in voids]
    return [fact._replace(versions=(*fact.versions, voids[fact.versions[0]].streamversion)) for fact in facts]


def _originals(events: Iterable[Recorded]) -> list[Fact]:
    return [
        Fact(e.data, e.subject, (e.streamversion,), e.time, e.actor, e.role, e.id)
        for e in events
        if type(e.data) not in _REFOLDS
    ]


Corrected = Mapping[int, tuple[Event, int]]


def _corrections(events: Iterable[Recorded], voids: Set[int], upcasters: Mapping[str, Upcaster]) -> Corrected:
    """Return the data of corrected versions, and the correction's version: the latest that fits and is not void."""
    originals = {event.streamversion: event for event in events if type(event.data) not in _REFOLDS}
    corrected: dict[int, tuple[Event, int]] = {}
    for event in events:
        if isinstance(event.data, Correction) and event.streamversion not in voids:
            original = originals.get(event.data.corrects)
            if original is not None and original.streamversion < event.streamversion:
                data = _corrected(original, event.data, upcasters)
                if data is not None:
                    corrected[event.data.corrects] = data, event.streamversion
    return corrected


def _as_corrected(fact: Fact, corrected: Corrected) -> Fact:
    version = fact.versions[0]
    if version not in corrected:
        return fact
    data, correction = corrected[version]
    return fact._replace(data=data, versions=(version, correction))


def _void_stream(events: Sequence[Recorded]) -> Void | None:
    """Return the state of a stream whose version 1 is void; None for any other."""
    if not folds_again(events) or 1 not in (voids := voids_of(events)):
        return None
    first = next((fact for fact in void_facts_of(events) if fact.versions[0] == 1), None)
    return void_state(first.data, first.versions, voids[1].data) if first is not None else None


def _corrected(original: Recorded, correction: Correction, upcasters: Mapping[str, Upcaster]) -> Event | None:
    """Return the corrected data, or None where it does not fit: a fold never refuses history."""
    corrected = {"type": correction.data_type or original.type, "data": correction.data}
    try:
        return EVENTS[original.type].model_validate(upcast(corrected, upcasters)["data"])
    except (AttributeError, LookupError, TypeError, ValueError):
        return None


def event_from(command: Command, event: type[E], **more: Any) -> E:
    """Return the event that records a command: the fields that both have, and `more`."""
    common = {
        name: getattr(command, name)
        for name in command.model_fields_set
        if name in event.model_fields and name not in more
    }
    return event.model_validate(common | {name: value for name, value in more.items() if value is not None})
