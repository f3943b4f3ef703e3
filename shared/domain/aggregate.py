"""Aggregates: commands, and the pure functions that decide and fold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar
from uuid import NAMESPACE_URL, uuid5

from pydantic import TypeAdapter

from shared.domain.facts import Fact, facts_of, void_stream
from shared.domain.rejections import Rejection
from shared.domain.search_entry import SearchEntry
from shared.domain.single_facts import refusal_of_fact
from shared.domain.voids import Void
from shared.events.catalogue import Recorded
from shared.events.event import Event
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
    """The metadata of a command: actor (an opaque id), time, and the chain of cause and effect.

    A command that is only to be validated is decided upon, and nothing of it is recorded.
    """

    now: datetime
    actor: str
    role: str
    command_id: str
    correlation_id: str
    causation_id: str | None = None
    member: str | None = None
    only_validate: bool = False

    def new_id(self, what: str) -> str:
        """Return a new id; a retry of the same command returns the same one."""
        return str(uuid5(NAMESPACE_URL, f"throughline:{self.command_id}:{what}"))


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
    also read; `facets(state)` the values that lists filter by; `searched(state)` what a search finds it by, if it finds
    this kind at all; `void(…)` the state of a void stream;
    `judge_change(before, after, version, stream)` the refusal of a correction of that version, by the states without
    and with it; `judge_void(before, after, then, version, stream)` that of a void, where `then` has the state in which
    each version that holds again was recorded; `check(state, event, ...)` that of a fact that cannot follow upon a
    state, for commands and corrections alike, and of those `checked_again` where a void lets them hold again.

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
    searched: Callable[[S], Iterable[SearchEntry]] | None = None
    void: Callable[[Void], S] = field(default=_void)
    judge_change: Callable[[S, S, int, str], Rejection | None] | None = None
    judge_void: Callable[[S, S, Mapping[int, S], int, str], Rejection | None] | None = None
    check: Callable[..., Rejection | None] = _accept
    leads_to: Callable[[Any, Facts], frozenset[str]] = _lead_nowhere
    keys: Callable[[Any], frozenset[str]] = _nothing
    checked_again: tuple[type[Event], ...] = ()

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
        if state is None and (void := void_stream(events)) is not None:
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


def event_from(command: Command, event: type[E], **more: Any) -> E:
    """Return the event that records a command: the fields that both have, and `more`."""
    common = {
        name: getattr(command, name)
        for name in command.model_fields_set
        if name in event.model_fields and name not in more
    }
    return event.model_validate(common | {name: value for name, value in more.items() if value is not None})
