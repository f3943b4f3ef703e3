"""`throughline replay`: traces rebuilt in memory from the history, and compared with the live ones."""

import hashlib
import time
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

import orjson
import typer

from services.recommendations.projection import TOPICS
from services.recommendations.trace import SHAPE, trace_bytes
from shared.runtime.kafka_access import KafkaAccess
from shared.tlog.trust import LogTrust
from tools.cli.audit.options import Keys
from tools.client.connection import Connection, Format, Home, Kafka, Token
from tools.client.errors import REFUSED, exits
from tools.client.log_keys import log_trust
from tools.client.progress import bar
from tools.client.services import Services
from tools.client.stack_home import DEFAULT_HOME
from tools.render.terminal import print_json, print_line
from tools.replay.comparison import Rebuilt, Trace, Verdict, compare
from tools.replay.completeness import ensure_complete
from tools.replay.history import from_journal, from_kafka, unsigned_of
from tools.replay.replayer import Replayer, Report

Origin = Literal["kafka", "journal"]
SERVICE = "recommendations"
CATCH_UP_SECONDS = 20.0
UNSIGNED_SECONDS = 60.0
IN_FLIGHT_SECONDS = 15.0
_VALUE_SHOWN = 300
_LISTED = 10


@dataclass
class Replay:
    """A replayed history: the report, the rebuilt traces, and the verdict where they were compared."""

    report: Report
    rebuilt: Rebuilt
    verdict: Verdict | None = None

    @property
    def digest(self) -> str:
        """SHA-256 over the compared bytes of all traces, by reference."""
        traces = self.rebuilt.traces
        return hashlib.sha256(b"\n".join(trace_bytes(traces[name]) for name in sorted(traces))).hexdigest()


def replay(
    origin: Annotated[Origin, typer.Option("--from", help="Source of the history.")] = "kafka",
    compared: Annotated[bool, typer.Option("--compare", help="Compare with the live traces, byte for byte.")] = False,
    kafka: Kafka = None,
    key: Keys = None,
    shown_as: Format = "text",
    home: Home = DEFAULT_HOME,
    token: Token = None,
) -> None:
    """Rebuild every trace in memory from the whole history, and compare it with the live one.

    Example: throughline replay --from kafka --compare

    Of what Kafka holds only events count that their log's key signed, by the keys given, those of the environment
    (THROUGHLINE_TRUSTED_KEYS), or the local stack's. A trace is compared where live and rebuilt rest on the same
    versions. A live one that is newer is named and left out if the events that it rests on arrive, signed, within a
    minute; else they are a finding. Traces of another shape (another version of this program composed them) are named,
    not compared.

    Exit code: 0 when all are identical, or without --compare; 1 when one differs, is missing, lags behind, or is of
    another shape, naming the first difference; 2 for bad input; 3 when a service or Kafka does not answer.
    """
    with exits():
        connection = Connection(home, token)
        with Services(connection, "auditor") as services:
            access = connection.kafka(kafka) if origin == "kafka" else None
            done = run(services, access, log_trust(home, key), compared=compared)
    if shown_as == "json":
        print_json(_as_json(done))
    else:
        for line in in_words(done, origin):
            print_line(line)
    if done.verdict is not None and not done.verdict.holds:
        raise typer.Exit(REFUSED)


def run(services: Services, kafka: KafkaAccess | None, trust: LogTrust, *, compared: bool) -> Replay:
    """Replay the history on Kafka, or the journal where no access to Kafka is given.

    Read the live traces before it too: it must hold all that they rest on.
    """
    before = _live(services) if compared else {}
    replayer = Replayer(trust, takes_unsigned=kafka is None)
    with bar(f"Reading {'kafka' if kafka else 'journal'}") as advance, replayer:
        if kafka is not None:
            from_kafka(kafka, TOPICS, trust, replayer.add_record, advance)
        else:
            from_journal(services, SERVICE, replayer.add_record, advance)
        traces = dict(replayer.run(lambda _, trace: trace))
    if kafka is not None:
        ensure_complete(kafka, trust, replayer.report.positions, IN_FLIGHT_SECONDS)
    rebuilt = Rebuilt(traces, replayer.report.heads, replayer.report.stalled, replayer.report.faults)
    verdict = _compared(services, rebuilt, before) if compared else None
    if kafka is not None and verdict is not None:
        verdict.unsigned = unsigned_of(kafka, TOPICS, trust, verdict.beyond, UNSIGNED_SECONDS)
    return Replay(replayer.report, rebuilt, verdict)


