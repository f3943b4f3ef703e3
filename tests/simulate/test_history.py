"""The synthetic history is valid, deterministic by its seed, and decided as the services decide."""

from __future__ import annotations

import hashlib
from collections import Counter
from itertools import islice
from uuid import RFC_4122, UUID

import pytest

from services.recommendations.commands import AdoptRecommendation, TransmitRecommendation
from services.recommendations.domain.rules import NamesUnknownSession
from shared.events.canonical import ZERO_HASH
from shared.events.catalogue import SERVICES, Recorded, decode
from shared.events.envelope import EVENT_LIMIT, hash_of
from shared.events.event import Correction
from shared.store.voiding import VoidRecord
from tests.history import composed
from tests.simulate.in_memory import StoreInMemory, decided
from tools.simulate.chance import DAY, Chance, day, on
from tools.simulate.commits import SimulatedCommit
from tools.simulate.history import commits_of, history
from tools.simulate.platform import OWN, Platform, Refused
from tools.simulate.records import records_of
from tools.simulate.world import START, World

pytestmark = pytest.mark.slow

EVENTS, FEW_EVENTS = 9_000, 1_500


@pytest.fixture(scope="module")
def commits() -> list[SimulatedCommit]:
    """A history of a few years of one group."""
    return list(history(EVENTS, seed=7))


@pytest.fixture(scope="module")
def events(commits: list[SimulatedCommit]) -> list[Recorded]:
    """The events of the history, in order."""
    return [decode(raw) for commit in commits for raw in commit.raws]


def digest(seed: int) -> str:
    """Return the SHA-256 of a short history's bytes, in order."""
    whole = hashlib.sha256()
    for commit in history(FEW_EVENTS, seed=seed):
        for raw in commit.raws:
            whole.update(raw)
    return whole.hexdigest()


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others() -> None:
    assert digest(seed=7) == digest(seed=7) != digest(seed=8)


def test_it_has_the_requested_number_of_events(commits: list[SimulatedCommit]) -> None:
    assert EVENTS <= sum(len(commit.raws) for commit in commits) <= EVENTS + 2


def test_every_event_is_in_the_catalogue_and_chained_to_its_predecessor(
    commits: list[SimulatedCommit], events: list[Recorded]
) -> None:
    heads: dict[str, tuple[int, str, str]] = {}
    decoded = iter(events)
    for commit in commits:
        for raw in commit.raws:
            version, previous, time = heads.get(commit.stream, (0, ZERO_HASH, ""))
            event = next(decoded)
            assert (event.streamversion, event.previoushash) == (version + 1, previous)
            assert event.time >= time
            assert event.data.service == commit.service
            assert len(raw) < EVENT_LIMIT
            heads[commit.stream] = (event.streamversion, hash_of(raw), event.time)


def test_ids_are_unique(commits: list[SimulatedCommit], events: list[Recorded]) -> None:
    ids = Counter(event.id for event in events)
    assert ids.most_common(1)[0][1] == 1
    assert Counter(commit.context.command_id for commit in commits).most_common(1)[0][1] == 1


def test_it_says_that_it_is_synthetic(events: list[Recorded]) -> None:
    data = [event.data for event in events]
    titles = [title for each in data if (title := getattr(each, "title", None)) is not None]
    references = [reference for each in data if (reference := getattr(each, "reference", None)) is not None]
    assert [title for title in titles if not title.startswith("Synthetic")] == []
    assert [reference for reference in references if not reference.startswith("SYN/")] == []
    assert len(titles) > 500
    assert len(references) > 20


def test_it_holds_the_events_that_are_hard_to_fold(commits: list[SimulatedCommit], events: list[Recorded]) -> None:
    names = Counter(type(event.data).__name__ for event in events)
    hard = ("RecordCorrected", "RecordVoided", "InstrumentSuperseded", "CitationReconfirmed", "MandateUncited",
            "NominationReturned", "MeetingRescheduled", "MembershipEnded", "RecommendationTransmitted",
            "FollowUpReported", "AgendaOrdered", "ActionPointClosed")  # fmt: skip
    assert [name for name in hard if not names[name]] == []
    data = [event.data for event in events]
    assert {"returned", "deferred", "unknown"} <= {getattr(each, "outcome", None) for each in data}
    assert any(getattr(each, "clerical", None) for each in data)
    adopted = [commit for commit in commits if isinstance(commit.command, AdoptRecommendation)]
    assert any(commit.context.role == "chair" and commit.command.outcome for commit in adopted)
    assert _adopted_anew_after_a_void(commits)
    assert {commit.service for commit in commits} == set(SERVICES)


