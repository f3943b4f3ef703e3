"""Complete recorded histories, and the traces and the roster that they must always produce.

A history is a folder of `histories/`: the ledger of each service as `<service>.jsonl`, a line for each event, its bytes
as recorded (`{"event":…,"position":n}`); `traces.jsonl`, the compared bytes of each trace; `roster.json`. Histories
are added, never changed.

`python -m tests.contracts.histories` writes the missing ones of `MAKERS`.
`python -m tests.contracts.histories add NAME BUNDLE` records the history of an export bundle.
`python -m tests.contracts.histories expect` writes the present code's traces of all: only after SHAPE was raised.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import orjson

from services.recommendations.trace import SHAPE, trace_bytes
from shared.consumer.record import KafkaRecord, headers_of
from shared.events import notifications as s
from shared.events import recommendations as r
from shared.events.canonical import leaf_hash, sha256_hex
from shared.events.catalogue import SERVICES
from shared.events.nominations import ExpertErased
from tests.contracts.examples import nominations as examples
from tests.contracts.examples import notifications as notification_examples
from tests.history import History, a_history, with_texts
from tools.audit.bundle import Bundle
from tools.replay.replayer import Replayer
from tools.replay.roster import roster_bytes
from tools.simulate.history import history

FOLDER = Path(__file__).parent / "histories"
SUMS = FOLDER / "SHA256SUMS"
Event = tuple[str, bytes]


def hard() -> Iterator[Event]:
    """Yield the events that are hard to fold: corrections, supersessions, merge, split, erasure, late facts."""
    yield from _with_hard_events(a_history())


def texts() -> Iterator[Event]:
    """Yield the same, and text versions: returned, adopted anew, deferred, put right, disposed of later."""
    yield from _with_hard_events(with_texts(a_history()))


def _with_hard_events(events: History) -> Iterator[Event]:
    for number in (3, 4, 5):
        reference = f"SYN/2031/R{number}"
        events.add(f"recommendation/{reference}", r.RecommendationDrafted(reference=reference, title=f"Part {number}"))
    events.add("recommendation/SYN/2031/R3", r.RecommendationSplit(into=("SYN/2031/R4", "SYN/2031/R5"), on="2032-01"))
    for number in (4, 5):
        events.add(f"recommendation/SYN/2031/R{number}", r.RecommendationSplit(split_from="SYN/2031/R3", on="2032-01"))
    events.add("recommendation/SYN/2031/R5", r.RecommendationWithdrawn(reason="Synthetic", on="2032"))
    for name in ("NominationSubmitted", "NominationReturned", "NominationResubmitted", "NominationAccepted"):
        events.add("nomination/synthetic-nomination", examples.EXAMPLES[name])
    events.add("membership/synthetic-nomination", examples.EXAMPLES["MembershipBegan"])
    events.add("expert/synthetic-person", ExpertErased(person="synthetic-person", reason="Synthetic request"))
    events.add("subscription/synthetic-subscription", notification_examples.EXAMPLES["SubscriptionAdded"])
    for name in ("NotificationPlanned", "NotificationAttempted", "NotificationDelivered"):
        events.add("notification/synthetic-notification", notification_examples.EXAMPLES[name])
    events.add("subscriber/synthetic-reader", s.SubscriberErased(person="synthetic-reader", reason="Synthetic request"))
    for record in events.all():
        yield record.topic.rpartition(".")[2], record.value or b""


def first_years() -> Iterator[Event]:
    """Yield the first years of one simulated group: all four services, policies, corrections."""
    for commit in history(900, seed=31):
        yield from ((commit.service, raw) for raw in commit.raws)


def later_years() -> Iterator[Event]:
    """Yield the first years of another simulated group: voids, amendments, changed details, agendas put in order."""
    for commit in history(1_500, seed=36):
        yield from ((commit.service, raw) for raw in commit.raws)


MAKERS: Mapping[str, Callable[[], Iterable[Event]]] = {
    "hard": hard,
    "first-years": first_years,
    "later-years": later_years,
    "texts": texts,
}


def names() -> list[str]:
    """Return the names of the recorded histories."""
    return sorted(folder.name for folder in FOLDER.iterdir() if folder.is_dir())


def events_of(name: str) -> Iterator[tuple[str, int, bytes]]:
    """Yield service, position and bytes of each event of a history."""
    for service in SERVICES:
        for line in (FOLDER / name / f"{service}.jsonl").read_bytes().splitlines():
            raw, _, position = line.removeprefix(b'{"event":').rpartition(b',"position":')
            yield service, int(position.removesuffix(b"}")), raw


def replayed(name: str) -> tuple[dict[str, bytes], bytes]:
    """Return the compared bytes of every trace, and the roster, that the present code makes of a history."""
    with Replayer(takes_unsigned=True) as replaying:
        for service, position, raw in events_of(name):
            subject = orjson.loads(raw)["subject"].encode()
            headers = headers_of(position, leaf_hash(raw), b"")
            replaying.add_record(KafkaRecord(f"throughline.{service}", 0, position, subject, raw, headers))
        traces = dict(replaying.run(lambda _, trace: trace_bytes(trace)))
    unreadable = [*replaying.report.poison, *replaying.report.stalled, *replaying.report.disputed]
    assert not unreadable, f"history {name}: an event that was recorded can no longer be read: {unreadable[:3]}"
    return traces, roster_bytes(replaying.report.roster)


def expected(name: str) -> tuple[dict[str, bytes], bytes]:
    """Return the recorded traces and roster, as of the last raise of SHAPE."""
    lines = (FOLDER / name / "traces.jsonl").read_bytes().splitlines()
    traces = {orjson.loads(line)["recommendation"]["reference"]: line for line in lines}
    return traces, (FOLDER / name / "roster.json").read_bytes()


def sums() -> dict[str, str]:
    """Return the recorded SHA-256 of every file of events."""
    lines = (line.split("  ", 1) for line in SUMS.read_text().splitlines())
    return {name: digest for digest, name in lines}


def files() -> dict[str, bytes]:
    """Return every file of events, by its name below the folder."""
    paths = (FOLDER / name / f"{service}.jsonl" for name in names() for service in SERVICES)
    return {str(file.relative_to(FOLDER)): file.read_bytes() for file in paths}


def record(name: str, events: Iterable[Event]) -> None:
    """Write a new history with its traces and roster."""
    folder = FOLDER / name
    folder.mkdir(parents=True)
    lines: dict[str, list[bytes]] = {service: [] for service in SERVICES}
    for service, raw in events:
        lines[service].append(b'{"event":%b,"position":%d}\n' % (raw, len(lines[service])))
    for service, content in lines.items():
        (folder / f"{service}.jsonl").write_bytes(b"".join(content))
    SUMS.write_text("".join(f"{sha256_hex(raw)}  {file}\n" for file, raw in sorted(files().items())))
    expect(name)


def expect(name: str) -> None:
    """Write the traces and roster of a history. If they differ from the recorded ones, SHAPE must have been raised."""
    traces, roster = replayed(name)
    if (FOLDER / name / "traces.jsonl").exists():
        before = expected(name)
        if before != (traces, roster) and any(orjson.loads(each)["shape"] == SHAPE for each in before[0].values()):
            raise SystemExit(f"history {name} makes other traces under SHAPE {SHAPE}: raise it, or fix the code")
    (FOLDER / name / "traces.jsonl").write_bytes(b"".join(traces[each] + b"\n" for each in sorted(traces)))
    (FOLDER / name / "roster.json").write_bytes(roster)


def from_bundle(folder: Path) -> Iterator[Event]:
    """Yield the events of an export bundle."""
    for service, log in Bundle(folder).logs.items():
        yield from ((service, raw) for _, raw in log.entries())


def main(arguments: list[str]) -> None:
    """Run one of the three commands."""
    FOLDER.mkdir(exist_ok=True)
    match arguments:
        case []:
            for name in sorted(MAKERS.keys() - set(names())):
                record(name, MAKERS[name]())
        case ["add", name, bundle]:
            record(name, from_bundle(Path(bundle)))
        case ["expect"]:
            for name in names():
                expect(name)
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
