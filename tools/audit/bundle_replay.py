"""The replay of a bundle: every trace and the roster, rebuilt from the bundle alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from services.recommendations.projection import TOPICS
from services.recommendations.trace import trace_bytes
from shared.events.canonical import sha256_hex
from tools.audit.bundle import Bundle
from tools.files import write_below
from tools.replay.replayer import Replayer
from tools.replay.roster import FOLDED_FOR

Advance = Callable[[int, int], None]
_SUBJECT = b'"subject":"'
_ROSTER = tuple(f"{kind}/".encode() for kind in FOLDED_FOR)


@contextmanager
def open_replay(
    bundle: Bundle,
    advance: Advance = lambda done, of: None,
    as_of: date | None = None,
    known_at: str | None = None,
) -> Iterator[Replayer]:
    """Open a replay of every event in a bundle that a trace or the roster is based on. Raises NotReadable."""
    logs = {f"throughline.{service}": log for service, log in bundle.logs.items()}
    sizes = {topic: logs[topic].checkpoint().size for topic in ("throughline.nominations", *TOPICS) if topic in logs}
    done, total = 0, sum(sizes.values())
    with Replayer(as_of=as_of, known_at=known_at) as replay:
        for topic, size in sizes.items():
            for position, raw in logs[topic].entries(0, size):
                subject = subject_of(raw)
                if topic in TOPICS or subject.startswith(_ROSTER):
                    replay.add_event(topic, position, subject, raw)
                if position % 1_000 == 0:
                    advance(done + position, total)
            done += size
        yield replay


def subject_of(raw: bytes) -> bytes:
    """Return an event's stream without decoding it: in canonical bytes only `time` and `type` follow `subject`."""
    start = raw.rfind(_SUBJECT) + len(_SUBJECT)
    return raw[start : raw.find(b'"', start)] if start >= len(_SUBJECT) else b""


def trace_digest(_reference: str, trace: dict[str, Any]) -> tuple[str, list[list[str | int]]]:
    """Return the digest of a trace's compared bytes, and the stream versions it is based on."""
    return sha256_hex(trace_bytes(trace)), trace["based_on"]


def trace_digests(bundle: Bundle, advance: Advance = lambda done, of: None) -> dict[str, dict[str, Any]]:
    """Return the content of traces.json; a stream stops before an undecodable event, as it does live.

    Raises NotReadable.
    """
    with open_replay(bundle, advance) as replay:
        composed = dict(replay.run(trace_digest))
    return {name: {"digest": digest, "based_on": based_on} for name, (digest, based_on) in sorted(composed.items())}


class TraceWriter:
    """Writes every composed trace below a folder, and returns the result of `trace_digest`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, reference: str, trace: dict[str, Any]) -> tuple[str, list[list[str | int]]]:
        """Write the compared bytes to `traces/CED/2022/R1.json`, without a final newline. Raises NotAFile."""
        raw = trace_bytes(trace)
        write_below(self._folder, f"traces/{reference}.json", raw)
        return sha256_hex(raw), trace["based_on"]