def _adopted_anew_after_a_void(commits: list[SimulatedCommit]) -> bool:
    """Tell whether an adoption was void and its recommendation adopted again, and a void was void."""
    voids = [(commit.stream, commit.command) for commit in commits if isinstance(commit.command, VoidRecord)]
    adoptions = Counter(
        commit.stream for commit in commits if commit.stream in dict(voids)
        and isinstance(commit.command, AdoptRecommendation)
    )  # fmt: skip
    of_voids = {(commit.stream, commit.first) for commit in commits if isinstance(commit.command, VoidRecord)}
    return max(adoptions.values()) > 1 and any((stream, command.voids) in of_voids for stream, command in voids)


def test_no_stream_is_long(commits: list[SimulatedCommit]) -> None:
    assert max(commit.last for commit in commits) < 200


async def test_the_services_handlers_decide_the_same_events(commits: list[SimulatedCommit]) -> None:
    store = StoreInMemory()
    for commit in islice(commits, 3_000):
        expected = [decode(raw).data for raw in commit.raws]
        assert await decided(store, commit) == expected
        store.streams.setdefault(commit.stream, []).extend(commit.raws)


def test_streams_fold_to_the_states_of_the_decisions() -> None:
    world, raws, corrected = World(seed=3, groups=1), dict[str, list[bytes]](), 0
    for commit in islice(commits_of(world), EVENTS):
        raws.setdefault(commit.stream, []).extend(commit.raws)
    for stream, encoded in raws.items():
        if (known := world.platform.known(stream)) is not None:
            recorded = [decode(raw) for raw in encoded]
            assert OWN[stream.partition("/")[0]][1].fold(recorded) == known.state
            corrected += any(isinstance(event.data, Correction) for event in recorded)
    assert corrected


def test_a_replay_gives_a_trace_of_every_recommendation(commits: list[SimulatedCommit]) -> None:
    records = [record.consumed() for record in records_of(commits) if record.service in ("recommendations", "meetings")]
    traces = composed(records)
    drafted = {commit.stream.partition("/")[2] for commit in commits if commit.stream.startswith("recommendation/")}
    assert traces.keys() == drafted
    assert len(drafted) >= 240 * EVENTS // 100_000
    assert any("texts" in trace for trace in traces.values())
    assert {"shallow", "deep"} <= {trace["coverage"] for trace in traces.values()}
    standings = {mandate["standing"] for trace in traces.values() for mandate in trace["mandates"]}
    assert standings == {"live", "suspect", "uncited"}


def test_a_refusal_stops_the_simulation() -> None:
    platform = Platform(seed=1)
    with pytest.raises(Refused) as refused:
        platform.execute("recommendation/SYN/2031/R1", TransmitRecommendation(session=4), START)
    assert isinstance(refused.value.rejection, NamesUnknownSession)


def test_chance_draws_each_once_and_within_bounds() -> None:
    chance = Chance(1, "test")
    assert sorted(chance.some((1, 2, 3), 5)) == [1, 2, 3]
    assert {chance.between(1, 3) for _ in range(100)} == {1, 2, 3}
    assert len(chance.hexadecimal(9)) == 9


def test_ids_have_the_form_of_a_uuid_of_their_millisecond() -> None:
    event_id = UUID(Chance(1, "test").event_id(START))
    assert (event_id.version, event_id.variant, event_id.int >> 80) == (7, RFC_4122, START)


def test_a_day_ends_with_its_last_millisecond() -> None:
    assert day(on(2031, 2, 28) + DAY - 1) == "2031-02-28"