def _live(services: Services) -> dict[str, Trace]:
    return {trace["recommendation"]["reference"]: trace for trace in services.pages(SERVICE, "/traces")}


def _compared(services: Services, rebuilt: Rebuilt, before: dict[str, Trace]) -> Verdict:
    """Compare, and retry for a while where the live traces have yet to catch up."""
    until = time.monotonic() + CATCH_UP_SECONDS
    while True:
        verdict = compare(live := _live(services), rebuilt, before)
        is_behind = verdict.behind or any(reference not in live for reference in rebuilt.traces)
        if not is_behind or time.monotonic() > until:
            return verdict
        time.sleep(0.5)


def in_words(done: Replay, origin: Origin) -> list[str]:
    """Describe the outcome of a replay, the verdict last."""
    report = done.report
    source = "Kafka" if origin == "kafka" else "the journal"
    lines = [
        f"{report.records} records from {source}: {report.events} events, {len(done.rebuilt.traces)} traces rebuilt."
    ]
    if report.repeats:
        lines.append(f"Identical repeats, which change nothing: {report.repeats}.")
    if report.unsigned:
        lines.append(f"From before records were signed, believed as they are: {report.unsigned} events.")
    lines += _some("Could not be read", [f"{at} ({reason})" for at, reason in report.poison])
    lines += _some("More than one candidate", report.disputed)
    lines += _some("Stopped short of the last event", done.rebuilt.stalled)
    lines += _some("No trace can be stored", [f"{name}: {fault}" for name, fault in done.rebuilt.faults.items()])
    return [*lines, *(_verdict(done.verdict) if done.verdict else [f"digest: {done.digest}"])]


def _verdict(verdict: Verdict) -> list[str]:
    lines = _some("Live is newer than the history that was read, not compared", verdict.newer)
    lines += _some("Live is still behind the history", verdict.behind)
    lines += _some("Live rests on events that no signature covers", verdict.unsigned)
    for reference, (live, here) in list(verdict.other_shape.items())[:_LISTED]:
        lines.append(f"{reference}: live has shape {live}, this program composes shape {here}: not comparable.")
    if verdict.different:
        first = verdict.different[0]
        where = f", at {first.path}" if first.path else ""
        compared = len(verdict.different) + len(verdict.identical)
        lines += [
            f"different: {len(verdict.different)} of {compared} traces. The first: {first.reference}{where}",
            f"    live:    {_short(first.live)}",
            f"    rebuilt: {_short(first.rebuilt)}",
        ]
    elif not verdict.holds:
        lines.append(f"not proven: {len(verdict.identical)} traces are identical, the rest could not be compared.")
    elif not verdict.identical:
        lines.append("nothing to compare: no trace on either side")
    else:
        lines.append(f"identical: {len(verdict.identical)} traces")
    return lines


def _some(says: str, items: list[str]) -> list[str]:
    if not items:
        return []
    more = f" and {len(items) - _LISTED} more" if len(items) > _LISTED else ""
    return [f"{says}: {', '.join(items[:_LISTED])}{more}."]


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= _VALUE_SHOWN else f"{text[:_VALUE_SHOWN]}..."


def _as_json(done: Replay) -> dict[str, Any]:
    content: dict[str, Any] = {
        "records": done.report.records,
        "events": done.report.events,
        "repeats": done.report.repeats,
        "unsigned": done.report.unsigned,
        "poison": [{"at": at, "reason": reason} for at, reason in done.report.poison],
        "disputed": done.report.disputed,
        "stalled": done.rebuilt.stalled,
        "faults": done.rebuilt.faults,
        "traces": len(done.rebuilt.traces),
        "shape": SHAPE,
        "digest": done.digest,
    }
    if (verdict := done.verdict) is not None:
        content["verdict"] = {
            "holds": verdict.holds,
            "identical": len(verdict.identical),
            "different": [asdict(each) for each in verdict.different],
            "behind": verdict.behind,
            "newer": verdict.newer,
            "unsigned": verdict.unsigned,
            "other_shape": list(verdict.other_shape),
        }
    return content
