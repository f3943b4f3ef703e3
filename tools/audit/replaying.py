"""Every trace and the roster, rebuilt from a bundle alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

from services.nominations.domain.membership import MEMBERSHIP
from services.recommendations.projection import TOPICS
from services.recommendations.trace import trace_bytes
from shared.events.canonical import sha256_hex
from tools.audit.bundle import Bundle
from tools.replay.replayer import Replayer

Advance = Callable[[int, int], None]
_SUBJECT = b'"subject":"'
_ROSTER = f"{MEMBERSHIP.kind}/".encode()


@contextmanager
def replaying(
    bundle: Bundle,
    advance: Advance = lambda done, of: None,
    as_of: date | None = None,
    known_at: str | None = None,
) -> Iterator[Replayer]:
    """Open a replay that holds every event of a bundle that a trace or the roster rests on. Raises NotReadable."""
    logs = {f"throughline.{service}": log for service, log in bundle.logs.items()}
    sizes = {topic: logs[topic].checkpoint().size for topic in ("throughline.nominations", *TOPICS) if topic in logs}
    done, due = 0, sum(sizes.values())
    with Replayer(as_of, known_at) as found:
        for topic, size in sizes.items():
            for position, raw in logs[topic].entries(0, size):
                subject = subject_of(raw)
                if topic in TOPICS or subject.startswith(_ROSTER):
                    found.add_event(topic, position, subject, raw)
                if position % 1_000 == 0:
                    advance(done + position, due)
            done += size
        yield found


def subject_of(raw: bytes) -> bytes:
    """Return an event's stream without decoding it: after `subject` only `time` and `type` come in canonical bytes."""
    start = raw.rfind(_SUBJECT) + len(_SUBJECT)
    return raw[start : raw.find(b'"', start)] if start >= len(_SUBJECT) else b""


def digest_of(_reference: str, trace: dict[str, Any]) -> tuple[str, list[list[str | int]]]:
    """Return the digest of a trace's compared bytes, and what it is based on."""
    return sha256_hex(trace_bytes(trace)), trace["based_on"]


def digests(bundle: Bundle, advance: Advance = lambda done, of: None) -> dict[str, dict[str, Any]]:
    """Return what traces.json says of each trace; a stream stops before an event that cannot be read, as it does live.

    Raises NotReadable.
    """
    with replaying(bundle, advance) as found:
        made = dict(found.run(digest_of))
    return {name: {"digest": digest, "based_on": based_on} for name, (digest, based_on) in sorted(made.items())}


class Writing:
    """Writes every trace below a folder as it is made, and returns what `digest_of` does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, reference: str, trace: dict[str, Any]) -> tuple[str, list[list[str | int]]]:
        """Write `traces/CED/2022/R1.json`: the compared bytes, and nothing after them."""
        file = self._folder / "traces" / f"{reference}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        raw = trace_bytes(trace)
        file.write_bytes(raw)
        return sha256_hex(raw), trace["based_on"]
